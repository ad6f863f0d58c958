//! The policies that come with the crate, and policies made of others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use airlock::{
    AllowAll, AllowTasks, AssertNoEffects, BlockTasks, Dedupe, DropAll, EnqueueError, FlushReport, Intent, LogOnFlush,
    Policy, RateLimit, Violation, policy_fn,
};
use airlock_tests::log::logged;
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "policies.mail", aliases = ["policies.old_mail"])]
fn mail(n: u32) {
    let _ = n;
}

#[airlock::task(name = "policies.audit")]
fn audit(n: u32) {
    let _ = n;
}

#[airlock::task(name = "policies.float")]
fn float(x: f64) {
    let _ = x;
}

#[airlock::task(name = "policies.secret")]
fn secret(user: String, #[redact] token: String) {
    let _ = (user, token);
}

/// What got out, and the report.
fn flush(policy: impl Policy + 'static, body: impl FnOnce() -> airlock::Result<()>) -> (Vec<String>, FlushReport) {
    let recorder = Recorder::new();
    let ended = airlock::scope().policy(policy).executor(recorder.clone()).run_reported(body);
    ended.result.unwrap();
    (recorder.calls(), ended.flush.unwrap())
}

fn one_of_each() -> airlock::Result<()> {
    mail::enqueue(1)?;
    audit::enqueue(2)?;
    Ok(())
}

fn outcomes(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(|entry| entry.outcome().to_string()).collect()
}

// About all alike.

#[test]
fn allow_all_allows_all_and_drop_all_drops_all() {
    let (calls, report) = flush(AllowAll, one_of_each);
    assert_eq!(calls, ["policies.mail(n=1)", "policies.audit(n=2)"]);
    assert_eq!(report.counts().dispatched, 2);
    let (calls, report) = flush(DropAll, one_of_each);
    assert!(calls.is_empty());
    assert_eq!(outcomes(&report), ["dropped by DropAll", "dropped by DropAll"]);
    assert_eq!(report.executor(), None, "nothing was handed to anyone");
}

#[test]
fn assert_no_effects_fails_at_the_call_and_records_nothing() {
    let guard = airlock::scope().policy(AssertNoEffects).executor(Recorder::new()).enter();
    let error = mail::enqueue(1).unwrap_err();
    assert!(matches!(error, EnqueueError::Rejected { .. }));
    assert_eq!(error.refused().policy(), Some("AssertNoEffects"));
    let text = error.to_string();
    assert!(text.starts_with("task `policies.mail` can't be enqueued at tests/core/policies.rs:"), "{text}");
    assert!(text.ends_with(": AssertNoEffects refuses it: no effects are allowed here"), "{text}");
    assert_eq!(guard.flush().unwrap().counts().enqueued, 0);
}

