//! Promise 16: inline tasks run in an empty context, no scope and no local policy: a task that enqueues is `#[scoped]`
//! itself.

use std::cell::RefCell;

use airlock::{
    Batch, BoxFuture, DispatchError, DropAll, EnqueueError, Executor, InlineExecutor, Intent, IntentId, ReleaseNested,
    Scope, ScopeBuilder,
};
use airlock_tests::recorder::Recorder;

thread_local! {
    static SEEN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// What the tasks on this thread saw since the last look.
fn seen() -> Vec<&'static str> {
    SEEN.take()
}

fn see(what: &'static str) {
    SEEN.with_borrow_mut(|seen| seen.push(what));
}

fn look() {
    let scope = if Scope::current().is_some() { "a scope" } else { "no scope" };
    let attempt = match plain::enqueue() {
        Err(EnqueueError::NoScope { .. }) => scope,
        Err(_) => "another error",
        Ok(_) => "ENQUEUED",
    };
    see(attempt);
}

#[airlock::task(name = "p16.plain")]
fn plain() {
    see("plain ran");
}

#[airlock::task(name = "p16.looks")]
fn looks() {
    look();
}

#[airlock::task(name = "p16.looks_later")]
async fn looks_later() {
    look();
    tokio::task::yield_now().await;
    look();
}

#[airlock::task(name = "p16.looks_locally", local)]
fn looks_locally() {
    look();
}

#[airlock::task(name = "p16.enqueues")]
fn enqueues() -> airlock::Result<()> {
    plain::enqueue()?;
    Ok(())
}

#[airlock::task(name = "p16.scoped")]
#[airlock::scoped]
fn scoped() -> airlock::Result<()> {
    plain::enqueue()?;
    see("body ended");
    Ok(())
}

/// Flushes one intent from a scope that is in another one.
fn in_the_thick_of_it(scope: ScopeBuilder, enqueue: impl FnOnce() -> Result<IntentId, EnqueueError>) {
    let inner = || scope.run(|| enqueue().map(drop).unwrap()).unwrap();
    airlock::scope().lifecycle(ReleaseNested).run(inner).unwrap();
}

#[test]
fn a_plain_task_sees_neither_scope_nor_policy() {
    in_the_thick_of_it(airlock::scope(), looks::enqueue);
    assert_eq!(seen(), ["no scope"]);
    in_the_thick_of_it(airlock::scope().executor(InlineExecutor::new().checked()), looks::enqueue);
    assert_eq!(seen(), ["no scope"]);
}

#[tokio::test]
async fn an_async_task_sees_neither_in_any_of_its_polls() {
    let inner = async {
        looks_later::enqueue().unwrap();
        looks::enqueue().unwrap();
    };
    let outer = async {
        airlock::scope().run_async(inner).await.unwrap();
        assert!(Scope::current().is_some(), "the flush has put the context back");
    };
    airlock::scope().lifecycle(ReleaseNested).run_async(outer).await.unwrap();
    assert_eq!(seen(), ["no scope", "no scope", "no scope"]);
}

#[test]
fn a_local_task_beside_another_executor_sees_neither() {
    let recorder = Recorder::new();
    in_the_thick_of_it(airlock::scope().executor(recorder.clone()), looks_locally::enqueue);
    assert_eq!(seen(), ["no scope"]);
    assert!(recorder.calls().is_empty());
}

#[test]
fn a_policy_around_the_flush_does_not_reach_what_a_task_does_in_a_scope_of_its_own() {
    let guard = airlock::scope().enter();
    scoped::enqueue().unwrap();
    // In force while the guard flushes, and no business of the task's.
    let dropping = airlock::policy(DropAll).enter();
    guard.flush().unwrap();
    drop(dropping);
    assert_eq!(seen(), ["body ended", "plain ran"]);
}

#[test]
fn a_scope_that_a_task_opens_is_not_nested_in_the_one_that_flushes() {
    // A surrounding scope would capture it, and it would run only after that one's end, or never.
    let outer = airlock::scope().enter();
    let released = airlock::scope().enter();
    scoped::intent().call().unwrap();
    assert_eq!(seen(), ["body ended", "plain ran"]);
    assert_eq!(released.discard().counts().enqueued, 0);
    assert_eq!(outer.discard().counts().enqueued, 0);
}

#[test]
fn a_task_that_enqueues_without_a_scope_fails_and_the_error_says_what_to_do() {
    let ended = airlock::scope().run_reported(|| {
        enqueues::enqueue().unwrap();
        plain::enqueue().unwrap();
    });
    let error = ended.flush.unwrap_err();
    let failed = error.failed()[0].to_string();
    assert!(failed.starts_with("p16.enqueues ("), "{failed}");
    assert!(
        failed.contains("the task failed: task `p16.plain` can't be enqueued at tests/core/promise_16"),
        "{failed}"
    );
    assert!(failed.ends_with("or mark it `#[airlock::scoped]`"), "{failed}");
    assert_eq!(seen(), ["plain ran"], "the one enqueued by the scope; the other never ran at once instead");
}

#[test]
fn an_intent_called_by_hand_in_a_scope_runs_in_an_empty_context_and_leaves_the_scope_as_it_was() {
    let guard = airlock::scope().name("kept").executor(Recorder::new()).enter();
    looks::intent().call().unwrap();
    futures::executor::block_on(looks_later::intent().call_async()).unwrap();
    airlock::registry().invoke("p16.looks", airlock::Arguments::new()).unwrap();
    assert_eq!(seen(), ["no scope"; 4]);
    assert_eq!(Scope::current().unwrap().info().name(), Some("kept"));
    plain::enqueue().unwrap();
    assert_eq!(guard.flush().unwrap().counts().enqueued, 1);
}

#[test]
fn a_task_that_panics_leaves_the_context_as_it_was() {
    #[airlock::task(name = "p16.panics")]
    fn panics() {
        panic!("in the task")
    }

    let guard = airlock::scope().name("kept").executor(Recorder::new()).enter();
    assert!(panics::intent().call().is_err());
    assert_eq!(Scope::current().unwrap().info().name(), Some("kept"));
    guard.discard();
}

#[test]
fn a_task_that_forgets_its_guard_leaves_its_scope_to_nobody() {
    #[airlock::task(name = "p16.forgets")]
    fn forgets() {
        std::mem::forget(airlock::scope().enter());
    }

    airlock::scope()
        .run(|| -> airlock::Result<()> {
            forgets::enqueue()?;
            looks::enqueue()?;
            Ok(())
        })
        .unwrap();
    assert!(Scope::current().is_none(), "nor to the code after the flush");
    assert_eq!(seen(), ["no scope"], "nor to the task after it");
}

#[test]
fn executors_of_ones_own_run_in_an_empty_context_too() {
    struct Looks(Recorder);

    impl Executor for Looks {
        fn name(&self) -> &str {
            "looks"
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            look();
            Box::pin(async move {
                look();
                self.0.dispatch(batch).await;
            })
        }
    }

    in_the_thick_of_it(airlock::scope().executor(Looks(Recorder::new())), plain::enqueue);
    assert_eq!(seen(), ["no scope", "no scope"]);
    let closure = |intent: Intent| -> Result<(), DispatchError> {
        look();
        intent.call()
    };
    in_the_thick_of_it(airlock::scope().executor(closure), plain::enqueue);
    assert_eq!(seen(), ["no scope", "plain ran"]);
}
