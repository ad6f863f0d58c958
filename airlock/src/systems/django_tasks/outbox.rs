//! Rows for those who insert them themselves.

use std::time::SystemTime;

use super::executor::DjangoTasksExecutor;
use crate::brokers::BrokerMessage;
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::intent::Intent;

impl DjangoTasksExecutor {
    /// The row that this executor would insert for the intent now. Nothing is written: insert it in the transaction that
    /// caused it, with a client that airlock has no [`insert`](Self::insert) for.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use std::time::SystemTime;
    /// use airlock::{BrokerMessage, DjangoTasksExecutor};
    ///
    /// #[airlock::task(name = "shop.tasks.send_receipt")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let django = DjangoTasksExecutor::new("sqlite:///srv/shop/db.sqlite3").unwrap();
    /// let message = django.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Sql(row) = message else { unreachable!() };
    /// assert!(row.statement().starts_with("INSERT INTO \"django_tasks_database_dbtaskresult\""));
    /// assert_eq!(row.values().len(), row.statement().matches('?').count());
    /// # }
    /// ```
    pub fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.format.accepts(self.transport, intent, &FlushContext::outside(now))?;
        self.format.row(self.transport, intent, now, 0).map(BrokerMessage::Sql)
    }
}