#[test]
fn log_on_flush_tells_each_intent_and_allows_it_and_shows_values_only_on_request() {
    let body = || {
        secret::enqueue("lovelace".to_owned(), "hunter2".to_owned())?;
        Ok(())
    };
    let ((calls, _), log) = logged(|| flush(LogOnFlush::new(), body));
    assert_eq!(calls.len(), 1);
    assert!(log.starts_with("INFO") && log.contains("flushing") && log.contains("policies.secret"), "{log}");
    assert!(log.contains("tests/core/policies.rs:"), "{log}");
    assert!(!log.contains("lovelace") && !log.contains("hunter2"), "{log}");
    let (_, log) = logged(|| flush(LogOnFlush::new().with_arguments(), body));
    assert!(log.contains(r#"call=policies.secret(user="lovelace", token=***)"#), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

// About particular tasks.

#[test]
fn block_tasks_drops_those_and_allow_tasks_drops_the_others() {
    let (calls, report) = flush(BlockTasks::of::<mail>(), one_of_each);
    assert_eq!(calls, ["policies.audit(n=2)"]);
    assert_eq!(outcomes(&report), ["dropped by BlockTasks", "dispatched"]);
    let (calls, _) = flush(BlockTasks::of::<(mail, audit, float)>(), one_of_each);
    assert!(calls.is_empty());
    let (calls, report) = flush(AllowTasks::of::<(mail, float)>(), one_of_each);
    assert_eq!(calls, ["policies.mail(n=1)"]);
    assert_eq!(outcomes(&report), ["dispatched", "dropped by AllowTasks"]);
}

#[test]
fn tasks_may_be_named_by_name_or_alias_and_the_registry_has_to_have_them() {
    let (calls, _) = flush(BlockTasks::named(["policies.mail"]).unwrap(), one_of_each);
    assert_eq!(calls, ["policies.audit(n=2)"]);
    let (calls, _) = flush(AllowTasks::named(["policies.old_mail"]).unwrap(), one_of_each);
    assert_eq!(calls, ["policies.mail(n=1)"]);
    for error in [
        BlockTasks::named(["policies.audit", "policies.mial"]).unwrap_err(),
        AllowTasks::named(["policies.mial"]).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.starts_with("there is no task `policies.mial`; did you mean `policies.mail`"), "{text}");
    }
    let none: [&str; 0] = [];
    assert_eq!(flush(BlockTasks::named(none).unwrap(), one_of_each).0.len(), 2);
    assert!(flush(AllowTasks::named(none).unwrap(), one_of_each).0.is_empty());
}

#[test]
fn rejecting_ones_fail_at_the_call_and_only_for_what_they_refuse() {
    let refused: [(Box<dyn Policy>, &str); 2] = [
        (Box::new(BlockTasks::of::<mail>().rejecting()), "BlockTasks refuses it: this task is blocked here"),
        (
            Box::new(AllowTasks::of::<audit>().rejecting()),
            "AllowTasks refuses it: only some tasks are allowed here, and this is none of them",
        ),
    ];
    for (policy, expected) in refused {
        let guard = airlock::scope().policy(policy).executor(Recorder::new()).enter();
        let text = mail::enqueue(1).unwrap_err().to_string();
        assert!(text.ends_with(expected), "{text}");
        audit::enqueue(2).unwrap();
        let counts = guard.flush().unwrap().counts();
        assert_eq!((counts.enqueued, counts.dispatched), (1, 1));
    }
}

#[test]
fn without_rejecting_the_call_succeeds() {
    let guard = airlock::scope().policy(BlockTasks::of::<mail>()).executor(Recorder::new()).enter();
    mail::enqueue(1).unwrap();
    assert_eq!(guard.flush().unwrap().counts().dropped, 1);
}

// That count.

const AGES: Duration = Duration::from_secs(1_000_000);

#[test]
fn a_rate_limit_is_one_limit_however_many_scopes_and_clones_share_it() {
    let limit = RateLimit::new(3, AGES);
    let two = || {
        mail::enqueue(1)?;
        mail::enqueue(2)?;
        Ok(())
    };
    assert_eq!(flush(limit.clone(), two).0.len(), 2);
    let (calls, report) = flush(limit.clone(), two);
    assert_eq!(calls, ["policies.mail(n=1)"]);
    assert_eq!(outcomes(&report), ["dispatched", "dropped by RateLimit"]);
    assert_eq!(flush(limit, two).0.len(), 0);
    assert_eq!(flush(RateLimit::new(3, AGES), two).0.len(), 2, "another limit");
}

#[test]
fn a_rate_limit_is_one_limit_across_threads() {
    let limit = RateLimit::new(50, AGES);
    let sent = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            let (limit, sent) = (limit.clone(), &sent);
            threads.spawn(move || {
                let body = || (0..20).try_for_each(|n| Ok(mail::enqueue(n).map(drop)?));
                sent.fetch_add(flush(limit, body).0.len(), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(sent.into_inner(), 50);
}

#[test]
fn a_rate_limit_counts_only_what_the_policies_inside_it_let_through() {
    let limit = RateLimit::new(1, AGES);
    let (calls, report) = flush(limit, || {
        airlock::policy(DropAll).run(|| mail::enqueue(1))?;
        mail::enqueue(2)?;
        mail::enqueue(3)?;
        Ok(())
    });
    assert_eq!(calls, ["policies.mail(n=2)"]);
    assert_eq!(outcomes(&report), ["dropped by DropAll", "dispatched", "dropped by RateLimit"]);
}

#[test]
fn a_limit_of_none_drops_all_and_one_without_a_period_limits_nothing() {
    assert!(flush(RateLimit::new(0, AGES), one_of_each).0.is_empty());
    assert!(flush(RateLimit::new(0, Duration::ZERO), one_of_each).0.is_empty());
    assert_eq!(flush(RateLimit::new(1, Duration::ZERO), one_of_each).0.len(), 2);
}

#[test]
fn dedupe_lets_the_first_of_equal_ones_out_within_one_flush() {
    let (calls, report) = flush(Dedupe::new(), || {
        for n in [1, 2, 1, 1] {
            mail::enqueue(n)?;
        }
        audit::enqueue(1)?;
        Ok(())
    });
    assert_eq!(calls, ["policies.mail(n=1)", "policies.mail(n=2)", "policies.audit(n=1)"]);
    let dropped = "dropped by Dedupe";
    assert_eq!(outcomes(&report), ["dispatched", "dispatched", dropped, dropped, "dispatched"]);
}

#[test]
fn dedupe_forgets_between_flushes() {
    let dedupe = Dedupe::new();
    for _ in 0..2 {
        assert_eq!(flush(dedupe.clone(), one_of_each).0.len(), 2);
    }
}

#[test]
fn dedupe_looks_at_redacted_values_and_lets_through_what_has_no_encoding() {
    let (calls, _) = flush(Dedupe::new(), || {
        secret::enqueue("ada".to_owned(), "one".to_owned())?;
        secret::enqueue("ada".to_owned(), "two".to_owned())?;
        secret::enqueue("ada".to_owned(), "one".to_owned())?;
        float::enqueue(f64::NAN)?;
        float::enqueue(f64::NAN)?;
        Ok(())
    });
    assert_eq!(calls.len(), 4);
}

#[test]
fn dedupe_by_a_key_of_ones_own() {
    let by_parity = Dedupe::by(|intent| intent.args::<mail>().map(|(n,)| (n % 2).to_string()));
    let (calls, _) = flush(by_parity, || {
        for n in [1, 3, 4, 6] {
            mail::enqueue(n)?;
        }
        audit::enqueue(1)?;
        audit::enqueue(1)?;
        Ok(())
    });
    assert_eq!(calls, ["policies.mail(n=1)", "policies.mail(n=4)", "policies.audit(n=1)", "policies.audit(n=1)"]);
}

#[test]
fn two_dedupes_in_one_flush_each_remember_their_own() {
    let by_name = || Dedupe::by(|intent| Some(intent.name().to_owned()));
    let (calls, report) = flush(by_name().and(by_name()), || {
        mail::enqueue(1)?;
        mail::enqueue(2)?;
        Ok(())
    });
    assert_eq!(calls, ["policies.mail(n=1)"], "the second did not take the first for a repetition");
    assert_eq!(report.counts().dropped, 1);
}

#[test]
fn dedupe_sees_captured_intents_and_its_own_flush_only_inside_another_flush() {
    let dedupe = Dedupe::new();
    let inner = dedupe.clone();
    // A policy that flushes a scope of its own in the middle of a judgement: nothing can be enqueued there, and what
    // the outer flush remembers survives it.
    let meddling = policy_fn(move |_: &Intent| airlock::scope().policy(inner.clone()).run(|| {}).is_ok());
    let (calls, _) = flush((dedupe, meddling), || {
        airlock::scope().run(|| -> airlock::Result<()> { Ok(mail::enqueue(1).map(drop)?) })?;
        mail::enqueue(1)?;
        Ok(())
    });
    assert_eq!(calls, ["policies.mail(n=1)"]);
}

// Made of others.

/// Notes that it was asked, and answers.
#[derive(Clone)]
struct Asked(&'static str, bool, Arc<Mutex<Vec<String>>>);

impl Policy for Asked {
    fn name(&self) -> &str {
        self.0
    }

    fn on_enqueue(&self, _intent: &Intent) -> Result<(), Violation> {
        self.2.lock().unwrap().push(format!("{} on_enqueue", self.0));
        if self.0 == "violated" { Err(Violation::new("by itself")) } else { Ok(()) }
    }

    fn allows(&self, _intent: &Intent) -> bool {
        self.2.lock().unwrap().push(format!("{} allows", self.0));
        self.1
    }
}

#[test]
fn combined_policies_are_asked_in_turn_up_to_the_first_refusal() {
    let log = Arc::default();
    let asked = |name, answer| Asked(name, answer, Arc::clone(&log));
    let both: [Box<dyn Policy>; 2] =
        [Box::new(asked("a", false).and(asked("b", true))), Box::new((asked("a", false), asked("b", true)))];
    for policy in both {
        let (calls, _) = flush(policy, || Ok(mail::enqueue(1).map(drop)?));
        assert!(calls.is_empty());
        assert_eq!(std::mem::take(&mut *log.lock().unwrap()), ["a on_enqueue", "b on_enqueue", "a allows"]);
    }
    let (calls, _) = flush((asked("a", true), asked("b", true), asked("c", true)), || Ok(mail::enqueue(1).map(drop)?));
    assert_eq!(calls.len(), 1);
    assert_eq!(log.lock().unwrap().len(), 6);
}

#[test]
fn a_list_asks_in_its_order_up_to_the_first_refusal_and_an_empty_one_allows_all() {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let asked = |name, answer| Asked(name, answer, Arc::clone(&log));
    let (calls, report) =
        flush(vec![asked("a", true), asked("b", false), asked("c", true)], || Ok(mail::enqueue(1).map(drop)?));
    assert!(calls.is_empty());
    assert_eq!(outcomes(&report), ["dropped by a list of policies"]);
    assert_eq!(*log.lock().unwrap(), ["a on_enqueue", "b on_enqueue", "c on_enqueue", "a allows", "b allows"]);
    assert_eq!(flush(Vec::<DropAll>::new(), one_of_each).0.len(), 2);
}

#[test]
fn a_violation_in_a_combination_stops_there_and_names_the_combination() {
    let log = Arc::default();
    let asked = |name, answer| Asked(name, answer, Arc::clone(&log));
    let guard = airlock::scope().policy(asked("violated", true).and(asked("b", true))).enter();
    let error = mail::enqueue(1).unwrap_err();
    assert_eq!(error.refused().policy(), Some("violated and b"));
    assert!(error.to_string().ends_with(": violated and b refuses it: by itself"), "{error}");
    assert_eq!(*log.lock().unwrap(), ["violated on_enqueue"]);
    guard.discard();
}

#[test]
fn a_combination_with_a_policy_that_only_asserts_still_asserts() {
    let combined: [Box<dyn Policy>; 6] = [
        Box::new(AllowAll.and(AssertNoEffects)),
        Box::new((AllowAll, DropAll, AssertNoEffects)),
        Box::new(vec![Box::new(DropAll) as Box<dyn Policy>, Box::new(AssertNoEffects)]),
        Box::new(Arc::new(AssertNoEffects)),
        Box::new(Box::new(AssertNoEffects) as Box<dyn Policy>),
        Box::new(Arc::new((AllowAll.and(AllowAll), (AssertNoEffects,))) as Arc<dyn Policy>),
    ];
    for policy in combined {
        let guard = airlock::scope().policy(policy).executor(Recorder::new()).enter();
        assert!(matches!(mail::enqueue(1), Err(EnqueueError::Rejected { .. })));
        assert_eq!(guard.flush().unwrap().counts().enqueued, 0);
    }
}

#[test]
fn shared_policies_are_one_policy() {
    let limit: Arc<dyn Policy> = Arc::new(RateLimit::new(1, AGES));
    assert_eq!(flush(Arc::clone(&limit), one_of_each).0.len(), 1);
    let (calls, report) = flush(Box::new(limit) as Box<dyn Policy>, one_of_each);
    assert!(calls.is_empty());
    assert_eq!(outcomes(&report)[0], "dropped by RateLimit", "and keep their name");
}

#[test]
fn closures_are_policies() {
    let (calls, _) = flush(|intent: &Intent| intent.name() == "policies.audit", one_of_each);
    assert_eq!(calls, ["policies.audit(n=2)"]);
    let (calls, _) = flush(policy_fn(|intent| intent.name() == "policies.mail").and(AllowAll), one_of_each);
    assert_eq!(calls, ["policies.mail(n=1)"]);
    fn only_audit(intent: &Intent) -> bool {
        intent.name() == "policies.audit"
    }
    assert_eq!(flush(only_audit, one_of_each).0, ["policies.audit(n=2)"]);
}

#[test]
fn a_policy_without_a_name_is_called_by_its_type() {
    struct Quiet;

    impl Policy for Quiet {
        fn allows(&self, _intent: &Intent) -> bool {
            false
        }
    }

    let (_, report) = flush(Quiet, one_of_each);
    let shown = &outcomes(&report)[0];
    assert!(shown.starts_with("dropped by core::policies::") && shown.ends_with("::Quiet"), "{shown}");
}

#[test]
fn a_local_policy_s_run_returns_what_its_body_returns() {
    assert_eq!(airlock::policy(DropAll).run(|| 7), 7);
    assert_eq!(futures::executor::block_on(airlock::policy(DropAll).wrap(async { 8 })), 8);
}
