//! The native host on tokio.
