//! What a worker is told: how long runs may take, what may come of them, who hears of failures, how long rows are kept.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use airlock::{AssertNoEffects, Backoff, Intent, Options, OutboxState, RunFailure, policy_fn};
use airlock_tests::servers::Database;

use crate::home::{Home, block_on, on_both};
use crate::tasks::{fails, is_over, leaves, note_run, panics, plain, ran, unique};

/// Notes that it began, never ends, and notes that it was dropped.
#[airlock::task(name = "options.lasts", max_retries = 1)]
async fn lasts(test: String) {
    struct Dropped(String);
    impl Drop for Dropped {
        fn drop(&mut self) {
            note_run(std::mem::take(&mut self.0), 2);
        }
    }
    note_run(test.clone(), 1);
    let _dropped = Dropped(test);
    std::future::pending::<()>().await;
}

/// The number in a note.
fn number(intent: &Intent) -> Option<u64> {
    intent.args::<plain>().map(|(_, number)| *number)
}

on_both! {
    async fn a_timeout_ends_an_async_run_which_is_then_a_failed_one(home) {
        let test = unique();
        let timeout = Duration::from_millis(60);
        home.enqueue(|| lasts::enqueue_with(Options::new().timeout(timeout), test.clone()));
        let start = Instant::now();
        let report = home.drain(home.worker()).await;
        assert!(start.elapsed() >= timeout * 2);
        assert_eq!((ran(&test), report.retried, report.dead), (vec![1, 2, 1, 2], 1, 1));
        assert_eq!(home.rows().await[0].error.as_deref(), Some("it took longer than its 60ms"));
        // A plain function can't be ended.
        let scope = airlock::scope().executor(home.outbox.clone()).enter();
        plain::enqueue_with(Options::new().timeout(timeout), test.clone(), 1).expect("there is a scope");
        let refused = scope.flush().expect_err("it is refused");
        assert_eq!(refused.undispatched().len(), 1);
        drop(refused.into_intents());
    }

    async fn the_policy_of_a_worker_judges_what_tasks_leave(home) {
        let (odd, none, broken) = (unique(), unique(), unique());
        home.enqueue(|| leaves::enqueue(odd.clone(), 4, true));
        let report = home.drain(home.worker().policy(policy_fn(|intent| number(intent) != Some(2)))).await;
        assert_eq!(report.done, 4);
        let mut numbers = ran(&odd);
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 3]);
        // It is asked at the call as well; a task that fails with what it says has failed.
        home.enqueue(|| leaves::enqueue(none.clone(), 4, true));
        let report = home.drain(home.worker().policy(AssertNoEffects)).await;
        assert_eq!((report.dead, ran(&none)), (1, vec![]));
        // One that panics lets nothing through, and costs the run.
        home.enqueue(|| leaves::enqueue(broken.clone(), 4, true));
        let report = home.drain(home.worker().policy(policy_fn(|_| panic!("it broke")))).await;
        assert_eq!((report.dead, ran(&broken)), (1, vec![]));
        let error = home.rows().await.last().and_then(|row| row.error.clone()).unwrap_or_default();
        assert!(error.starts_with("what it left can't be stored: "), "{error}");
    }

    async fn an_error_handler_hears_of_each_failed_run_once_it_is_recorded(home) {
        let (well, over, broken) = (unique(), unique(), unique());
        home.enqueue(|| {
            fails::enqueue_with(Options::new().queue("mail"), well.clone(), 1)?;
            is_over::enqueue(over.clone())?;
            panics::enqueue(broken.clone())
        });
        let heard: Arc<Mutex<Vec<(RunFailure, String)>>> = Arc::default();
        let (noted, url) = (Arc::clone(&heard), home.url.clone());
        let worker = home.worker().backoff(Backoff::exponential(Duration::from_millis(1), Duration::from_millis(5)));
        let worker = worker.on_error(move |failure| {
            let id = failure.id.expect("it has one");
            let attempts = format!("SELECT attempts FROM airlock_outbox WHERE id = '{id}'");
            let recorded = std::thread::scope(|threads| {
                threads.spawn(|| Database::at(&url).column(&attempts).remove(0)).join()
            });
            noted.lock().expect("no panic").push((failure, recorded.expect("it answers")));
            // It costs nothing but itself.
            panic!("a handler that is broken");
        });
        home.drain(worker).await;
        let mut heard = std::mem::take(&mut *heard.lock().expect("no panic"));
        heard.sort_by_key(|(failure, _)| (failure.task.clone(), failure.attempt));
        let told: Vec<_> = heard.iter().map(|(failure, recorded)| {
            let again = failure.again_in.is_some();
            (failure.task.as_str(), failure.queue.as_str(), failure.attempt, recorded.as_str(), failure.error.to_string(), again)
        }).collect();
        assert_eq!(told, [
            ("fails", "mail", 1, "1", "the task failed".to_owned(), true),
            ("is_over", "default", 1, "1", "the task failed".to_owned(), false),
            ("panics", "default", 1, "1", "the task failed".to_owned(), true),
            ("panics", "default", 2, "2", "the task failed".to_owned(), false),
        ]);
        assert_eq!(home.states().await, [(OutboxState::Done, 1), (OutboxState::Dead, 2)]);
    }
}

#[test]
fn a_worker_deletes_what_ended_long_ago_and_no_dead_row() {
    let (home, test) = (Home::sqlite(), unique());
    home.enqueue(|| (0..4).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
    let (long_ago, soon) = (home.an_hour_ago(), "CAST(unixepoch('subsec') * 1000 AS INTEGER)");
    home.run(&format!(
        "UPDATE airlock_outbox SET state = 'done', ended = {long_ago} WHERE seq = 1;
         UPDATE airlock_outbox SET state = 'dead', ended = {long_ago} WHERE seq = 2;
         UPDATE airlock_outbox SET state = 'cancelled', ended = {long_ago} WHERE seq = 3;
         UPDATE airlock_outbox SET state = 'done', ended = {soon} WHERE seq = 4"
    ));
    block_on(async {
        // Each begins at some moment of its first half minute; of so many, one soon does.
        let workers = (0..24).map(|_| {
            let worker = home.worker().poll(Duration::from_secs(600)).lease(Duration::from_secs(600));
            tokio::spawn(worker.keep_done(Duration::from_secs(1800)).run_until(std::future::pending()))
        });
        let workers: Vec<_> = workers.collect();
        home.until("old rows are gone", async || home.rows().await.len() == 2).await;
        workers.iter().for_each(tokio::task::JoinHandle::abort);
        assert_eq!(home.states().await, [(OutboxState::Done, 1), (OutboxState::Dead, 1)]);
    });
}
