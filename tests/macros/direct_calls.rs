//! `enqueue_only` and `shim`: what a direct call of a task means. That a call of an `enqueue_only` task doesn't compile,
//! and that one of a `shim` warns, is shown in `ui`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use airlock::{AssertNoEffects, EnqueueError, FlushError, Task};
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "direct.only", enqueue_only, queue = "mail")]
#[must_use = "for the test"]
/// Documentation goes with the name.
fn only(order_id: u64, note: String) -> Result<(), String> {
    if order_id == 0 { Err(note) } else { Ok(()) }
}

#[test]
fn an_enqueue_only_task_is_a_task_like_any_other() {
    let ended = airlock::scope().run_reported(|| -> airlock::Result<()> {
        only::enqueue(1, "fine".to_owned())?;
        only::enqueue(0, "no order".to_owned())?;
        Ok(())
    });
    let error: FlushError = ended.flush.unwrap_err();
    assert!(error.failed()[0].to_string().ends_with("the task failed: no order"), "{error}");
    assert_eq!(error.report().counts().dispatched, 1);
    assert_eq!(only::definition().options.get_queue(), Some("mail"));
}

#[test]
fn a_declared_task_has_its_name_in_both_namespaces_and_only_one_to_call() {
    mod fleet {
        #[airlock::task(name = "direct.notify")]
        pub(super) fn notify(order_id: u64);
    }
    use fleet::notify;

    let recorder = Recorder::new();
    airlock::scope().executor(recorder.clone()).run(|| notify::enqueue(42).map(drop).unwrap()).unwrap();
    assert_eq!(recorder.calls(), ["direct.notify(order_id=42)"]);
}

/// What ran, in order, in one test.
#[derive(Default)]
struct Ran(Mutex<Vec<String>>);

impl Ran {
    fn add(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Code that was there before its functions were tasks.
#[allow(deprecated, reason = "that a direct call warns is shown in `ui`")]
mod legacy {
    use super::{EnqueueError, Ran};

    #[airlock::task(name = "direct.send", shim)]
    pub(super) fn send(mut order_id: u64, #[state] ran: &Ran) {
        order_id *= 10;
        ran.add(format!("send {order_id}"));
    }

    #[derive(Debug)]
    pub(super) enum ChargeError {
        Declined,
        Enqueue(EnqueueError),
    }

    impl std::fmt::Display for ChargeError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match self {
                Self::Declined => f.write_str("declined"),
                Self::Enqueue(error) => error.fmt(f),
            }
        }
    }

    impl std::error::Error for ChargeError {}

    impl From<EnqueueError> for ChargeError {
        fn from(error: EnqueueError) -> Self {
            Self::Enqueue(error)
        }
    }

    #[airlock::task(name = "direct.charge", shim)]
    pub(super) async fn charge(#[state] ran: &Ran, cents: u64) -> Result<(), ChargeError> {
        std::future::ready(()).await;
        if cents == 0 {
            return Err(ChargeError::Declined);
        }
        ran.add(format!("charge {cents}"));
        Ok(())
    }

    pub(super) fn checkout(ran: &Ran) {
        send(1, ran);
        ran.add("checked out".to_owned());
    }

    pub(super) async fn pay(ran: &Ran, cents: u64) -> Result<(), ChargeError> {
        charge(ran, cents).await
    }
}

#[test]
fn a_shim_called_outside_a_scope_runs_as_before() {
    let ran = Ran::default();
    legacy::checkout(&ran);
    assert_eq!(ran.take(), ["send 10", "checked out"]);
    futures::executor::block_on(legacy::pay(&ran, 5)).unwrap();
    assert_eq!(ran.take(), ["charge 5"]);
    assert!(matches!(futures::executor::block_on(legacy::pay(&ran, 0)), Err(legacy::ChargeError::Declined)));
}

#[test]
fn a_shim_called_in_a_scope_enqueues_and_runs_at_its_end_with_the_state_of_the_process() {
    let (ran, flushed) = (Ran::default(), std::sync::Arc::new(Ran::default()));
    let scope = || airlock::scope().state_arc(flushed.clone());
    scope().run(|| legacy::checkout(&ran)).unwrap();
    assert_eq!(ran.take(), ["checked out"], "the state of the direct call is not the one that the task gets");
    assert_eq!(flushed.take(), ["send 10"]);

    let paid = async {
        legacy::pay(&ran, 5).await.unwrap();
        legacy::pay(&ran, 0).await.unwrap();
    };
    let ended = futures::executor::block_on(scope().run_reported_async(paid));
    assert_eq!(flushed.take(), ["charge 5"]);
    assert!(ended.flush.unwrap_err().failed()[0].to_string().ends_with("the task failed: declined"));
}

#[test]
fn a_shim_is_enqueued_where_it_was_called() {
    let ran = Ran::default();
    let guard = airlock::scope().enter();
    legacy::checkout(&ran);
    let location = guard.scope().intents()[0].location();
    assert_eq!(location.file(), file!());
    let line = include_str!("direct_calls.rs").lines().nth(location.line() as usize - 1).unwrap();
    assert_eq!(line.trim(), "send(1, ran);");
    guard.discard();
}

#[test]
fn an_enqueue_that_a_policy_refuses_is_the_shim_s_error_or_else_its_panic() {
    let ran = Ran::default();
    let scope = || airlock::scope().policy(AssertNoEffects);
    let refused = futures::executor::block_on(scope().run_reported_async(legacy::pay(&ran, 5)));
    let error = refused.result.unwrap_err();
    assert!(matches!(error, legacy::ChargeError::Enqueue(EnqueueError::Rejected { .. })), "{error}");

    let panicked = catch_unwind(AssertUnwindSafe(|| scope().run(|| legacy::checkout(&ran)))).unwrap_err();
    let message = panicked.downcast_ref::<String>().unwrap();
    assert!(message.contains("task `direct.send` can't be enqueued at"), "{message}");
    assert_eq!(ran.take(), [""; 0], "a function that returns nothing can't lose the effect in silence");
}
