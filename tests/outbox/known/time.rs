//! Time that passes, jumps, or is not had.

use std::time::{Duration, Instant, SystemTime};

use airlock::{Options, OutboxState};
use airlock_tests::servers::Database;
use tokio::sync::oneshot;

use crate::home::{Home, on_both};
use crate::tasks::{GATES, gated, note_run, plain, ran, unique};
use crate::tasks::{gate, waited_at};

/// Never yields until its gate is open.
#[airlock::task(name = "known.starves_its_runtime")]
async fn starves_its_runtime(test: String) {
    let gate = GATES.lock().ok().and_then(|gates| gates.get(&test)?.front().cloned());
    note_run(test, 1);
    if let Some(gate) = gate {
        gate.pass();
    }
}

/// All times in the table, so many hours later: what a clock that jumps the other way makes of them. It stands in for the
/// machine's own clock, which a test can't set.
fn moved(home: &Home, hours: i64) -> String {
    let column = |name: &str| match home.url.starts_with("sqlite") {
        true => format!("{name} = {name} + {}", hours * 3_600_000),
        false => format!("{name} = {name} + interval '{hours} hours'"),
    };
    let columns = ["due", "expires", "leased_until", "enqueued", "started", "ended"].map(column);
    format!("UPDATE airlock_outbox SET {}", columns.join(", "))
}

on_both! {
    async fn promise_25_a_runtime_that_starves_keeps_its_leases(home) {
        let test = unique();
        let gate = gate(&test);
        home.enqueue(|| starves_its_runtime::enqueue(test.clone()));
        let lease = Duration::from_millis(500);
        let starved = home.worker().lease(lease);
        let (stop, stopped) = oneshot::channel::<()>();
        // With one thread, which its task has.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(starved.run_until(async { drop(stopped.await) })).expect("it starts")
        });
        waited_at(&gate, 1).await;
        let start = Instant::now();
        let story = async {
            home.until("two leases have passed", async || start.elapsed() > lease * 5 / 2).await;
            gate.open();
            home.all_have_ended().await;
        };
        let other = home.run_while(home.worker(), story).await;
        drop(stop);
        let report = tokio::task::spawn_blocking(move || thread.join()).await.expect("no panic").expect("no panic");
        assert_eq!((ran(&test), report.done, other.rescued), (vec![1], 1, 0));
        assert_eq!(home.rows().await[0].rescues, 0);
    }

    async fn a_delay_that_is_longer_than_any_lease_is_waited_for_without_one(home) {
        let test = unique();
        let delay = Duration::from_millis(700);
        home.enqueue(|| plain::enqueue_with(Options::new().delay(delay), test.clone(), 1));
        let worker = || home.worker().lease(Duration::from_millis(100));
        let story = home.drain(worker());
        home.run_while(worker(), async { let _ = story.await; }).await;
        assert!(home.rows().await[0].enqueued + delay <= SystemTime::now());
        assert_eq!(ran(&test), [1]);
        let row = home.rows().await.remove(0);
        assert_eq!((row.state, row.attempts, row.rescues), (OutboxState::Done, 1, 0));
        let lease = std::thread::scope(|threads| {
            threads.spawn(|| Database::at(&home.url).number("SELECT lease FROM airlock_outbox")).join()
        });
        assert_eq!(lease.expect("it answers"), 1, "it was claimed once");
    }

    async fn promise_25_a_clock_that_jumps_an_hour_either_way_loses_no_row_and_no_run(home) {
        let (test, later, lost) = (unique(), unique(), unique());
        let gate = gate(&test);
        home.enqueue(|| {
            gated::enqueue(test.clone(), 1)?;
            plain::enqueue_with(Options::new().delay(Duration::from_secs(1800)), later.clone(), 1)
        });
        let worker = home.worker().lease(Duration::from_millis(300));
        let story = async {
            waited_at(&gate, 1).await;
            // The clock is set an hour ahead: a lease has ended that its worker still renews, and the delay is over.
            home.run(&moved(&home, -1));
            home.until("the delay is over", async || ran(&later) == [1]).await;
            // It is set back: the lease of a lost worker ends an hour late, and that of one that lives is renewed.
            home.enqueue(|| plain::enqueue(lost.clone(), 1));
            home.until("it is done", async || home.rows().await[2].state == OutboxState::Done).await;
            let lost_now = "UPDATE airlock_outbox SET state = 'running', ended = NULL, lease = lease + 1, leased_until = due WHERE seq = 3";
            home.run(&format!("BEGIN; {lost_now}; {}; COMMIT", moved(&home, 1)));
            let start = Instant::now();
            home.until("leases were renewed a few times", async || start.elapsed() > Duration::from_millis(700)).await;
            let rows = home.rows().await;
            assert_eq!(rows.iter().map(|row| row.rescues).collect::<Vec<_>>(), [0, 0, 0]);
            home.run(&moved(&home, -1));
            home.until("it was rescued", async || ran(&lost) == [1, 1]).await;
            gate.open();
            home.all_have_ended().await;
        };
        let report = home.run_while(worker, story).await;
        assert_eq!((ran(&test), ran(&later), report.stale), (vec![1], vec![1], 0));
        let rows = home.rows().await;
        assert!(rows.iter().all(|row| row.state == OutboxState::Done), "{rows:?}");
        assert_eq!((rows[0].attempts, rows[0].rescues, rows[2].rescues), (1, 0, 1), "{rows:?}");
    }
}
