//! What a worker begins with, beside its loop.

use std::time::{Duration, Instant};

use super::engine::is_lasting;
use crate::outbox::{Outbox, OutboxError, Store};
use crate::runtime::{full_jitter, timer};

/// The first connection, unless there is none for now.
pub(super) async fn first_store(outbox: &Outbox) -> Result<Option<Store>, OutboxError> {
    let connected = async {
        let mut store = outbox.connect_worker().await?;
        store.check_version().await?;
        Ok(store)
    };
    match connected.await {
        Ok(store) => Ok(Some(store)),
        Err(error) if is_lasting(&error) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Listens again and again; without a listener there is the poll.
pub(super) async fn listen(outbox: Outbox) {
    loop {
        if let Err(error) = outbox.listen().await {
            tracing::warn!(target: "airlock", error = error.reason(), "nothing is heard of what others commit; trying again");
            if is_lasting(&error) {
                return;
            }
        }
        timer::sleep_until(Instant::now() + Duration::from_secs(1) + full_jitter(Duration::from_secs(1))).await;
    }
}
