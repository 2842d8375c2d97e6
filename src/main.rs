//! The `mqlite` command.

fn main() {}
