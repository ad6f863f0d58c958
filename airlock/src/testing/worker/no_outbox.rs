//! Without an outbox there is none of a test.
