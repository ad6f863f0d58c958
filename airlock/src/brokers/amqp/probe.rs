//! The channel on which the server is asked something before it is published to. An answer that refuses ends the channel,
//! and nothing else with it.

use std::sync::Arc;

use lapin::{Channel, Connection};

/// Opened at the first question, and again once a refusal has ended it.
pub(super) struct ProbeChannel {
    connection: Arc<Connection>,
    channel: Option<Channel>,
}

impl ProbeChannel {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, channel: None }
    }

    pub(super) async fn channel(&mut self) -> lapin::Result<Channel> {
        Ok(match &self.channel {
            Some(channel) if channel.status().connected() => channel.clone(),
            _ => self.channel.insert(self.connection.create_channel().await?).clone(),
        })
    }

    /// Gives up the channel, with what was asked on it and not answered.
    pub(super) fn leave(&mut self) {
        self.channel = None;
    }
}
