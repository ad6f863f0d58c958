//! What the test kit knows of workers, without a database.

use std::time::Duration;

use airlock::testing::{TestWorker, capture, drain, perform};
use airlock::{AssertNoEffects, Options, Run, assert_enqueued, assert_enqueued_in_order, assert_nothing_enqueued};
use futures::executor::block_on;

use crate::tasks::{
    TaskResult, asynchronous, elsewhere, fails, is_over, later, leaves, leaves_local, leaves_plainly, panics, plain,
    ran, unique,
};

/// Leaves a note in a scope of its own and one in that of its run, and then fails so many times.
#[airlock::task]
fn leaves_and_fails(test: String, times: u32) -> TaskResult {
    airlock::scope().run(|| plain::enqueue(test.clone(), 1).map(drop).map_err(airlock::Error::from))?;
    plain::enqueue(test, 2)?;
    if Run::current().is_some_and(|run| run.attempt() <= times) { Err("it failed after all".into()) } else { Ok(()) }
}

struct Shelf(u64);

#[airlock::task]
fn shelves(#[state] shelf: &Shelf, test: String) -> TaskResult {
    plain::enqueue(test, shelf.0)?;
    Ok(())
}

/// Takes longer than it may.
#[airlock::task(timeout = "10ms", max_retries = 1)]
async fn too_slow(test: String) {
    crate::tasks::note_run(test, 1);
    std::future::pending::<()>().await;
}

#[airlock::task]
fn notes_its_run(test: String) -> TaskResult {
    let run = Run::current().ok_or("it is in no run")?;
    let headers = run.headers().len() as u64;
    crate::tasks::note_run(test, u64::from(run.attempt()) * 100 + headers * 10 + u64::from(run.queue() == "mail"));
    Ok(())
}

#[test]
fn a_task_is_run_until_it_ends_well_and_its_attempts_are_counted() {
    let (well, badly, worker) = (unique(), unique(), TestWorker::new());
    let performed = worker.perform::<fails>((well.clone(), 3)).expect("the fourth run ends well");
    assert_eq!((performed.attempts(), ran(&well)), (4, vec![1, 2, 3, 4]));
    let told: Vec<_> = performed.failures().iter().map(|run| (run.attempt, run.again_in.is_some())).collect();
    assert_eq!(told, [(1, true), (2, true), (3, true)]);

    let error = worker.max_retries(2).perform::<fails>((badly.clone(), 9)).expect_err("it fails for good");
    assert_eq!((error.attempts(), error.failures().len(), ran(&badly)), (3, 3, vec![1, 2, 3]));
    let told = "`fails` failed for good at attempt 3: the task failed: attempt 3 of 9 failed";
    assert_eq!((error.to_string(), format!("{error:?}")), (told.to_owned(), told.to_owned()));
    // Its own word counts more than the worker's.
    let broken = unique();
    assert!(TestWorker::new().perform::<panics>((broken.clone(),)).is_err());
    assert_eq!(ran(&broken), [1, 1]);
}

#[test]
fn an_error_says_whether_it_is_tried_again_and_no_pause_is_waited_for() {
    let (over, late, worker) = (unique(), unique(), TestWorker::new());
    let error = worker.perform::<is_over>((over.clone(),)).expect_err("there is no use");
    assert_eq!(
        (error.attempts(), error.error().kind(), ran(&over)),
        (1, airlock::DispatchErrorKind::TaskFailed, vec![1])
    );
    let performed = block_on(worker.perform_async::<later>((late.clone(), 3_600_000))).expect("the second one is well");
    assert_eq!(performed.failures()[0].again_in, Some(Duration::from_secs(3600)));
    assert_eq!(ran(&late), [1, 2]);
}

