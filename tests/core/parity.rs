//! What the Python original does and this library does too, or otherwise on purpose: the tests behind `docs/parity.md`
//! that have no better place. The table names them, and the tests of other modules.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use airlock::{
    AllowAll, AssertNoEffects, BlockTasks, Discarded, DropAll, EnqueueError, Error, FlushOnSuccess, FlushReport,
    Intent, Lifecycle, OnFailure, Options, Outcome, Phase, Policy, ReleaseNested, Scope, ScopeBody, ScopeEnd,
    ScopeInfo, Settings, Violation, scope,
};
use airlock_tests::log::logged;
use airlock_tests::recorder::Recorder;

use crate::settings::alone;

thread_local! {
    static RAN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What ran inline on this thread since the last call.
fn ran() -> Vec<String> {
    RAN.take()
}

fn note(what: impl Into<String>) {
    RAN.with_borrow_mut(|ran| ran.push(what.into()));
}

#[airlock::task(name = "parity.notify_warehouse")]
fn notify_warehouse(order_id: u64) {
    note(format!("notify {order_id}"));
}

#[airlock::task(name = "parity.send_confirmation")]
fn send_confirmation() {
    note("confirm");
}

#[airlock::task(name = "parity.fail")]
fn fail() -> Result<(), String> {
    note("fail");
    Err("the mail server is down".to_owned())
}

/// A task that enqueues, as if its caller's scope were there.
#[airlock::task(name = "parity.enqueue_more")]
fn enqueue_more() -> Result<(), EnqueueError> {
    note("enqueue more");
    notify_warehouse::enqueue(99).map(drop)
}

/// The domain code of the original's front page.
struct Order {
    id: u64,
}

impl Order {
    fn process(&self) -> airlock::Result<()> {
        notify_warehouse::enqueue(self.id)?;
        send_confirmation::enqueue()?;
        Ok(())
    }
}

fn names(intents: &[Intent]) -> Vec<&'static str> {
    intents.iter().map(Intent::name).collect()
}

fn told(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(|entry| format!("{}: {}", entry.name(), entry.outcome())).collect()
}

// The front page.

#[test]
fn the_front_page_of_the_original_works_here() {
    let order = Order { id: 42 };

    // Production: the effects happen at the end of the scope.
    scope()
        .run(|| {
            order.process()?;
            assert!(ran().is_empty());
            airlock::Result::<()>::Ok(())
        })
        .unwrap();
    assert_eq!(ran(), ["notify 42", "confirm"]);

    // A migration: nothing happens.
    scope().policy(DropAll).run(|| order.process()).unwrap();
    assert!(ran().is_empty());

    // A test: fails if anything tries to escape.
    let error = scope().policy(AssertNoEffects).run(|| order.process()).unwrap_err();
    assert!(matches!(&error, Error::Enqueue(EnqueueError::Rejected { .. })), "{error}");

    // A test: shows the effects.
    let ended = scope().policy(DropAll).run_reported(|| {
        {
            order.process().unwrap();
            let intents = Scope::current().unwrap().intents();
            intents.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
                == "parity.notify_warehouse(order_id=42); parity.send_confirmation()"
        }
        .then_some(())
        .ok_or("other intents")
    });
    ended.result.unwrap();

    // An admin's endpoint: all but the mail, which stays in the scope until its end.
    scope()
        .policy(BlockTasks::of::<send_confirmation>())
        .run(|| -> airlock::Result<()> {
            order.process()?;
            assert_eq!(Scope::current().unwrap().intents().len(), 2);
            Ok(())
        })
        .unwrap();
    assert_eq!(ran(), ["notify 42"]);
}

// Configuration.

#[test]
fn configure_replaces_all_that_was_configured_before() {
    alone(|| {
        let recorder = Recorder::new();
        airlock::configure(Settings::new().policy(DropAll));
        airlock::configure(Settings::new().executor(recorder.clone()));
        scope().run(|| Order { id: 1 }.process()).unwrap();
        assert_eq!(recorder.calls().len(), 2, "the policy of the first call is gone");
        // The original's way, one setting after the other, starts from what there is.
        airlock::configure(airlock::configuration().policy(DropAll));
        scope().run(|| Order { id: 2 }.process()).unwrap();
        assert_eq!(recorder.calls().len(), 2);
        assert!(ran().is_empty(), "and the executor of the second is still there");
    });
}

