//! Without SQLite there is no file to put an outbox in.
