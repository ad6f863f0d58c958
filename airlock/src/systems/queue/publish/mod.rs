//! The intents of a flush as messages, in jobs for a broker.

#[cfg(feature = "amqp")]
mod declared;
#[cfg(feature = "_broker")]
mod jobs;
#[cfg(feature = "_sql")]
pub(super) mod rows;

use super::format::Format;
use crate::brokers::{AnyManager, Broker, Transport};
use crate::executors::Batch;
use crate::intent::IntentId;

/// Sends the batch through the broker.
pub(crate) async fn publish(broker: &Broker, format: &dyn Format, batch: Batch) {
    IntentId::reseed_after_fork();
    let _ = (format, &batch);
    match broker.manager {
        #[cfg(feature = "redis")]
        AnyManager::Redis(ref manager) => jobs::send(manager, |intent, now| format.redis(intent, now), batch).await,
        #[cfg(feature = "amqp")]
        AnyManager::Amqp(ref manager) => {
            let mut declared = declared::Declared::new(format);
            jobs::send(manager, |intent, now| format.amqp(intent, now).map(|message| declared.before(message)), batch)
                .await;
        }
        #[cfg(feature = "sqlite")]
        AnyManager::Sqlite(ref manager) => rows::send(manager, Transport::Sqlite, format, batch).await,
        #[cfg(feature = "postgres")]
        AnyManager::Postgres(ref manager) => rows::send(manager, Transport::Postgres, format, batch).await,
    }
}
