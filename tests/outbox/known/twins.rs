//! Two workers with claims of the same rows, whose runs end at once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use airlock::{OutboxState, WorkerReport};
use airlock_tests::patience::Gate;

use crate::home::{Home, on_both};
use crate::leases::end_leases;
use crate::tasks::{GATES, TaskResult, plain, ran, unique};
use crate::tasks::{gate, waited_at};

/// How many rows they have.
const ROWS: usize = 8;

/// How the runs of a test end, one after the other.
static ENDS: Mutex<BTreeMap<String, VecDeque<bool>>> = Mutex::new(BTreeMap::new());

/// Leaves a note, waits at the gate of its test, and ends as its turn says.
#[airlock::task(name = "known.twin", max_retries = 0)]
fn twin(test: String) -> TaskResult {
    let ends_well = ENDS.lock().map_err(|_| "a test failed")?.get_mut(&test).and_then(VecDeque::pop_front);
    let gate: Option<Gate> =
        GATES.lock().map_err(|_| "a test failed")?.get(&test).and_then(|gates| gates.front().cloned());
    plain::enqueue(test, 1)?;
    gate.ok_or("there is no gate")?.pass();
    if ends_well == Some(true) { Ok(()) } else { Err("it was to fail".into()) }
}

/// One worker has the rows until their leases end, then another one of the same name; the runs of both end at once. What
/// both report, the one that lost its leases first.
async fn both_end(home: &Home, test: &str, ends_well: [bool; 2]) -> [WorkerReport; 2] {
    let ends = ends_well.into_iter().flat_map(|ends_well| [ends_well; ROWS]).collect();
    ENDS.lock().expect("ends").insert(test.to_owned(), ends);
    let gate = gate(test);
    home.enqueue(|| (0..ROWS).try_for_each(|_| twin::enqueue(test.to_owned()).map(drop)));
    let worker = || home.worker().named("twin").concurrency(ROWS).lease(Duration::from_secs(600));
    let (first, second) = (worker(), worker());
    let counters = first.counters();
    let mut reports = [WorkerReport::default(); 2];
    reports[0] = home
        .run_while(first, async {
            waited_at(&gate, ROWS).await;
            end_leases(home);
            let story = async {
                waited_at(&gate, 2 * ROWS).await;
                gate.open();
                home.until("the first has told", async || counters.now().stale as usize == ROWS).await;
                home.all_have_ended().await;
            };
            reports[1] = home.run_while(second, story).await;
        })
        .await;
    reports
}

on_both! {
    async fn promise_23_two_workers_of_one_name_record_what_their_own_claims_say(home) {
        let test = unique();
        let [first, second] = both_end(&home, &test, [true, true]).await;
        assert_eq!((first.stale as usize, first.done + second.done), (ROWS, 2 * ROWS as u64));
        // What each of the rows left, once.
        assert_eq!((ran(&test).len(), home.states().await), (ROWS, vec![(OutboxState::Done, 2 * ROWS)]));
        assert!(home.rows().await.iter().all(|row| row.attempts == 1 && row.worker.as_deref() == Some("twin")));
    }

    async fn promise_23_of_a_stale_failure_and_an_end_at_once_the_end_counts(home) {
        let test = unique();
        let [first, second] = both_end(&home, &test, [false, true]).await;
        assert_eq!((first.stale as usize, first.dead, second.dead), (ROWS, 0, 0));
        assert_eq!((ran(&test).len(), home.states().await), (ROWS, vec![(OutboxState::Done, 2 * ROWS)]));
    }

    async fn promise_23_of_a_stale_end_and_a_failure_at_once_the_failure_counts(home) {
        let test = unique();
        let [first, second] = both_end(&home, &test, [true, false]).await;
        assert_eq!((first.stale as usize, second.dead as usize), (ROWS, ROWS));
        assert_eq!((ran(&test).len(), home.states().await), (0, vec![(OutboxState::Dead, ROWS)]));
    }
}
