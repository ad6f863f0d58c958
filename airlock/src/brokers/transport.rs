//! The kinds of brokers.

/// Which kind of broker a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Redis,
    Amqp,
    Sqlite,
    Postgres,
}
