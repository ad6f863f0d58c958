//! An outbox of one test, in a temporary file.

use std::time::{Duration, Instant, SystemTime};

use airlock::testing::{TemporaryOutbox, temporary_outbox};
use airlock::{EnqueueError, Options, OutboxFilter, OutboxState};

use crate::tasks::{
    asynchronous, elsewhere, fails, gated_async, later, leaves, leaves_local, panics, plain, ran, unique,
};

const HOUR: Duration = Duration::from_secs(3600);

fn enqueue<T>(temporary: &TemporaryOutbox, body: impl FnOnce() -> Result<T, EnqueueError>) {
    let scope = airlock::scope().executor(temporary.outbox()).enter();
    body().expect("there is a scope");
    scope.flush().expect("it is written");
}

async fn states(temporary: &TemporaryOutbox) -> Vec<OutboxState> {
    let rows = temporary.outbox().find(OutboxFilter::new()).await.expect("rows");
    rows.iter().map(|row| row.state).collect()
}

/// What an outbox of a test is for, from its making to its end.
async fn story() {
    let temporary = temporary_outbox().await.expect("a file can be made");
    let (well, badly) = (unique(), unique());
    enqueue(&temporary, || {
        leaves::enqueue(well.clone(), 3, true)?;
        leaves_local::enqueue(badly.clone())?;
        fails::enqueue(badly.clone(), 4)?;
        panics::enqueue(badly.clone())
    });
    let report = temporary.run_until_empty().await.expect("all of it ends");
    assert_eq!((report.done, report.retried, report.dead), (6, 5, 1), "{report}");
    let mut notes = ran(&well);
    notes.sort_unstable();
    assert_eq!((notes, ran(&badly).contains(&2)), (vec![0, 1, 2], true));
    // Another time, and with nothing to do.
    enqueue(&temporary, || plain::enqueue(well.clone(), 3));
    assert_eq!(temporary.run_until_empty().await.expect("it ends").to_string(), "1 done");
    assert_eq!(temporary.run_until_empty().await.expect("it ends").to_string(), "nothing was run");

    let file = temporary.pool().connect_options().get_filename().to_owned();
    assert!(file.is_file());
    drop(temporary);
    assert!(!file.exists() && !file.parent().expect("a folder").exists());
}

#[tokio::test]
async fn an_outbox_of_a_test_is_emptied_and_removed_on_one_thread() {
    story().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_of_a_test_is_emptied_and_removed_on_several_threads() {
    story().await;
}

#[test]
fn outside_of_a_runtime_an_outbox_of_a_test_says_what_it_needs() {
    let error = futures::executor::block_on(temporary_outbox()).expect_err("there is no runtime");
    assert!(error.to_string().contains("needs a tokio runtime; use `#[tokio::test]`"), "{error}");
}

#[tokio::test]
async fn delays_and_pauses_are_skipped_in_their_order() {
    let temporary = temporary_outbox().await.expect("a file can be made");
    let (test, late, start) = (unique(), unique(), Instant::now());
    let delayed = |delay| Options::new().delay(delay);
    enqueue(&temporary, || {
        plain::enqueue_with(delayed(24 * HOUR), test.clone(), 30)?;
        plain::enqueue_with(delayed(HOUR), test.clone(), 20)?;
        plain::enqueue_with(Options::new().eta(SystemTime::now() + 30 * HOUR), test.clone(), 40)?;
        // Late for its second run.
        later::enqueue_with(Options::new().expires_in(HOUR), late.clone(), 7_200_000)?;
        // At 0 h and at 2 h.
        later::enqueue(test.clone(), 7_200_000)
    });
    let report = temporary.run_until_empty().await.expect("all of it ends");
    assert_eq!((ran(&test), report.done), (vec![1, 20, 2, 30, 40], 4));
    assert_eq!((ran(&late), report.expired, report.retried), (vec![1], 1, 2));
    assert!(start.elapsed() < HOUR);
}

#[tokio::test]
async fn tasks_without_a_body_here_are_told_and_left() {
    let temporary = temporary_outbox().await.expect("a file can be made");
    let test = unique();
    enqueue(&temporary, || {
        elsewhere::enqueue_with(Options::new().queue("python"), 1)?;
        elsewhere::enqueue_with(Options::new().queue("python").delay(HOUR), 2)?;
        plain::enqueue(test.clone(), 1)
    });
    let error = temporary.run_until_empty().await.expect_err("two have no body");
    let told = error.to_string();
    assert!(told.starts_with("this program has no body for 2 of `shop.elsewhere`, which would wait"), "{told}");
    assert!(error.is_elsewhere() && error.report().done == 1 && ran(&test) == [1], "{error:?}");
    // A worker that doesn't know their queue doesn't miss them.
    let worker = temporary.worker().queues(["default"]);
    temporary.run_until_empty_with(worker).await.expect("the rest is empty");
    assert_eq!(states(&temporary).await, [OutboxState::Waiting, OutboxState::Waiting, OutboxState::Done]);
}

#[tokio::test]
async fn a_task_that_never_ends_is_named_at_the_deadline() {
    let temporary = temporary_outbox().await.expect("a file can be made").deadline(Duration::from_millis(300));
    let test = unique();
    enqueue(&temporary, || {
        gated_async::enqueue(test.clone())?;
        asynchronous::enqueue(test.clone(), 2)?;
        plain::enqueue_with(Options::new().queue("slow"), test.clone(), 3)
    });
    let worker = temporary.worker().concurrency(1).queues(["default"]);
    let error = temporary.run_until_empty_with(worker).await.expect_err("one never ends");
    let told = error.to_string();
    assert!(
        told.starts_with("after 300ms there still is `gated_async` (enqueued at tests/outbox/temporary.rs:"),
        "{told}"
    );
    assert!(told.contains("), running, 1 of `asynchronous`, waiting; see what"), "{told}");
    assert!(!error.is_elsewhere() && !told.contains(&test), "{told}");
}

#[tokio::test]
async fn a_transaction_of_a_test_commits_data_and_tasks_together() {
    let temporary = temporary_outbox().await.expect("a file can be made");
    let test = unique();
    for commits in [false, true] {
        let scope = airlock::scope().executor(temporary.outbox()).open();
        let mut transaction = temporary.pool().begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
        scope.run(|| plain::enqueue(test.clone(), u64::from(commits))).expect("there is a scope");
        if commits {
            scope.commit(transaction).await.expect("it is committed");
        } else {
            temporary
                .outbox()
                .insert(&mut *transaction, scope.seal().expect("it is fit"))
                .await
                .expect("it is written");
            transaction.rollback().await.expect("it is rolled back");
        }
    }
    temporary.run_until_empty().await.expect("all of it ends");
    assert_eq!(ran(&test), [1]);
}
