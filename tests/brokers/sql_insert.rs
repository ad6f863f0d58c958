//! What a scope holds, in the transaction that its caller has open.

use airlock::{DispatchErrorKind, DjangoTasksExecutor, FlushError, FlushReport, Outcome, Sealed};
use airlock_tests::servers::DjangoDatabase;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::tasks::note;

pub(crate) const COUNT: &str = "SELECT count(*) FROM django_tasks_database_dbtaskresult";

/// Of another executor than the scope's: its URL plays no part.
pub(crate) fn executor() -> DjangoTasksExecutor {
    DjangoTasksExecutor::new("sqlite:///nowhere/db.sqlite3").expect("a URL")
}

/// A scope that has ended well, with so many notes.
pub(crate) fn sealed(count: u64) -> Sealed {
    let scope = airlock::scope().executor(executor()).enter();
    (0..count).for_each(|number| drop(note::enqueue(number)));
    scope.seal().expect("nothing is refused")
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

pub(crate) fn all_dispatched(report: &FlushReport, count: usize) {
    assert_eq!(report.entries().len(), count);
    assert!(report.entries().iter().all(|entry| matches!(entry.outcome(), Outcome::Dispatched)));
}

/// Everything is handed back, refused in the same way.
#[track_caller]
pub(crate) fn all_held(error: &FlushError, kind: DispatchErrorKind, count: usize, says: &str) {
    assert_eq!(error.undispatched().len(), count, "{error}");
    let is_so = |outcome: &Outcome| matches!(outcome, Outcome::Failed { error, .. } if error.kind() == kind);
    assert!(error.report().entries().iter().all(|entry| is_so(entry.outcome())), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

macro_rules! insertions {
    ($name:ident, $database:ident, $connection:ident, $url:expr) => {
        mod $name {
            use super::*;

            async fn connection(database: &DjangoDatabase) -> $connection {
                let url: fn(&str) -> String = $url;
                $connection::connect(&url(database.url())).await.expect("it can be opened")
            }

            #[test]
            fn promise_05_what_is_committed_is_there_with_the_rest_of_the_transaction() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
                    let report = executor().insert(&mut *transaction, sealed(3000)).await.expect("it is written");
                    all_dispatched(&report, 3000);
                    // Others see nothing of it yet, and this transaction goes on.
                    sqlx::raw_sql("INSERT INTO orders VALUES (1)").execute(&mut *transaction).await.expect("it works");
                    transaction.commit().await.expect("it is committed");
                });
                let mut open = database.open();
                assert_eq!((open.number(COUNT), open.number("SELECT count(*) FROM orders")), (3000, 1));
            }

            #[test]
            fn what_is_rolled_back_was_never_there() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    all_dispatched(&executor().insert(&mut *transaction, sealed(10)).await.expect("it is written"), 10);
                    transaction.rollback().await.expect("it is rolled back");
                    let transaction = connection.begin().await.expect("a transaction");
                    drop(transaction);
                });
                assert_eq!(database.open().number(COUNT), 0);
            }

            #[test]
            fn promise_06_what_is_refused_leaves_the_transaction_as_it_was_and_is_handed_back() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
                    // Some thousand rows are written before the one that the table refuses: the first one, again.
                    let scope = airlock::scope().executor(executor()).enter();
                    (0..2000).for_each(|number| drop(note::enqueue(number)));
                    let first = airlock::Scope::current().expect("a scope").intents().remove(0);
                    let sealed = scope.seal().expect("nothing is refused");
                    all_dispatched(&executor().insert(&mut *transaction, sealed).await.expect("it is written"), 2000);
                    let scope = airlock::scope().executor(executor()).enter();
                    (0..2000).for_each(|number| drop(note::enqueue(number)));
                    airlock::Scope::current().expect("a scope").push(again(&first)).expect("it is another intent");
                    let sealed = scope.seal().expect("nothing is refused");
                    let error = executor().insert(&mut *transaction, sealed).await.expect_err("one is there already");
                    all_held(&error, DispatchErrorKind::Rejected, 2001, "has a task of the same id already");
                    drop(error.into_intents());
                    transaction.commit().await.expect("it still can be");
                });
                let mut open = database.open();
                assert_eq!((open.number(COUNT), open.number("SELECT count(*) FROM orders")), (2000, 0));
            }

            #[test]
            fn a_future_that_is_dropped_leaves_nothing_behind_a_rollback() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    let executor = executor();
                    let mut insert = Box::pin(executor.insert(&mut *transaction, sealed(5000)));
                    let polled = futures::future::poll_fn(|cx| std::task::Poll::Ready(insert.as_mut().poll(cx))).await;
                    assert!(polled.is_pending());
                    drop(insert);
                    transaction.rollback().await.expect("it is rolled back");
                });
                assert_eq!(database.open().number(COUNT), 0);
            }
        }
    };
}

insertions!(sqlite, sqlite, SqliteConnection, |url| url.to_owned());
insertions!(postgres, postgres, PgConnection, str::to_owned);

/// The intent once more, with the same id, as somebody would have it who stored it.
fn again(intent: &airlock::Intent) -> airlock::Intent {
    let stored = serde_json::to_string(intent).expect("it can be stored");
    airlock::registry().decode(&stored).expect("it can be read")
}

#[test]
fn promise_06_local_tasks_are_refused_before_anything_is_written() {
    #[airlock::task(local)]
    fn here() {}

    let database = DjangoDatabase::sqlite();
    block_on(async {
        let mut connection = SqliteConnection::connect(database.url()).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        let scope = airlock::scope().executor(executor()).enter();
        note::enqueue(1).expect("there is a scope");
        here::enqueue().expect("there is a scope");
        let error = executor().insert(&mut *transaction, scope.seal().expect("sealed")).await.expect_err("refused");
        assert!(error.to_string().contains("here") || error.failed()[0].to_string().contains("would run before"));
        assert_eq!(error.undispatched().len(), 2);
        drop(error.into_intents());
        transaction.commit().await.expect("it can be");
    });
    assert_eq!(database.open().number(COUNT), 0);
}
