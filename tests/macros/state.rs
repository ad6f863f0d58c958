//! `#[state]`: what a task borrows from the process and no message carries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use airlock::{DispatchError, InlineExecutor, Intent, RegistryError, Task, executor_fn, registry};
use airlock_tests::recorder::Recorder;

/// There is none for the whole process.
#[derive(Default)]
struct Counter(AtomicU64);

impl Counter {
    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

trait Store: Send + Sync {
    fn put(&self, key: u64);
}

impl Store for Counter {
    fn put(&self, key: u64) {
        self.0.fetch_add(key, Ordering::SeqCst);
    }
}

#[airlock::task(name = "state.count")]
fn count(#[state] counter: &Counter, by: u64) {
    counter.put(by);
}

#[airlock::task(name = "state.count_later")]
async fn count_later(by: u64, #[state] store: &dyn Store, #[state] counter: &Counter) {
    store.put(by);
    std::future::ready(()).await;
    counter.put(by);
}

#[airlock::task(name = "state.plain")]
fn plain() {}

fn enqueued(result: Result<airlock::IntentId, airlock::EnqueueError>) {
    result.unwrap();
}

#[test]
fn a_scope_gives_state_to_its_tasks_plain_and_async() {
    let (counter, store) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    let scope = || airlock::scope().state_arc(counter.clone()).state_arc::<dyn Store>(store.clone());
    scope().run(|| enqueued(count::enqueue(1))).unwrap();
    futures::executor::block_on(scope().run_async(async { enqueued(count_later::enqueue(20)) })).unwrap();
    assert_eq!((counter.count(), store.count()), (21, 20));
    scope().executor(InlineExecutor::new().checked()).run(|| enqueued(count::enqueue(300))).unwrap();
    assert_eq!(counter.count(), 321);
}

#[test]
fn a_nested_scope_s_state_goes_before_the_outer_one_s_also_after_capture() {
    let (outer, inner) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    airlock::scope()
        .state_arc(outer.clone())
        .run(|| {
            enqueued(count::enqueue(1));
            airlock::scope().state_arc(inner.clone()).run(|| enqueued(count::enqueue(20))).unwrap();
            airlock::scope().run(|| enqueued(count::enqueue(300))).unwrap();
        })
        .unwrap();
    assert_eq!((outer.count(), inner.count()), (301, 20));
}

#[test]
fn an_executor_on_another_thread_finds_the_state_of_the_scope() {
    let counter = Arc::new(Counter::default());
    let elsewhere = executor_fn(|intent: Intent| -> Result<(), DispatchError> {
        std::thread::spawn(|| intent.call()).join().unwrap()
    });
    airlock::scope().state_arc(counter.clone()).executor(elsewhere).run(|| enqueued(count::enqueue(7))).unwrap();
    assert_eq!(counter.count(), 7);
}

#[test]
fn promise_06_missing_state_is_found_for_the_whole_batch_before_anything_runs() {
    // Some state, and not what the tasks need.
    let ended = futures::executor::block_on(airlock::scope().state(Recorder::new()).run_reported_async(async {
        enqueued(plain::enqueue());
        enqueued(count_later::enqueue(1));
        enqueued(count::enqueue(2));
    }));
    let error = ended.flush.unwrap_err();
    assert_eq!(error.undispatched().len(), 3, "every intent comes back");
    let outcomes: Vec<_> = error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect();
    assert_eq!(
        outcomes,
        [
            "unattempted: another intent of this flush was refused",
            "rejected: its state `store: &dyn Store` has no value; call `airlock::provide_arc::<dyn Store>(..)` as the \
             program starts, or give the scope one with `.state_arc::<dyn Store>(..)`; and `counter: &Counter` has no \
             value; call `airlock::provide(..)` with a `Counter` as the program starts, or give the scope one with \
             `.state(..)`",
            "rejected: its state `counter: &Counter` has no value; call `airlock::provide(..)` with a `Counter` as the \
             program starts, or give the scope one with `.state(..)`",
        ]
    );
    assert!(error.to_string().contains("state.count_later (tests/macros/state.rs:"), "{error}");
    drop(error.into_intents());
}

#[test]
fn an_arc_given_as_a_value_is_told_apart_from_nothing() {
    let ended = airlock::scope().state(Arc::new(Counter::default())).run_reported(|| enqueued(count::enqueue(1)));
    let error = ended.flush.unwrap_err().to_string();
    assert!(error.contains("an `Arc` of one was given as it is; give it with `airlock::provide_arc::<Counter>(..)`"));
}

#[test]
fn a_call_by_name_takes_what_the_process_provides_and_the_latest_value_counts() {
    struct Rate(u64);

    #[airlock::task(name = "state.rate")]
    fn rate(#[state] rate: &Rate) -> Result<(), String> {
        Err(rate.0.to_string())
    }

    #[airlock::task(name = "state.rate_later")]
    async fn rate_later(#[state] rate: &Rate) -> Result<(), String> {
        Err(rate.0.to_string())
    }

    let none = || airlock::Arguments::new();
    let error = registry().invoke("state.rate", none()).unwrap_err();
    assert!(matches!(error, RegistryError::NotRunnable { task: "state.rate", .. }), "{error}");
    assert!(error.to_string().contains("`rate: &Rate` has no value; call `airlock::provide(..)`"), "{error}");

    let failure = |result: Result<(), RegistryError>| match result.unwrap_err() {
        RegistryError::Failed { source, .. } => std::error::Error::source(&source).unwrap().to_string(),
        other => other.to_string(),
    };
    airlock::provide(Rate(1));
    assert_eq!(failure(registry().invoke("state.rate", none())), "1");
    airlock::provide(Rate(2));
    assert_eq!(failure(futures::executor::block_on(registry().invoke_async("state.rate_later", none()))), "2");
    assert_eq!(failure(registry().invoke("state.rate", none())), "2");
}

#[test]
fn state_is_no_part_of_the_message() {
    let intent = count::intent(5);
    assert_eq!(intent.to_string(), "state.count(by=5)");
    assert_eq!(intent.to_json().unwrap().get(), r#"{"by":5}"#);
    assert_eq!(intent.args::<count>(), Some(&(5,)));
    let definition = count_later::definition();
    let state: Vec<_> = definition.state.iter().map(|state| (state.name, state.type_name)).collect();
    assert_eq!(state, [("store", "dyn Store"), ("counter", "Counter")]);
}

#[test]
fn an_intent_given_back_takes_no_scope_s_state_along() {
    let down = |_: Intent| Err(DispatchError::unavailable("down"));
    let counter = Arc::new(Counter::default());
    let flush = airlock::scope().state_arc(counter.clone()).executor(down).run(|| enqueued(count::enqueue(1)));
    // Sent another way, it is still this scope's intent; pushed into another scope, it is that one's.
    let intents = flush.unwrap_err().into_intents();
    let other = Arc::new(Counter::default());
    airlock::scope()
        .state_arc(other.clone())
        .run(|| intents.into_iter().for_each(|intent| enqueued(airlock::Scope::current().unwrap().push(intent))))
        .unwrap();
    assert_eq!((counter.count(), other.count()), (0, 1));

    let flush = airlock::scope().state_arc(counter.clone()).executor(down).run(|| enqueued(count::enqueue(10)));
    flush.unwrap_err().dispatch(&InlineExecutor::new()).unwrap();
    assert_eq!(counter.count(), 10);
}
