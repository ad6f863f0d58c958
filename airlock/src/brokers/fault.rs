//! What went wrong with a broker, as a text: errors of client crates may quote what was sent.

/// It names the broker's address and no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BrokerFault(String);

impl BrokerFault {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// With the code the server gave; its text may quote what was sent.
    #[cfg(feature = "redis")]
    pub(crate) fn with_code(mut self, code: &str) -> Self {
        self.0 = format!("{} ({code})", self.0);
        self
    }

    pub(crate) fn thread_ended() -> Self {
        Self::new("the thread for the brokers' I/O ended before there was an answer")
    }
}
