//! Intents and the policies that judge them.

use std::collections::HashSet;

use airlock::{
    AllowAll, AssertNoEffects, BlockTasks, DropAll, EnqueueError, Intent, Options, Outcome, Policy, Scope, Violation,
    scope,
};
use airlock_tests::recorder::Recorder;

use super::{names, note, notify_warehouse, ran, send_confirmation};

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
fn intents_with_equal_arguments_are_two_and_their_ids_tell_them_apart() {
    let (one, other) = (notify_warehouse::intent(1), notify_warehouse::intent(1));
    assert_eq!(one.args::<notify_warehouse>(), other.args::<notify_warehouse>());
    assert_eq!(HashSet::from([one.id(), other.id(), one.id()]).len(), 2);
}

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