// Intents.

/// Two tasks whose names end alike.
mod twins {
    #[airlock::task(name = "parity.mail.send")]
    pub(super) fn mail() {}

    #[airlock::task(name = "parity.sms.send")]
    pub(super) fn sms() {}
}

#[test]
fn names_are_whole_so_that_like_endings_are_told_apart() {
    let recorder = Recorder::new();
    let policy = BlockTasks::named(["parity.mail.send"]).unwrap();
    scope()
        .executor(recorder.clone())
        .policy(policy)
        .run(|| -> airlock::Result<()> {
            twins::mail::enqueue()?;
            twins::sms::enqueue()?;
            Ok(())
        })
        .unwrap();
    assert_eq!(recorder.calls(), ["parity.sms.send()"]);
}

#[test]
fn a_call_s_own_name_is_a_label_that_policies_see_and_the_task_keeps_its_name() {
    let recorder = Recorder::new();
    let ended = scope()
        .executor(recorder.clone())
        .policy(|intent: &Intent| intent.label() != Some("reminder"))
        .run_reported(|| -> Result<(), EnqueueError> {
            notify_warehouse::enqueue_with(Options::new().label("reminder"), 1)?;
            notify_warehouse::enqueue_with(Options::new().label("first notice"), 2)?;
            Ok(())
        });
    assert_eq!(recorder.calls(), ["parity.notify_warehouse(order_id=2)"]);
    let report = ended.flush.unwrap();
    assert!(report.entries().iter().all(|entry| entry.name() == "parity.notify_warehouse"));
    assert!(report.to_string().contains("reminder"), "{report}");
}

#[test]
fn origin_and_options_of_a_call_are_on_its_intent_and_nowhere_unless_given() {
    scope()
        .policy(DropAll)
        .run(|| -> airlock::Result<()> {
            notify_warehouse::enqueue_with(Options::new().origin("POST /orders").queue("slow").priority(3), 1)?;
            notify_warehouse::enqueue(2)?;
            let intents = Scope::current().unwrap().intents();
            assert_eq!(intents[0].origin(), Some("POST /orders"));
            assert_eq!(
                (intents[0].options().get_queue(), intents[0].options().get_priority()),
                (Some("slow"), Some(3))
            );
            assert_eq!((intents[1].origin(), intents[1].options().get_queue()), (None, None));
            Ok(())
        })
        .unwrap();
}

#[airlock::task(name = "parity.tag")]
fn tag(tags: Vec<String>) {
    note(tags.join(" "));
}

#[test]
fn what_the_caller_does_with_its_values_later_does_not_reach_the_intent() {
    let mut tags = vec!["new".to_owned()];
    scope()
        .run(|| -> airlock::Result<()> {
            tag::enqueue(tags.clone())?;
            tags.push("changed".to_owned());
            Ok(())
        })
        .unwrap();
    assert_eq!(ran(), ["new"], "the original prints both");
    assert_eq!(tags.len(), 2);
}

#[test]
fn intents_with_equal_arguments_are_two_and_clones_are_one() {
    let (one, other) = (notify_warehouse::intent(1), notify_warehouse::intent(1));
    assert_ne!(one.id(), other.id());
    assert_eq!(one.id(), one.clone().id());
    assert_eq!(one.args::<notify_warehouse>(), other.args::<notify_warehouse>());
}

// Policies.

#[test]
fn an_intent_refused_at_the_call_leaves_the_others_where_they_are() {
    let recorder = Recorder::new();
    let policy = BlockTasks::of::<send_confirmation>().rejecting();
    let ended = scope().executor(recorder.clone()).policy(policy).run_reported(|| -> Result<(), EnqueueError> {
        notify_warehouse::enqueue(1)?;
        let error = send_confirmation::enqueue().unwrap_err();
        assert!(error.to_string().starts_with("task `parity.send_confirmation` can't be enqueued at "), "{error}");
        assert!(error.to_string().ends_with(": BlockTasks refuses it: this task is blocked here"), "{error}");
        assert_eq!(names(&Scope::current().unwrap().intents()), ["parity.notify_warehouse"]);
        Ok(())
    });
    assert_eq!(ended.flush.unwrap().counts().enqueued, 1);
    assert_eq!(recorder.calls(), ["parity.notify_warehouse(order_id=1)"]);
}

