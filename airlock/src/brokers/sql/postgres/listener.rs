//! Hearing of what others commit, on Postgres.

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use super::options::options;
use crate::brokers::connection::BrokerFault;
use crate::brokers::sql::Sql;
use crate::brokers::sql::broker::Heard;
use crate::dispatch::DispatchError;

/// Listens to a channel on a connection of its own, which the client makes again when it is lost.
pub(super) async fn listen(sql: &Sql<sqlx::PgConnection>, channel: &str, heard: &Heard) -> Result<(), DispatchError> {
    let failed = |what: &str| DispatchError::unavailable(BrokerFault::new(format!("{} {what}", sql.url.place())));
    let options: PgConnectOptions = match &sql.options {
        Some(given) => given.clone(),
        None => options(&sql.url).map_err(|_| failed("has a URL that can't be connected to"))?,
    };
    // A listener wants a pool to connect again from.
    let pool = PgPoolOptions::new().max_connections(1).min_connections(0).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await.map_err(|_| failed("gave no connection to listen on"))?;
    listener.listen(channel).await.map_err(|_| failed("refuses to have its channel listened to"))?;
    heard();
    // `None` is a connection that was lost: notifications of meanwhile are not known.
    while listener.try_recv().await.is_ok() {
        heard();
    }
    Ok(())
}