#[test]
fn what_a_task_left_is_there_if_and_only_if_it_ended_well_and_runs_in_turn() {
    let (well, badly, worker) = (unique(), unique(), TestWorker::new());
    let captured = capture(|| -> airlock::Result<()> {
        leaves::enqueue(well.clone(), 2, true)?;
        leaves::enqueue(badly.clone(), 2, false)?;
        leaves_plainly::enqueue(badly.clone(), 2, false)?;
        asynchronous::enqueue(well.clone(), 9)?;
        elsewhere::enqueue(1)?;
        Ok(())
    });
    let error = block_on(worker.drain_async(&captured)).expect_err("two fail");
    assert_eq!((ran(&well), ran(&badly)), (vec![9, 0, 1], vec![]));
    assert_eq!((error.failed().len(), error.drained().failures().len(), error.waiting()), (2, 2, 0));
    assert_enqueued!(error.drained(), plain, times 2);
    assert_eq!(error.drained().elsewhere().len(), 1);

    // One that is tried again leaves what its last run left, whatever scopes it was in.
    let again = worker.perform::<leaves_and_fails>((well, 2)).expect("the third one is well");
    assert_enqueued_in_order!(again, [plain { number: 1, .. }, plain { number: 2, .. }]);
    assert_enqueued!(again, plain, times 2);
    let captured = capture(|| leaves_and_fails::enqueue(badly.clone(), 2).is_ok());
    let drained = worker.drain(&captured).expect("it ends well");
    assert_eq!((ran(&badly), drained.failures().len()), (vec![1, 2], 2));
    assert_enqueued!(drained, leaves_and_fails, times 1);
}

#[test]
fn one_that_is_tried_again_comes_behind_what_waits() {
    let test = unique();
    let captured = capture(|| -> airlock::Result<()> {
        fails::enqueue(test.clone(), 1)?;
        plain::enqueue(test.clone(), 10)?;
        Ok(())
    });
    TestWorker::new().drain(&captured).expect("all end well");
    assert_eq!(ran(&test), [1, 10, 2]);
}

#[test]
fn a_task_without_a_worker_is_in_its_first_run_and_is_not_tried_again() {
    let (well, badly) = (unique(), unique());
    assert_nothing_enqueued!(perform::<notes_its_run>((well.clone(),)).expect("it is in a run"));
    assert!(perform::<fails>((badly.clone(), 1)).is_err());
    let options = || Options::new().queue("mail").header("tenant", "a");
    let captured = capture(|| notes_its_run::enqueue_with(options(), well.clone()).is_ok());
    drain(&captured).expect("it is in a run");
    TestWorker::new().drain(&captured).expect("it is in a run");
    assert_eq!((ran(&well), ran(&badly)), (vec![100, 111, 111], vec![1]));
    assert!(Run::current().is_none());
}

#[test]
fn a_worker_of_a_test_has_a_policy_and_a_state() {
    let (test, worker) = (unique(), TestWorker::new().max_retries(0));
    let kept = worker.clone().state(Shelf(7)).perform::<shelves>((test.clone(),)).expect("there is a shelf");
    assert_enqueued!(kept, plain { number: 7, .. });
    let error = worker.perform::<shelves>((test.clone(),)).expect_err("there is none");
    assert!(error.to_string().contains("its state"), "{error}");
    let refused = worker.policy(AssertNoEffects).state(Shelf(7)).perform::<shelves>((test,));
    assert!(refused.is_err_and(|error| error.to_string().contains("AssertNoEffects")));
}

#[test]
fn timeouts_and_expiries_count_and_async_tasks_want_to_be_awaited() {
    let (test, worker) = (unique(), TestWorker::new());
    let error = block_on(worker.perform_async::<too_slow>((test.clone(),))).expect_err("it never ends");
    assert_eq!((error.attempts(), ran(&test)), (2, vec![1, 1]));
    assert!(error.to_string().contains("it took longer than its 10ms"), "{error}");
    let error = worker.perform::<asynchronous>((test.clone(), 1)).expect_err("nothing awaits it");
    assert!(error.to_string().contains("`perform_async`") && error.attempts() == 1, "{error}");
    let past = Options::new().expires_at(std::time::SystemTime::UNIX_EPOCH);
    let captured = capture(|| plain::enqueue_with(past, test.clone(), 5).is_ok());
    let error = worker.drain(&captured).expect_err("it is late");
    assert!(error.to_string().contains("past its expiry") && ran(&test) == [1, 1], "{error}");
}

#[tokio::test]
async fn a_local_task_runs_once_and_in_no_run() {
    let test = unique();
    let captured = capture(|| leaves_local::enqueue(test.clone()).is_ok());
    let drained = TestWorker::new().drain_async(&captured).await.expect("both end well");
    assert_eq!((ran(&test), drained.ran().len()), (vec![1, 2], 2));
}

#[test]
fn tasks_that_are_tried_again_without_end_are_stopped() {
    let test = unique();
    let captured =
        capture(|| fails::enqueue_with(Options::new().max_retries(u32::MAX), test.clone(), u32::MAX).is_ok());
    let error = TestWorker::new().drain(&captured).expect_err("it never ends well");
    assert_eq!((error.waiting(), error.drained().failures().len()), (1, airlock::testing::MAX_DRAINED));
}
