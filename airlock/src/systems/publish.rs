//! The intents of a flush as messages, in jobs for a broker.

#[cfg(feature = "amqp")]
use super::declared;
use super::format::Format;
#[cfg(feature = "_broker")]
use super::jobs;
#[cfg(feature = "_sql")]
use super::rows;
use crate::brokers::{AnyManager, Broker, Transport};
use crate::executors::Batch;
use crate::intent::IntentId;

/// Sends the batch through the broker.
pub(crate) async fn publish(broker: &Broker, format: &dyn Format, batch: Batch) {
    IntentId::reseed_after_fork();
    let _ = (format, &batch);
    match &broker.manager {
        #[cfg(feature = "redis")]
        AnyManager::Redis(manager) => jobs::send(manager, |intent, now| format.redis(intent, now), batch).await,
        #[cfg(feature = "amqp")]
        AnyManager::Amqp(manager) => {
            let mut declared = declared::Declared::new(format);
            jobs::send(manager, |intent, now| format.amqp(intent, now).map(|message| declared.before(message)), batch)
                .await;
        }
        #[cfg(feature = "sqlite")]
        AnyManager::Sqlite(manager) => rows::send(manager, Transport::Sqlite, format, batch).await,
        #[cfg(feature = "postgres")]
        AnyManager::Postgres(manager) => rows::send(manager, Transport::Postgres, format, batch).await,
        #[cfg(not(feature = "_broker"))]
        AnyManager::Never(never) => match *never {},
    }
}
