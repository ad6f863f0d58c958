//! Tasks that tell what they did, apart for each test.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use airlock_tests::patience::Gate;

use airlock::{EnqueueError, Permanent, RetryAfter, Run};

static RAN: Mutex<BTreeMap<String, Vec<u64>>> = Mutex::new(BTreeMap::new());

/// What has run under this name, in order.
pub(crate) fn ran(test: &str) -> Vec<u64> {
    RAN.lock().unwrap_or_else(PoisonError::into_inner).get(test).cloned().unwrap_or_default()
}

pub(crate) fn note_run(test: String, number: u64) {
    RAN.lock().unwrap_or_else(PoisonError::into_inner).entry(test).or_default().push(number);
}

/// A name for a test that no other has.
pub(crate) fn unique() -> String {
    airlock::registry()
        .intent("plain", serde_json::from_str("[\"\",0]").expect("JSON"))
        .expect("it fits")
        .id()
        .to_string()
}

pub(crate) type TaskResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[airlock::task]
pub(crate) fn plain(test: String, number: u64) {
    note_run(test, number);
}

#[airlock::task]
pub(crate) async fn asynchronous(test: String, number: u64) {
    tokio::task::yield_now().await;
    note_run(test, number);
}

/// Fails so many times.
#[airlock::task]
pub(crate) fn fails(test: String, times: u32) -> TaskResult {
    let attempt = Run::current().ok_or("it is in no run")?.attempt();
    note_run(test, attempt.into());
    if attempt <= times { Err(format!("attempt {attempt} of {times} failed").into()) } else { Ok(()) }
}

#[airlock::task]
pub(crate) fn is_over(test: String) -> TaskResult {
    note_run(test, 1);
    Err(Permanent::new("there is no such order").into())
}

#[airlock::task]
pub(crate) async fn later(test: String, millis: u64) -> Result<(), RetryAfter> {
    let attempt = Run::current().map_or(0, |run| run.attempt());
    note_run(test, attempt.into());
    if attempt > 1 { Ok(()) } else { Err(RetryAfter::new(Duration::from_millis(millis), "too early")) }
}

#[airlock::task(max_retries = 1)]
pub(crate) fn panics(test: String) {
    note_run(test, 1);
    panic!("it broke");
}

/// Leaves so many notes, and then ends as it is to.
#[airlock::task(max_retries = 0)]
pub(crate) async fn leaves(test: String, notes: u64, ends_well: bool) -> TaskResult {
    for number in 0..notes {
        plain::enqueue(test.clone(), number)?;
    }
    tokio::task::yield_now().await;
    if ends_well { Ok(()) } else { Err("it failed after all".into()) }
}

/// As `leaves`, not async.
#[airlock::task(max_retries = 0)]
pub(crate) fn leaves_plainly(test: String, notes: u64, ends_well: bool) -> TaskResult {
    let left: Result<Vec<_>, EnqueueError> = (0..notes).map(|number| plain::enqueue(test.clone(), number)).collect();
    left?;
    if ends_well { Ok(()) } else { Err("it failed after all".into()) }
}

/// What the runs of a test wait at, one after the other; those that are left have the last one.
pub(crate) static GATES: Mutex<BTreeMap<String, VecDeque<Gate>>> = Mutex::new(BTreeMap::new());

/// A gate for the next runs of a test.
pub(crate) fn gate(test: &str) -> Gate {
    let gate = Gate::new();
    GATES.lock().expect("gates").entry(test.to_owned()).or_default().push_back(gate.clone());
    gate
}

/// Waits until so many tasks wait there.
pub(crate) async fn waited_at(gate: &Gate, count: usize) {
    let gate = gate.clone();
    tokio::task::spawn_blocking(move || gate.await_waiting(count)).await.expect("they come");
}

/// Waits at the gate of its test, and leaves as many notes as a header says.
#[airlock::task]
pub(crate) fn gated(test: String, number: u64) -> TaskResult {
    let gate = {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        gates
            .get_mut(&test)
            .and_then(|of_runs| if of_runs.len() > 1 { of_runs.pop_front() } else { of_runs.front().cloned() })
    };
    let gate = gate.ok_or("there is no gate")?;
    gate.pass();
    note_run(test.clone(), number);
    let run = Run::current().ok_or("it is in no run")?;
    for (_, count) in run.headers().iter().filter(|(name, _)| name == "leaves") {
        for left in 0..count.parse()? {
            plain::enqueue(test.clone(), 100 + left)?;
        }
    }
    Ok(())
}

/// Leaves a task that only its own process can run, and that takes its time.
#[airlock::task]
pub(crate) fn leaves_local(test: String) -> TaskResult {
    note_run(test.clone(), 1);
    local_note::enqueue(test)?;
    Ok(())
}

#[airlock::task(local)]
async fn local_note(test: String) {
    tokio::time::sleep(Duration::from_millis(200)).await;
    note_run(test, 2);
}

/// Goes on for ever.
#[airlock::task]
pub(crate) async fn gated_async(test: String) {
    note_run(test, 1);
    std::future::pending::<()>().await;
}

/// Says that tasks of this process never end.
pub(crate) const STUCK: &str = "AIRLOCK_TESTS_STUCK";

#[airlock::task]
pub(crate) fn stuck(test: String, number: u64) {
    if std::env::var_os(STUCK).is_some() {
        loop {
            std::thread::park();
        }
    }
    note_run(test, number);
}

/// Its body is elsewhere.
#[airlock::task(name = "shop.elsewhere")]
pub(crate) fn elsewhere(number: u64);
