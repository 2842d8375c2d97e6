//! What broker and client share of a session. Does not know which of the two it serves.
