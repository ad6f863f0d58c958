//! The channel on which the server is asked something before it is published to. An answer that refuses ends the channel,
//! and nothing else with it.

use std::sync::Arc;

use lapin::options::ConfirmSelectOptions;
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
        if let Some(channel) = self.channel.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(self.channel.insert(channel).clone())
    }

    /// Gives up the channel, with what was asked on it and not answered.
    pub(super) fn leave(&mut self) {
        self.channel = None;
    }
}