#[test]
fn built_in_policies_show_what_they_are() {
    assert_eq!(format!("{AllowAll:?} {DropAll:?} {AssertNoEffects:?}"), "AllowAll DropAll AssertNoEffects");
    let blocked = BlockTasks::of::<send_confirmation>().rejecting();
    let shown = format!("{blocked:?}");
    assert!(shown.contains("parity.send_confirmation") && shown.contains("rejecting: true"), "{shown}");
    assert_eq!(blocked.name(), "BlockTasks");
}

// Scopes entered by hand.

#[test]
fn a_scope_entered_by_hand_ends_at_its_word_and_tells_what_it_held() {
    let guard = scope().enter();
    Order { id: 1 }.process().unwrap();
    assert!(ran().is_empty());
    let report = guard.flush().unwrap();
    assert_eq!(ran(), ["notify 1", "confirm"]);
    assert_eq!(told(&report), ["parity.notify_warehouse: dispatched", "parity.send_confirmation: dispatched"]);

    let guard = scope().enter();
    Order { id: 2 }.process().unwrap();
    let report = guard.discard();
    assert_eq!(
        told(&report),
        ["parity.notify_warehouse: discarded: by hand", "parity.send_confirmation: discarded: by hand"]
    );
    let calls: Vec<_> = report.entries().iter().filter_map(|entry| entry.intent()).map(ToString::to_string).collect();
    assert_eq!(calls, ["parity.notify_warehouse(order_id=2)", "parity.send_confirmation()"]);
    assert!(ran().is_empty());
    assert!(Scope::current().is_none());
}

#[test]
fn a_scope_tells_its_state_and_after_the_end_the_report_has_its_intents() {
    let guard = scope().policy(|intent: &Intent| intent.args::<notify_warehouse>().is_none()).enter();
    let handle = guard.scope();
    Order { id: 1 }.process().unwrap();
    assert_eq!((handle.phase(), handle.intents().len()), (Phase::Open, 2));
    let sealed = guard.seal().unwrap();
    assert_eq!((handle.phase(), handle.intents().len()), (Phase::Sealed, 0));
    let report = sealed.dispatch().unwrap();
    assert_eq!((handle.phase(), handle.intents().len()), (Phase::Flushed, 0));
    assert_eq!(report.entries().len(), 2, "the dropped one, too");
    assert_eq!(ran(), ["confirm"]);

    let guard = scope().enter();
    let handle = guard.scope();
    guard.discard();
    assert_eq!(handle.phase(), Phase::Discarded);
}

#[test]
fn a_flush_that_failed_has_ended_the_scope_and_can_go_on_only_through_its_error() {
    let guard = scope().on_failure(OnFailure::FailFast).enter();
    let handle = guard.scope();
    fail::enqueue().unwrap();
    send_confirmation::enqueue().unwrap();
    let error = guard.flush().unwrap_err();
    assert_eq!(handle.phase(), Phase::Flushed);
    let refused = handle.push(notify_warehouse::intent(1)).unwrap_err();
    assert!(matches!(&refused, EnqueueError::Closed { .. }), "{refused}");
    assert_eq!(ran(), ["fail"]);
    assert_eq!(names(error.undispatched()), ["parity.send_confirmation"]);
    // The original has lost it by now.
    error.dispatch(&airlock::InlineExecutor::new()).unwrap_err();
    assert_eq!(ran(), ["confirm"], "what ran and failed is not run again");
}

