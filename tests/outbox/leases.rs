//! Who may record what: leases that are lost, rows that are called off, workers that are gone.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use airlock::testing::steps::{ClaimEnd, WorkerSteps};
use airlock::{Options, OutboxFilter, OutboxState};
use airlock_tests::servers::PostgresServer;

use crate::home::{DATABASE, Home, on_both};
use crate::tasks::{gate, gated, gated_async, leaves, plain, ran, unique, waited_at};

/// As another worker's death leaves it: running, under a lease that has ended.
pub(crate) fn strand(home: &Home, rows: &str, rescues: u32) {
    let ended = home.an_hour_ago();
    home.run(&format!(
        "UPDATE airlock_outbox SET state = 'running', lease = lease + 1, leased_until = {ended}, rescues = {rescues},
         due = enqueued WHERE {rows}"
    ));
}

/// Lets the lease of what runs end now, as a worker that was stopped for long finds it.
pub(crate) fn end_leases(home: &Home) {
    let ended = home.an_hour_ago();
    home.run(&format!("UPDATE airlock_outbox SET leased_until = {ended} WHERE state = 'running'"));
}

on_both! {
    async fn promise_23_a_row_whose_worker_died_runs_once_its_lease_has_ended(home) {
        let test = unique();
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        strand(&home, "1 = 1", 0);
        let report = home.drain(home.worker()).await;
        assert_eq!((ran(&test), report.rescued, report.done), (vec![1], 1, 1));
        let row = home.rows().await.remove(0);
        assert_eq!((row.state, row.attempts, row.rescues), (OutboxState::Done, 1, 1));
    }

    async fn promise_25_a_row_that_loses_too_many_workers_ends_dead(home) {
        let test = unique();
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        strand(&home, "1 = 1", 3);
        let report = home.drain(home.worker().max_rescues(3)).await;
        assert_eq!((ran(&test), report.dead), (vec![], 1));
        let row = home.rows().await.remove(0);
        assert_eq!(row.error.as_deref(), Some("too many workers were lost with it"));
    }

    #[ignore = "the test below runs it, in a process where no other worker is"]
    async fn a_row_that_was_rescued_twice(home) {
        let test = unique();
        let gate = gate(&test);
        home.enqueue(|| gated::enqueue(test.clone(), 1));
        let story = async {
            waited_at(&gate, 1).await;
            // Not due before it is as if it had been lost.
            let later = Options::new().delay(Duration::from_secs(3600));
            home.enqueue(|| plain::enqueue_with(later, test.clone(), 2));
            strand(&home, "task = 'plain'", 1);
            home.until("it is rescued", async || home.rows().await[1].rescues == 2).await;
            // While the other one runs, this one is not even claimed.
            assert_eq!(home.rows().await[1].state, OutboxState::Waiting);
            gate.open();
            home.all_have_ended().await;
        };
        home.run_while(home.worker(), story).await;
        assert_eq!(ran(&test), [1, 2]);
    }

    #[ignore = "the test below runs it, in a process where no other worker is"]
    async fn a_row_that_waits_to_run_alone(home) {
        let test = unique();
        let gate = gate(&test);
        home.enqueue(|| gated::enqueue(test.clone(), 1));
        let story = async {
            waited_at(&gate, 1).await;
            let later = Options::new().delay(Duration::from_secs(3600));
            home.enqueue(|| plain::enqueue_with(later, test.clone(), 2));
            strand(&home, "task = 'plain'", 1);
            home.until("it is rescued", async || home.rows().await[1].rescues == 2).await;
            // The first one goes on for ever: what comes now waits for a lease, and not for that.
            home.enqueue(|| plain::enqueue(test.clone(), 3));
            home.until("another one has run", async || ran(&test) == [3]).await;
            assert_eq!(home.rows().await[1].state, OutboxState::Waiting);
            gate.open();
            home.all_have_ended().await;
        };
        home.run_while(home.worker().lease(Duration::from_secs(1)), story).await;
        assert_eq!(ran(&test), [3, 1, 2]);
    }

    #[ignore = "the test below runs it, in a process where no other worker is"]
    async fn rows_that_were_rescued_twice(home) {
        let test = unique();
        home.enqueue(|| (0..10).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
        strand(&home, "1 = 1", 1);
        let start = Instant::now();
        home.drain(home.worker().lease(Duration::from_secs(600))).await;
        // One after the other, and not one in the time of a lease.
        assert_eq!(ran(&test), (0..10).collect::<Vec<_>>());
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    async fn promise_23_a_run_whose_lease_was_lost_records_nothing(home) {
        let test = unique();
        let (first, second) = (gate(&test), gate(&test));
        home.enqueue(|| gated::enqueue(test.clone(), 1));
        // One worker's lease ends while its task runs; another one has the row, and its end is the one that counts.
        let slow = home.worker().lease(Duration::from_secs(600)).concurrency(1).named("slow");
        let quick = home.worker().named("quick");
        let counters = slow.counters();
        let worker = async || home.rows().await.remove(0).worker.unwrap_or_default();
        let story = async {
            waited_at(&first, 1).await;
            assert_eq!(worker().await, "slow");
            end_leases(&home);
            let quick = home.run_while(quick, async {
                home.until("the second has it", async || worker().await == "quick").await;
                waited_at(&second, 1).await;
                // While this one runs, the first comes to its end.
                first.open();
                home.until("the first knows", async || counters.now().stale == 1).await;
                second.open();
                home.all_have_ended().await;
            });
            assert_eq!(quick.await.done, 1);
        };
        let report = home.run_while(slow, story).await;
        assert_eq!((report.done, report.stale), (0, 1));
        assert_eq!(ran(&test), [1, 1]);
        let row = home.rows().await.remove(0);
        assert_eq!((row.state, row.attempts, row.rescues), (OutboxState::Done, 1, 1));
        assert_eq!(worker().await, "quick");
    }

    async fn promise_23_an_end_that_came_too_late_is_none_among_others_either(home) {
        let test = unique();
        home.enqueue(|| plain::enqueue(test.clone(), 1).and_then(|_| plain::enqueue(test.clone(), 2)));
        let lease = Duration::from_secs(30);
        let mut steps = WorkerSteps::connect(&home.outbox, "plain", "default", lease).await.expect("a connection");
        let claimed = steps.claim(2).await.expect("rows").rows;
        let [first, second] = [0, 1].map(|at| claimed[at].0.id().to_owned());
        // Another worker has the first by now.
        home.run(&format!("UPDATE airlock_outbox SET lease = lease + 1 WHERE id = '{first}'"));
        let done = |(number, (key, _))| {
            let follow_ups = vec![leaves::intent(test.clone(), number, false)];
            ClaimEnd { key, state: OutboxState::Done, pause: None, counts: true, follow_ups }
        };
        let ended = steps.finish((0..).zip(claimed).map(done).collect()).await.expect("an answer");
        assert_eq!(ended, vec![second]);
        let states: Vec<_> = home.rows().await.into_iter().map(|row| row.state).collect();
        assert_eq!(states, [OutboxState::Running, OutboxState::Done, OutboxState::Waiting], "with what the second left");
    }

    async fn promise_24_what_a_stale_run_left_is_not_written(home) {
        let test = unique();
        let gate = gate(&test);
        home.enqueue(|| gated::enqueue_with(Options::new().header("leaves", "2"), test.clone(), 1));
        let worker = home.worker();
        let counters = worker.counters();
        let story = async {
            waited_at(&gate, 1).await;
            let id = home.rows().await[0].id;
            assert!(home.outbox.cancel(id).await.expect("an answer"));
            gate.open();
            home.until("it is told", async || counters.now().stale == 1).await;
        };
        assert_eq!(home.run_while(worker, story).await.done, 0);
        assert_eq!((ran(&test), home.states().await), (vec![1], vec![(OutboxState::Cancelled, 1)]));
    }

    async fn cancelling_stops_an_async_run_and_keeps_one_that_waits_from_running(home) {
        let (running, waiting) = (unique(), unique());
        home.enqueue(|| {
            gated_async::enqueue(running.clone())?;
            plain::enqueue_with(Options::new().delay(Duration::from_secs(3600)), waiting.clone(), 1)
        });
        let worker = home.worker().lease(Duration::from_millis(1500));
        let counters = worker.counters();
        let story = async {
            home.until("it runs", async || ran(&running) == [1]).await;
            for row in home.rows().await {
                assert!(home.outbox.cancel(row.id).await.expect("an answer"));
                assert!(!home.outbox.cancel(row.id).await.expect("an answer"));
            }
            home.until("it is stopped", async || counters.now().stale > 0).await;
        };
        home.run_while(worker, story).await;
        assert_eq!((ran(&running), ran(&waiting)), (vec![1], vec![]));
        assert_eq!(home.states().await, [(OutboxState::Cancelled, 2)]);
    }

    async fn promise_23_a_run_that_takes_longer_than_its_lease_runs_once(home) {
        let test = unique();
        let gate = gate(&test);
        home.enqueue(|| gated::enqueue(test.clone(), 1));
        let (first, second) = (home.worker().lease(Duration::from_millis(1000)), home.worker());
        let story = async {
            home.until("two leases have passed", async || {
                home.rows().await[0].enqueued + Duration::from_millis(2200) < SystemTime::now()
            })
            .await;
            gate.open();
            home.all_have_ended().await;
        };
        let first = home.run_while(first, async {
            waited_at(&gate, 1).await;
            home.run_while(second, story).await;
        });
        first.await;
        assert_eq!((ran(&test), home.rows().await[0].rescues), (vec![1], 0));
    }

    async fn on_the_signal_what_runs_is_finished_and_what_waits_is_handed_back(home) {
        let test = unique();
        let gate = gate(&test);
        home.enqueue(|| (0..20).try_for_each(|number| gated::enqueue(test.clone(), number).map(drop)));
        let (waiter, opened) = (gate.clone(), gate.clone());
        let signal = async move {
            waited_at(&waiter, 2).await;
            // They go on at the same time, or after it.
            std::thread::spawn(move || opened.open());
        };
        let report = home.run_while(home.worker().concurrency(2), signal).await;
        assert_eq!(report.done as usize, ran(&test).len());
        assert!(report.done >= 2, "{report}");
        let waiting = home.outbox.find(OutboxFilter::new().state(OutboxState::Waiting)).await.expect("rows");
        assert_eq!(waiting.len(), 20 - report.done as usize);
        assert!(waiting.iter().all(|row| (row.attempts, row.rescues) == (0, 0)));
    }

    async fn an_async_run_that_outlives_the_shutdown_is_handed_back_without_an_attempt(home) {
        let test = unique();
        home.enqueue(|| gated_async::enqueue(test.clone()));
        let worker = home.worker().shutdown_timeout(Duration::from_millis(50));
        let report = home.run_while(worker, home.until("it runs", async || ran(&test) == [1])).await;
        assert_eq!((report.released, report.done), (1, 0));
        let row = home.rows().await.remove(0);
        assert_eq!((row.state, row.attempts, row.rescues), (OutboxState::Waiting, 0, 0));
    }

    async fn dead_rows_run_again_by_hand_and_old_ones_are_deleted(home) {
        let test = unique();
        home.enqueue(|| {
            leaves::enqueue(test.clone(), 0, false)?;
            plain::enqueue(test.clone(), 1)
        });
        home.drain(home.worker()).await;
        let rows = home.rows().await;
        assert_eq!(home.states().await, [(OutboxState::Done, 1), (OutboxState::Dead, 1)]);
        assert!(!home.outbox.retry(rows[1].id).await.expect("an answer"));
        assert!(home.outbox.retry(rows[0].id).await.expect("an answer"));
        let report = home.drain(home.worker()).await;
        assert_eq!(report.dead, 1);
        assert_eq!(home.outbox.prune(Duration::from_secs(60)).await.expect("an answer"), 0);
        assert_eq!(home.outbox.prune(Duration::ZERO).await.expect("an answer"), 2);
        assert_eq!(home.rows().await.len(), 0);
    }
}

#[test]
fn promise_25_a_row_that_was_rescued_twice_runs_alone_in_its_process() {
    let tests = ["a_row_that_was_rescued_twice", "a_row_that_waits_to_run_alone", "rows_that_were_rescued_twice"];
    let server = PostgresServer::shared();
    for (database, test) in ["sqlite", "postgres"].into_iter().flat_map(|database| tests.map(|test| (database, test))) {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", &format!("leases::{database}::{test}"), "--ignored"]);
        if database == "postgres" {
            command.env(DATABASE, PostgresServer::trusted(&server.database("template1")));
        }
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}
