//! Hearing of what others commit, on Postgres.

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use super::Sql;
use super::postgres::options::options;
use crate::brokers::connection::BrokerFault;
use crate::dispatch::DispatchError;

/// A connection of its own that listens to a channel. It connects again by itself when it is lost.
pub(crate) async fn listen(sql: &Sql<sqlx::PgConnection>, channel: &str) -> Result<PgListener, DispatchError> {
    let failed = |what: &str| DispatchError::unavailable(BrokerFault::new(format!("{} {what}", sql.url.place())));
    let options: PgConnectOptions = match &sql.options {
        Some(given) => given.clone(),
        None => options(&sql.url).map_err(|_| failed("has a URL that can't be connected to"))?,
    };
    // A listener wants a pool to connect again from.
    let pool = PgPoolOptions::new().max_connections(1).min_connections(0).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await.map_err(|_| failed("gave no connection to listen on"))?;
    listener.listen(channel).await.map_err(|_| failed("refuses to have its channel listened to"))?;
    Ok(listener)
}