#[test]
fn the_body_s_own_type_says_which_errors_flush() {
    enum Checkout {
        Paid,
        Declined,
        Crashed,
    }

    impl ScopeBody for Checkout {
        fn succeeded(&self) -> bool {
            !matches!(self, Self::Crashed)
        }
    }

    for (end, expected) in [(Checkout::Paid, 1), (Checkout::Declined, 1), (Checkout::Crashed, 0)] {
        let ended = scope().run_reported(|| {
            send_confirmation::enqueue().unwrap();
            end
        });
        assert_eq!(ended.flush.unwrap().counts().dispatched, expected);
        assert_eq!(ran().len(), expected);
    }
}

// Nesting.

#[test]
fn a_scope_tells_its_own_intents_from_those_it_captured() {
    let ended = scope().policy(DropAll).run_reported(|| -> airlock::Result<()> {
        notify_warehouse::enqueue(1)?;
        let inner = scope().run_reported(|| notify_warehouse::enqueue(2).map(drop));
        assert_eq!(inner.flush.unwrap().counts().captured, 1);
        notify_warehouse::enqueue(3)?;
        let current = Scope::current().unwrap();
        let ids = |intents: Vec<Intent>| -> Vec<u64> {
            intents.iter().filter_map(|intent| intent.args::<notify_warehouse>()).map(|args| args.0).collect()
        };
        assert_eq!(ids(current.intents()), [1, 2, 3]);
        assert_eq!((ids(current.own_intents()), ids(current.captured_intents())), (vec![1, 3], vec![2]));
        Ok(())
    });
    ended.result.unwrap();
    assert!(ran().is_empty());
}

#[test]
fn outer_lifecycles_are_told_which_scope_ends_and_decide_intent_by_intent() {
    #[derive(Clone, Default)]
    struct Asked(Arc<Mutex<Vec<String>>>, &'static str);

    impl Lifecycle for Asked {
        fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
            end.succeeded()
        }

        fn releases(&self, descendant: &ScopeInfo, intent: &Intent) -> bool {
            self.0.lock().unwrap().push(format!("{} {} {}", self.1, descendant.name().unwrap(), intent.name()));
            intent.name() != "parity.notify_warehouse"
        }
    }

    let asked = Arc::<Mutex<Vec<String>>>::default();
    scope()
        .lifecycle(Asked(Arc::clone(&asked), "outer"))
        .run(|| {
            scope()
                .lifecycle(Asked(Arc::clone(&asked), "middle"))
                .name("middle")
                .run(|| scope().name("innermost").run(|| Order { id: 1 }.process()))?;
            assert_eq!(ran(), ["confirm"], "both let it go");
            airlock::Result::<()>::Ok(())
        })
        .unwrap();
    assert_eq!(ran(), ["notify 1"]);
    let asked = asked.lock().unwrap();
    let who: Vec<_> = asked.iter().map(String::as_str).collect();
    assert_eq!(
        who,
        [
            "middle innermost parity.notify_warehouse",
            "middle innermost parity.send_confirmation",
            "outer innermost parity.send_confirmation",
            "outer middle parity.notify_warehouse",
        ]
    );
}

#[test]
fn a_task_run_by_a_released_inner_scope_does_not_enqueue_into_the_outer_one() {
    let ended = scope().lifecycle(ReleaseNested).run_reported(|| {
        let inner = scope().run(|| {
            enqueue_more::enqueue().unwrap();
        });
        let error = inner.unwrap_err();
        assert!(error.failed()[0].error.to_string().contains("the task failed"));
        assert!(error.to_string().contains("there is no scope here"), "{error}");
        assert!(Scope::current().unwrap().intents().is_empty());
    });
    assert_eq!(ended.flush.unwrap().counts().enqueued, 0);
    assert_eq!(ran(), ["enqueue more"], "the original runs the notice, too");
}

// `scoped`.

#[airlock::scoped(policy = BlockTasks::of::<send_confirmation>(), lifecycle = FlushOnSuccess, name = "shipping")]
fn ship(order_id: u64, parcels: u64) -> airlock::Result<u64> {
    assert_eq!(Scope::current().map(|scope| scope.intents().len()), Some(0), "a new scope each time");
    Order { id: order_id }.process()?;
    if parcels > 0 {
        return ship(order_id + 1, parcels - 1);
    }
    if order_id == 13 { Err(Error::other("no parcel 13")) } else { Ok(order_id) }
}

