//! What went wrong with a broker, as a text: errors of client crates may quote what was sent.

/// It names the broker's address and no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BrokerFault(String);

impl BrokerFault {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    pub(crate) fn thread_ended() -> Self {
        Self::new("the thread for the brokers' I/O ended before there was an answer")
    }
}
