//! A shop: orders in a table, and what is to happen once they are placed.

use airlock::{
    Batch, BoxFuture, CommitError, Counts, DjangoTasksExecutor, Executor, FlushReport, NotCommitted, OpenScope, Outcome,
};
use airlock_tests::recorder::Recorder;
use airlock_tests::servers::DjangoDatabase;
use sqlx::{Database, Transaction};

#[airlock::task(name = "tests.note", queue = "notes")]
pub(crate) fn note(number: u64);

#[airlock::task(name = "tests.mail")]
pub(crate) fn mail(number: u64);

/// Runs here, whatever the executor.
#[airlock::task(name = "tests.here", local)]
pub(crate) fn here(number: u64) {
    HERE.lock().unwrap().push(number);
}

pub(crate) static HERE: std::sync::Mutex<Vec<u64>> = std::sync::Mutex::new(Vec::new());

pub(crate) const ORDERS: &str = "SELECT count(*) FROM orders";
pub(crate) const TASKS: &str = "SELECT count(*) FROM django_tasks_database_dbtaskresult";

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Writes rows for Django's workers. Its own URL is of the database's kind, and plays no other part.
pub(crate) fn django(database: &DjangoDatabase) -> DjangoTasksExecutor {
    DjangoTasksExecutor::new(database.url()).unwrap()
}

/// Notes for Django's workers; mails are written down.
pub(crate) fn routed(database: &DjangoDatabase, mails: &Recorder) -> airlock::Route {
    airlock::Route::new().to::<note>(django(database)).otherwise(mails.clone())
}

/// An order, and so many notes and mails.
pub(crate) async fn place<DB>(
    scope: &OpenScope,
    transaction: &mut Transaction<'static, DB>,
    notes: u64,
    mails: u64,
) -> airlock::Result<()>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    scope
        .wrap(async {
            let insert = sqlx::raw_sql("INSERT INTO orders (id) VALUES (1)");
            insert.execute(&mut **transaction).await.map_err(airlock::Error::other)?;
            for number in 0..notes {
                note::enqueue(number)?;
            }
            for number in 0..mails {
                mail::enqueue(number)?;
            }
            Ok(())
        })
        .await
}

/// A look from outside, which has a runtime of its own: on another thread, as the test's may be in one.
pub(crate) fn look<R: Send>(
    database: &DjangoDatabase,
    look: impl FnOnce(&mut airlock_tests::servers::Database) -> R + Send,
) -> R {
    std::thread::scope(|threads| threads.spawn(|| look(&mut database.open())).join().unwrap())
}

/// How many orders and how many of Django's tasks there are.
pub(crate) fn rows(database: &DjangoDatabase) -> (u64, u64) {
    look(database, |open| (open.number(ORDERS), open.number(TASKS)))
}

/// Runs statements from outside.
pub(crate) fn run(database: &DjangoDatabase, statements: &str) {
    look(database, |open| open.run(statements));
}

/// How many were written, handed over, and held.
pub(crate) fn counts(report: &FlushReport) -> (usize, usize, usize) {
    let Counts { written, dispatched, enqueued, .. } = report.counts();
    (written, dispatched, enqueued - written - dispatched)
}

#[track_caller]
pub(crate) fn not_committed(ended: Result<FlushReport, CommitError>) -> NotCommitted {
    match ended {
        Err(CommitError::NotCommitted(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// That the error's text has this in it.
#[track_caller]
pub(crate) fn says(error: &NotCommitted, text: &str) {
    assert!(error.to_string().contains(text), "{error}");
}

pub(crate) fn outcomes(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(|entry| format!("{}: {}", entry.name(), entry.outcome())).collect()
}

pub(crate) fn are_written(report: &FlushReport) -> bool {
    report.entries().iter().all(|entry| matches!(entry.outcome(), Outcome::Written))
}

/// Looks into the database at each intent that it is handed, and says what is there.
pub(crate) struct Witness {
    pub(crate) url: String,
    pub(crate) seen: Recorder,
}

impl Executor for Witness {
    fn name(&self) -> &str {
        "witness"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                let (url, intent) = (self.url.clone(), begun.intent().to_string());
                // The look has a runtime of its own.
                let orders = std::thread::spawn(move || airlock_tests::servers::Database::at(&url).number(ORDERS));
                self.seen.note(format!("{intent} beside {} orders", orders.join().unwrap()));
                begun.settle(Ok(()));
            }
        })
    }
}