#[test]
fn each_call_of_a_scoped_function_has_a_scope_of_its_own() {
    assert_eq!(ship(1, 0).unwrap(), 1);
    assert_eq!(ran(), ["notify 1"]);
    ship(13, 0).unwrap_err();
    assert!(ran().is_empty());
    assert_eq!(ship(20, 2).unwrap(), 22, "nested calls are captured");
    assert_eq!(ran(), ["notify 20", "notify 21", "notify 22"]);
    let others: Vec<_> = (30..34)
        .map(|id| {
            thread::spawn(move || {
                ship(id, 0).unwrap();
                ran()
            })
        })
        .collect();
    for (id, thread) in (30..34).zip(others) {
        assert_eq!(thread.join().unwrap(), [format!("notify {id}")]);
    }
}

// Local policies.

#[test]
fn a_local_policy_makes_no_scope_and_narrows_only_what_is_enqueued_under_it() {
    let ended = scope().name("outer").run_reported(|| -> Result<(), EnqueueError> {
        notify_warehouse::enqueue(1)?;
        airlock::policy(DropAll).run(|| {
            assert_eq!(Scope::current().unwrap().info().name(), Some("outer"));
            airlock::policy(AllowAll).run(|| notify_warehouse::enqueue(2))
        })?;
        notify_warehouse::enqueue(3)?;
        assert_eq!(Scope::current().unwrap().own_intents().len(), 3);
        Ok(())
    });
    assert_eq!(ran(), ["notify 1", "notify 3"]);
    let report = ended.flush.unwrap();
    assert!(matches!(report.entries()[1].outcome(), Outcome::Dropped { policy } if policy == "DropAll"), "{report}");
}

/// Refuses at the call and in the flush, in its own words.
struct OfficeHours;

impl Policy for OfficeHours {
    fn name(&self) -> &str {
        "OfficeHours"
    }

    fn on_enqueue(&self, _intent: &Intent) -> Result<(), Violation> {
        Err(Violation::new("the office is closed"))
    }
}

#[test]
fn a_local_policy_is_asked_at_the_call_too() {
    // The original asks local policies in the flush only: there, this would be recorded and dispatched.
    let ended = scope().run_reported(|| {
        let error = airlock::policy(OfficeHours).run(|| notify_warehouse::enqueue(1)).unwrap_err();
        assert!(error.to_string().ends_with(": OfficeHours refuses it: the office is closed"), "{error}");
        assert_eq!(error.refused().policy(), Some("OfficeHours"));
    });
    assert_eq!(ended.flush.unwrap().counts().enqueued, 0);
    assert!(ran().is_empty());
}

// Errors.

#[test]
fn one_error_type_holds_them_all_and_errors_are_values() {
    fn outside() -> airlock::Result<()> {
        notify_warehouse::enqueue(1)?;
        Ok(())
    }

    let error = outside().unwrap_err();
    assert!(matches!(&error, Error::Enqueue(EnqueueError::NoScope { .. })), "{error}");
    assert!(error.to_string().starts_with("task `parity.notify_warehouse` can't be enqueued at tests/core/parity.rs:"));
    let error = scope().run(|| fail::enqueue().map(drop).map_err(Error::from)).unwrap_err();
    assert!(matches!(&error, Error::Flush(_)), "{error}");
    assert!(error.to_string().ends_with("the task failed: the mail server is down"), "{error}");

    // An error that the body deals with is no reason to discard.
    scope()
        .run(|| {
            send_confirmation::enqueue().unwrap();
            airlock::policy(AssertNoEffects).run(|| notify_warehouse::enqueue(1)).unwrap_err();
        })
        .unwrap();
    assert_eq!(ran(), ["fail", "confirm"]);
}

// What the original's Django parts do with a scope.

/// What a web framework hands back.
struct Response {
    status: u16,
}

impl ScopeBody for Response {
    fn succeeded(&self) -> bool {
        self.status < 400
    }
}

