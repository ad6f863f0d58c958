//! What other queues in databases are known to have failed at, a test each.

mod connections;
mod memory;
mod pools;
mod rows;
mod sessions;
mod time;
mod twins;
