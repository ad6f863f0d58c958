//! How large a message may be. One that the server refuses ends the channel that all share, so the server is asked before
//! the first of its size is published: with as many bytes for a queue that can't exist, which the server drops.

use std::sync::Arc;

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;

use super::probe::ProbeChannel;
use super::{Addressed, refusal};
use crate::dispatch::DispatchError;

/// What the first question is about, at least: one answer for all small messages.
const FIRST: usize = 16 * 1024;

/// What is known of the server's limit.
pub(super) struct Sizes {
    place: Arc<str>,
    /// Messages of up to so many bytes are taken.
    taken: usize,
    /// The limit, once the server has named it.
    most: Option<usize>,
}

impl Sizes {
    pub(super) fn new(place: Arc<str>) -> Self {
        Self { place, taken: 0, most: None }
    }

    /// Sees to it that the answer for each of these messages is known. A refusal is one of all that this user publishes.
    pub(super) async fn check<'a>(
        &mut self,
        probe: &mut ProbeChannel,
        messages: impl Iterator<Item = &'a Addressed>,
    ) -> Result<Option<DispatchError>, lapin::Error> {
        let Some(largest) = messages.map(|message| message.message.body.len()).max() else { return Ok(None) };
        if self.most.is_some() || (largest <= self.taken && self.taken > 0) {
            return Ok(None);
        }
        // Rounded up by an eighth at most, so that few sizes are asked about.
        let size = largest.next_multiple_of((largest.next_power_of_two() / 8).max(FIRST)).max(FIRST);
        let Err(error) = ask(probe, size).await else {
            self.taken = size;
            return Ok(None);
        };
        probe.leave();
        if let Some(most) = refusal::size_limit(&error) {
            self.most = Some(most);
            return Ok(None);
        }
        refusal::of_user(&self.place, &error).map(Some).ok_or(error)
    }

    /// Why a message of this size can't be published.
    pub(super) fn refusal(&self, size: usize) -> Option<DispatchError> {
        self.most.filter(|most| size > *most).map(|most| refusal::too_large(&self.place, size, most))
    }
}

/// Whether a message of this size is taken.
async fn ask(probe: &mut ProbeChannel, size: usize) -> lapin::Result<()> {
    let channel = probe.channel().await?;
    // No queue has an empty name.
    let (nowhere, options) = (ShortString::default(), BasicPublishOptions::default());
    let body = vec![0; size];
    let published = channel.basic_publish(nowhere.clone(), nowhere, options, &body, BasicProperties::default()).await?;
    // The confirm is the answer. No second question goes behind it: one that crosses a refusal would be a frame of a channel
    // that is closed, for which the server ends the connection, with all that is under way on it.
    published.await.map(drop)
}
