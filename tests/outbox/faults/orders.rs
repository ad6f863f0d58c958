//! Orders that are placed while faults happen.

use std::ops::Range;

use airlock::{EnqueueError, OpenScope, Outbox};
use sqlx::AssertSqlSafe;

use super::child::{bill, confirm};
use super::random::Random;

/// How a transaction ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// `OpenScope::commit`.
    Committed,
    /// `Outbox::insert`, then a COMMIT of our own.
    Inserted,
    /// `Outbox::insert`, then a ROLLBACK.
    RolledBack,
    /// `Outbox::insert`, and the transaction is dropped.
    Dropped,
}

/// Places the orders one after the other, each in a transaction with its two tasks. What a fault makes of one is not
/// looked at: whether the order is there says which effects there are to be.
pub(super) async fn place(url: &str, outbox: &Outbox, orders: Range<u64>, random: &mut Random) {
    let ends = [End::Committed, End::Committed, End::Inserted, End::RolledBack, End::Dropped];
    macro_rules! place {
        ($pool:ty, $begin:literal) => {{
            let pool = <$pool>::connect(url).await.expect("it can be opened");
            for order in orders {
                let placed = async {
                    let scope = scope_with_tasks(outbox, order)?;
                    let mut transaction = pool.begin_with($begin).await?;
                    let place = sqlx::raw_sql(AssertSqlSafe(format!("INSERT INTO shop_orders (id) VALUES ({order})")));
                    place.execute(&mut *transaction).await?;
                    let end = random.one_of(&ends);
                    if matches!(end, End::Committed) {
                        scope.commit(transaction).await?;
                        return Ok(());
                    }
                    outbox.insert(&mut *transaction, scope.seal()?).await?;
                    match end {
                        End::Inserted => transaction.commit().await?,
                        End::RolledBack => transaction.rollback().await?,
                        End::Committed | End::Dropped => drop(transaction),
                    }
                    Ok::<_, Box<dyn std::error::Error>>(())
                };
                let _ = placed.await;
                tokio::time::sleep(random.millis(0, 25)).await;
            }
            pool.close().await;
        }};
    }
    match url.starts_with("sqlite") {
        true => place!(sqlx::SqlitePool, "BEGIN IMMEDIATE"),
        false => place!(sqlx::PgPool, "BEGIN"),
    }
}

fn scope_with_tasks(outbox: &Outbox, order: u64) -> Result<OpenScope, EnqueueError> {
    let scope = airlock::scope().executor(outbox.clone()).transactional().open();
    scope.run(|| {
        confirm::enqueue(order)?;
        bill::enqueue(order)
    })?;
    Ok(scope)
}
