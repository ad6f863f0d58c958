//! A commit whose future is dropped, at any await.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use airlock::Settings;
use airlock_tests::patience::eventually;
use airlock_tests::recorder::Recorder;

use crate::databases::for_each_database;
use crate::shop::{block_on, place, routed, rows};

/// The future's output, or `None` if it was dropped after so many polls.
async fn polled<F: Future>(future: F, mut times: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    futures::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            times -= 1;
            if times == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

for_each_database! {
    /// Commits again and again, dropped a poll later each time, until it comes to its end some times.
    fn at_every_poll(notes: u64, step: usize) {
        let database = shop();
        let (known, unknown) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (told, told_unknown) = (Arc::clone(&known), Arc::clone(&unknown));
        let settings = Settings::new().on_lost(move |lost| {
            let told = if lost.is_of_unknown_commit() { &told_unknown } else { &told };
            told.fetch_add(lost.intents().len(), Ordering::Relaxed);
        });
        let (mut before, mut ended, mut dropped) = ((0, 0), 0, 0);
        airlock::testing::with_settings(settings, || block_on(async {
            // The client ends what was under way before it lends its one connection again.
            let pool = one_connection(&database).await;
            for round in 0.. {
                let mails = Recorder::new();
                let scope = airlock::scope().executor(routed(&database, &mails)).open();
                let mut transaction = begin(&pool).await;
                place(&scope, &mut transaction, notes, 1).await.unwrap();
                let lost_before = unknown.load(Ordering::Relaxed);
                let report = polled(scope.commit(transaction), 1 + round * step).await;
                begin(&pool).await.rollback().await.unwrap();
                let now = rows(&database);
                let (orders, tasks) = (now.0 - before.0, now.1 - before.1);
                before = now;
                assert_eq!(tasks, orders * notes, "data and rows, dropped after {round} times {step} polls");
                assert!(orders <= 1 && (mails.calls().is_empty() || orders == 1), "effects of data that isn't there");
                match report {
                    Some(report) => {
                        assert_eq!((report.unwrap().counts().written as u64, orders, mails.calls().len()), (notes, 1, 1));
                        ended += 1;
                        // How many polls it takes varies: the last awaits are met by some rounds only.
                        if ended == 8 {
                            break;
                        }
                    }
                    None => {
                        dropped += 1;
                        // What may be committed is told to the hook, and nothing of a commit that was never asked for: one that
                        // was asked for is carried out here.
                        let lost = (unknown.load(Ordering::Relaxed) - lost_before) as u64;
                        assert_eq!(lost, orders * (notes + 1), "dropped after {round} times {step} polls");
                    }
                }
            }
        }));
        assert!(dropped > 1, "{dropped}");
        assert_eq!(known.load(Ordering::Relaxed), 0, "nothing of it was in a flush error");
    }

    #[test]
    fn promise_21_dropped_at_any_await_data_and_rows_agree() {
        at_every_poll(300, 1);
    }

    #[test]
    fn promise_21_dropped_while_thousands_are_written_data_and_rows_agree() {
        at_every_poll(5000, 3);
    }
}

#[test]
fn promise_03_dropped_while_the_rest_is_handed_over_it_is_a_flush_that_was_dropped() {
    let database = crate::databases::shop(airlock_tests::servers::DjangoDatabase::sqlite());
    let told = Recorder::new();
    let hook = told.clone();
    let settings = Settings::new().on_lost(move |lost| {
        hook.note(format!("{} of {}", lost.intents().len(), lost.is_of_unknown_commit()));
    });
    let begun = Recorder::new();
    let seen = begun.clone();
    let never = Hanging(seen);
    airlock::testing::with_settings(settings, || {
        block_on(async {
            let pool = crate::databases::sqlite_pool(&database).await;
            let scope = airlock::scope().executor(never).open();
            let mut transaction = pool.begin().await.unwrap();
            place(&scope, &mut transaction, 2, 0).await.unwrap();
            let mut commit = Box::pin(scope.commit(transaction));
            tokio::select! {
                ended = &mut commit => panic!("{ended:?}"),
                () = async {
                    while begun.calls().is_empty() {
                        tokio::task::yield_now().await;
                    }
                } => {}
            }
            drop(commit);
        });
    });
    assert_eq!(told.calls(), ["2 of false"]);
    eventually("the order is there", || rows(&database) == (1, 0));
}

/// Begins the first intent, and never settles it.
struct Hanging(Recorder);

impl airlock::Executor for Hanging {
    fn name(&self) -> &str {
        "hanging"
    }

    fn dispatch<'a>(&'a self, mut batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
        Box::pin(async move {
            let _begun = batch.begin();
            self.0.note("begun");
            std::future::pending::<()>().await;
        })
    }
}
