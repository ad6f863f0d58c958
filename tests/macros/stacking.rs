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
