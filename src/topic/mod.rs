//! Topic Names, Topic Filters, and the tree that matches them. Knows nothing of subscribers.
