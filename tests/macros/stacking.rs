//! `#[task]` and `#[scoped]` on one function, in both orders, sync and async.

use std::sync::Mutex;

/// What ran, in order. One test uses it.
static RAN: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn ran(what: &'static str) {
    RAN.lock().expect("no test panics while it holds the lock").push(what);
}

#[airlock::task(name = "stacking.leaf")]
fn leaf() {
    ran("leaf");
}

#[airlock::task(name = "stacking.task_above")]
#[airlock::scoped]
fn task_above(mut count: u64) -> airlock::Result<()> {
    count += 1;
    leaf::enqueue()?;
    ran(if count == 2 { "task above" } else { "wrong argument" });
    Ok(())
}

#[airlock::scoped(name = "below")]
#[airlock::task(name = "stacking.task_below")]
fn task_below(#[redact] count: u64) -> airlock::Result<()> {
    leaf::enqueue()?;
    ran(if count == 1 { "task below" } else { "wrong argument" });
    Ok(())
}

#[airlock::task(name = "stacking.async_task_above")]
#[airlock::scoped]
async fn async_task_above(count: u64) -> airlock::Result<()> {
    leaf::enqueue()?;
    ran(if count == 1 { "async task above" } else { "wrong argument" });
    Ok(())
}

#[airlock::scoped]
#[airlock::task(name = "stacking.async_task_below")]
async fn async_task_below(count: u64) -> airlock::Result<()> {
    leaf::enqueue()?;
    ran(if count == 1 { "async task below" } else { "wrong argument" });
    Ok(())
}

#[test]
fn tasks_and_scopes_stack_in_both_orders() -> airlock::Result<()> {
    futures::executor::block_on(airlock::scope().run_async(async {
        task_above::enqueue(1)?;
        task_below::enqueue(1)?;
        async_task_above::enqueue(1)?;
        async_task_below::enqueue(1)?;
        Ok::<(), airlock::Error>(())
    }))?;
    // Each opens a scope of its own, which ends before the next task starts.
    let expected = ["task above", "leaf", "task below", "leaf", "async task above", "leaf", "async task below", "leaf"];
    assert_eq!(*RAN.lock().expect("no test panics while it holds the lock"), expected);
    Ok(())
}

/// What the stacked tasks below count on.
#[derive(Default)]
struct Count(std::sync::atomic::AtomicU64);

impl Count {
    fn add(&self, by: u64) -> u64 {
        self.0.fetch_add(by, std::sync::atomic::Ordering::SeqCst) + by
    }
}

#[airlock::task(name = "stacking.counts", enqueue_only)]
fn counts(#[state] count: &Count, by: u64) {
    count.add(by);
}

#[airlock::task(name = "stacking.only", enqueue_only)]
#[airlock::scoped]
fn only(#[state] count: &Count, mut by: u64) -> airlock::Result<()> {
    by += count.add(1) - 1;
    counts::enqueue(by)?;
    Ok(())
}

#[airlock::scoped]
#[airlock::task(name = "stacking.shim", shim)]
async fn shim(by: u64, #[state] count: &Count) -> airlock::Result<()> {
    count.add(1);
    counts::enqueue(by)?;
    Ok(())
}

#[test]
fn scoped_tasks_may_be_enqueue_only_or_shims_and_have_state() {
    // The scope that a task opens is not nested in the one that flushes it, so what it enqueues finds the process's
    // state, and not that scope's.
    airlock::provide(Count::default());
    let count = std::sync::Arc::new(Count::default());
    let ended =
        airlock::scope().state_arc(count.clone()).run(|| only::enqueue(10).map(drop).map_err(airlock::Error::from));
    ended.unwrap();
    assert_eq!(count.add(0), 1);

    #[allow(deprecated, reason = "that it warns is shown in `ui`")]
    let called = futures::executor::block_on(shim(5, &count));
    called.unwrap();
    assert_eq!(count.add(0), 2, "called outside a scope, it ran");
}
