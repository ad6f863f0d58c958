//! Promise 9: policies cannot enqueue, nor can they open a scope to get round that. The same holds for everything else
//! that is asked for its judgement: lifecycles, and what an executor accepts.

use std::sync::{Arc, Mutex};

use airlock::{
    Batch, BoxFuture, EnqueueError, Executor, FlushContext, Intent, Lifecycle, Policy, Rejection, Scope, ScopeEnd,
    ScopeInfo, Violation, policy_fn,
};
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "p09.note")]
fn note(n: u32) {
    let _ = n;
}

#[airlock::task(name = "p09.smuggled")]
fn smuggled() {}

/// What an attempt to enqueue came to, and where it was made.
type Attempt = (&'static str, Option<EnqueueError>);

#[derive(Debug, Clone, Default)]
struct Attempts(Arc<Mutex<Vec<Attempt>>>);

impl Attempts {
    fn enqueue(&self, place: &'static str) {
        let attempt = smuggled::enqueue().err();
        self.0.lock().unwrap().push((place, attempt));
    }

    /// One line an attempt, so that a test sees at once which one got through.
    fn told(&self) -> Vec<String> {
        let attempts = self.0.lock().unwrap();
        let tell = |(place, error): &Attempt| match error {
            Some(EnqueueError::InPolicy { .. }) => format!("{place}: refused"),
            Some(other) => format!("{place}: {other}"),
            None => format!("{place}: ENQUEUED"),
        };
        attempts.iter().map(tell).collect()
    }
}

/// Tries to enqueue whenever it is asked.
struct Busybody(Attempts, &'static str, &'static str);

impl Policy for Busybody {
    fn on_enqueue(&self, _intent: &Intent) -> Result<(), Violation> {
        self.0.enqueue(self.1);
        Ok(())
    }

    fn allows(&self, _intent: &Intent) -> bool {
        self.0.enqueue(self.2);
        true
    }
}

#[test]
fn a_policy_that_enqueues_is_refused_at_the_call_and_in_the_flush_and_changes_nothing() {
    let (attempts, recorder) = (Attempts::default(), Recorder::new());
    let scopes = Busybody(attempts.clone(), "scope's on_enqueue", "scope's allows");
    let local = Busybody(attempts.clone(), "local on_enqueue", "local allows");
    let ended = airlock::scope().policy(scopes).executor(recorder.clone()).run_reported(|| {
        airlock::policy(local).run(|| note::enqueue(1)).unwrap();
    });
    let expected = [
        "local on_enqueue: refused",
        "scope's on_enqueue: refused",
        "local allows: refused",
        "scope's allows: refused",
    ];
    assert_eq!(attempts.told(), expected);
    assert_eq!(recorder.calls(), ["p09.note(n=1)"]);
    assert_eq!(ended.flush.unwrap().counts().enqueued, 1);
}

#[test]
fn the_error_says_so_and_hands_the_intent_back() {
    let attempts = Attempts::default();
    let asked = Busybody(attempts.clone(), "on_enqueue", "allows");
    airlock::scope().policy(asked).executor(Recorder::new()).run(|| note::enqueue(1).map(drop).unwrap()).unwrap();
    let (_, error) = attempts.0.lock().unwrap().remove(0);
    let error = error.expect("the attempt was refused");
    let text = error.to_string();
    assert!(text.starts_with("task `p09.smuggled` can't be enqueued at tests/core/promise_09"), "{text}");
    assert!(text.ends_with(": a policy is being asked; policies judge, they can't enqueue"), "{text}");

    // It is an ordinary intent, and goes out elsewhere.
    let recorder = Recorder::new();
    let intent = error.into_intent();
    let pushed =
        airlock::scope().executor(recorder.clone()).run_reported(|| Scope::current().unwrap().push(intent).map(drop));
    pushed.result.unwrap();
    assert_eq!(recorder.calls(), ["p09.smuggled()"]);
}

#[test]
fn a_policy_cant_open_a_scope_to_get_round_that() {
    let (attempts, recorder) = (Attempts::default(), Recorder::new());
    let (inside, sink) = (attempts.clone(), recorder.clone());
    let opens_scopes = policy_fn(move |_| {
        airlock::scope().executor(sink.clone()).run(|| inside.enqueue("closure scope")).unwrap();
        let guard = airlock::scope().executor(sink.clone()).enter();
        inside.enqueue("guard scope");
        guard.flush().unwrap();
        let body = async { inside.enqueue("async scope") };
        futures::executor::block_on(airlock::scope().executor(sink.clone()).run_async(body)).unwrap();
        true
    });
    airlock::scope()
        .policy(opens_scopes)
        .executor(recorder.clone())
        .run(|| note::enqueue(1).map(drop).unwrap())
        .unwrap();
    assert_eq!(attempts.told(), ["closure scope: refused", "guard scope: refused", "async scope: refused"]);
    assert_eq!(recorder.calls(), ["p09.note(n=1)"]);
}

#[test]
fn a_policy_cant_push_through_a_handle_and_the_intent_stays_fresh() {
    let recorder = Recorder::new();
    let other = airlock::scope().executor(recorder.clone()).enter();
    let (handle, intent) = (other.scope(), smuggled::intent());
    let refused = Arc::new(Mutex::new(None));
    let (pushed, slot) = (intent.clone(), Arc::clone(&refused));
    let pushes = policy_fn(move |_| {
        *slot.lock().unwrap() = handle.push(pushed.clone()).err();
        true
    });
    airlock::scope().policy(pushes).run(|| note::enqueue(1).map(drop).unwrap()).unwrap();
    // That scope lay in `other`, which captured the intent and asks the policy as it flushes.
    assert!(refused.lock().unwrap().is_none());
    let report = other.flush().unwrap();
    assert_eq!(report.counts().dispatched, 1);
    assert!(matches!(refused.lock().unwrap().take(), Some(EnqueueError::InPolicy { .. })));

    // A refused push has not used the intent up.
    airlock::scope()
        .executor(recorder.clone())
        .run(|| Scope::current().unwrap().push(intent).map(drop).unwrap())
        .unwrap();
    assert_eq!(recorder.calls(), ["p09.note(n=1)", "p09.smuggled()"]);
}

#[test]
fn asking_the_local_policies_by_hand_is_judging_too() {
    let attempts = Attempts::default();
    let local = Busybody(attempts.clone(), "on_enqueue", "allows");
    let guard = airlock::scope().executor(Recorder::new()).enter();
    airlock::policy(local).run(|| note::enqueue(1)).unwrap();
    assert!(guard.scope().intents()[0].passes_local_policies());
    assert_eq!(attempts.told(), ["on_enqueue: refused", "allows: refused"]);
    assert_eq!(guard.scope().intents().len(), 1);
    guard.discard();
}

#[test]
fn a_task_that_a_policy_calls_cant_enqueue_either() {
    #[airlock::task(name = "p09.scoped_task")]
    #[airlock::scoped]
    fn scoped_task() -> airlock::Result<()> {
        smuggled::enqueue()?;
        Ok(())
    }

    let recorder = Recorder::new();
    let failed = Arc::new(Mutex::new(String::new()));
    let said = Arc::clone(&failed);
    let calls = policy_fn(move |_| {
        *said.lock().unwrap() = scoped_task().unwrap_err().to_string();
        true
    });
    airlock::scope().policy(calls).executor(recorder.clone()).run(|| note::enqueue(1).map(drop).unwrap()).unwrap();
    assert!(failed.lock().unwrap().contains("policies judge, they can't enqueue"));
    assert_eq!(recorder.calls(), ["p09.note(n=1)"]);
}

struct BusyLifecycle(Attempts);

impl Lifecycle for BusyLifecycle {
    fn should_flush(&self, _end: &ScopeEnd<'_>) -> bool {
        self.0.enqueue("should_flush");
        true
    }

    fn releases(&self, _descendant: &ScopeInfo, _intent: &Intent) -> bool {
        self.0.enqueue("releases");
        false
    }
}

struct BusyExecutor(Attempts, Recorder);

impl Executor for BusyExecutor {
    fn name(&self) -> &str {
        "busy"
    }

    fn accepts(&self, _intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        self.0.enqueue("accepts");
        Ok(())
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        self.1.dispatch(batch)
    }
}

#[test]
fn lifecycles_and_accepting_executors_cant_enqueue_either() {
    let (attempts, recorder) = (Attempts::default(), Recorder::new());
    airlock::scope()
        .lifecycle(BusyLifecycle(attempts.clone()))
        .executor(BusyExecutor(attempts.clone(), recorder.clone()))
        .run(|| airlock::scope().run(|| note::enqueue(1).map(drop).unwrap()).unwrap())
        .unwrap();
    assert_eq!(attempts.told(), ["releases: refused", "should_flush: refused", "accepts: refused"]);
    assert_eq!(recorder.calls(), ["p09.note(n=1)"]);
}

#[test]
fn a_policy_that_panics_at_the_call_leaves_the_thread_able_to_enqueue() {
    struct Panics;

    impl Policy for Panics {
        fn on_enqueue(&self, _intent: &Intent) -> Result<(), Violation> {
            panic!("asked")
        }
    }

    let recorder = Recorder::new();
    let caught = std::panic::catch_unwind(|| {
        airlock::scope().policy(Panics).executor(Recorder::new()).run(|| note::enqueue(1).map(drop).unwrap())
    });
    assert!(caught.is_err());
    airlock::scope().executor(recorder.clone()).run(|| note::enqueue(2).map(drop).unwrap()).unwrap();
    assert_eq!(recorder.calls(), ["p09.note(n=2)"]);
}