#[test]
fn a_middleware_flushes_below_400_and_discards_from_there_on_and_on_a_panic() {
    for (status, dispatched) in [(200, 1), (302, 1), (399, 1), (400, 0), (404, 0), (500, 0)] {
        let ended = scope().run_reported(|| {
            send_confirmation::enqueue().unwrap();
            Response { status }
        });
        assert_eq!(ended.result.status, status);
        let counts = ended.flush.unwrap().counts();
        assert_eq!((counts.dispatched, counts.discarded), (dispatched, 1 - dispatched), "{status}");
        assert_eq!(ran().len(), dispatched, "{status}");
    }
    let panicked = std::panic::catch_unwind(|| {
        drop(scope().run_reported(|| -> Response {
            send_confirmation::enqueue().unwrap();
            panic!("the view is broken")
        }));
    });
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"the view is broken"));
    assert!(ran().is_empty());
}

/// A database transaction that runs hooks after its commit.
#[derive(Default)]
struct Transaction {
    hooks: Vec<Box<dyn FnOnce()>>,
}

impl Transaction {
    fn on_commit(&mut self, hook: impl FnOnce() + 'static) {
        self.hooks.push(Box::new(hook));
    }

    fn commit(self) {
        note("commit");
        self.hooks.into_iter().for_each(|hook| hook());
    }
}

#[test]
fn effects_wait_for_the_commit_and_go_with_a_rollback() {
    let request = |transaction: &mut Transaction| {
        let guard = scope().enter();
        notify_warehouse::enqueue(1).unwrap();
        fail::enqueue().unwrap();
        send_confirmation::enqueue().unwrap();
        let sealed = guard.seal().unwrap();
        transaction.on_commit(move || {
            let error = sealed.dispatch().unwrap_err();
            assert_eq!(error.failed().len(), 1);
        });
    };
    let mut transaction = Transaction::default();
    request(&mut transaction);
    assert!(ran().is_empty());
    transaction.commit();
    assert_eq!(ran(), ["commit", "notify 1", "fail", "confirm"], "one that fails doesn't keep the others");

    let mut transaction = Transaction::default();
    request(&mut transaction);
    let ((), log) = logged(|| drop(transaction));
    assert!(ran().is_empty());
    assert!(log.contains("a sealed scope was dropped without being dispatched"), "{log}");
    assert!(log.contains("intents=3"), "{log}");
}

#[test]
fn a_scope_without_an_end_says_so() {
    // In the original, `enter` and `exit` without `flush` or `discard` lose the intents without a word.
    let (handle, log) = logged(|| {
        let guard = scope().enter();
        notify_warehouse::enqueue(1).unwrap();
        guard.scope()
    });
    assert_eq!(handle.phase(), Phase::Discarded);
    assert!(log.contains("WARN") && log.contains(&Discarded::Dropped.to_string()), "{log}");
    assert!(ran().is_empty());
}

// The table.

/// The rows of the tables in `docs/parity.md`, as cells.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect::<Vec<_>>())
        .filter(|cells| !cells[0].starts_with("---") && cells.last() != Some(&"test"))
}

#[test]
fn every_row_of_the_parity_table_names_a_test_that_exists_or_says_why_there_is_none() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(tests.join("../docs/parity.md")).unwrap();
    let (mut behaviours, mut named) = (0, 0);
    for cells in rows(&table) {
        behaviours += 1;
        let [_, .., test] = cells[..] else { panic!("too few cells: {cells:?}") };
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.trim().is_empty()), "{cells:?}");
        let mut names = test.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).peekable();
        assert!(
            names.peek().is_some() || ["compiler: ", "later: ", "none: "].iter().any(|why| test.starts_with(why)),
            "neither a test nor a reason: {cells:?}"
        );
        for name in names {
            named += 1;
            let (module, test) = name.split_once("::").unwrap();
            let file =
                tests.join(if module.contains('/') { String::new() } else { "core/".to_owned() } + module + ".rs");
            let source = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let test = test.rsplit("::").next().unwrap();
            assert!(source.contains(&format!("fn {test}(")), "{name} doesn't exist");
        }
    }
    assert!(behaviours > 60 && named > 60, "the table is empty, or its form has changed: {behaviours} {named}");
}
