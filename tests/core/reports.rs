//! Reports as people read them, against files.
//!
//! Each test flushes one scope and compares its report with `reports/NAME.txt`, where `<time>` stands for every
//! duration. When a report is meant to change, or lines of this file move, write the files anew and read the diff:
//!
//! ```sh
//! AIRLOCK_BLESS=1 cargo test -p airlock-tests --test core reports
//! ```

use std::path::Path;

use airlock::{
    BlockTasks, DispatchError, DropAll, FlushError, FlushReport, InlineExecutor, Intent, OnFailure, Options, Policy,
    ReleaseNested, executor_fn, policy_fn,
};
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "shop.confirm")]
fn confirm(order_id: u64, #[redact] email: String) {
    let _ = (order_id, email);
}

#[airlock::task(name = "shop.charge")]
fn charge(order_id: u64, cents: u32) -> Result<(), &'static str> {
    let _ = order_id;
    if cents == 0 { Err("there is nothing to charge") } else { Ok(()) }
}

#[airlock::task(name = "warehouse.notify")]
fn notify(order_id: u64, express: bool);

#[airlock::task(name = "shop.audit", local)]
fn audit(what: String) {
    let _ = what;
}

fn mail(order_id: u64) -> airlock::Result<()> {
    confirm::enqueue(order_id, "ada@example.org".to_owned())?;
    Ok(())
}

/// The report with every duration replaced: that of the flush ends the first line, those of intents stand before the
/// place of the call.
fn untimed(report: &str) -> String {
    let mut lines = report.lines();
    let (scope, _) = lines.next().and_then(|line| line.rsplit_once(", ")).expect("the first line ends with a duration");
    let mut text = format!("{scope}, <time>\n");
    for line in lines {
        match line.rsplit_once(" in ").and_then(|(verdict, rest)| Some((verdict, rest.split_once(" (")?))) {
            Some((verdict, (time, place))) if time.ends_with('s') => {
                text.push_str(&format!("{verdict} in <time> ({place}\n"));
            }
            _ => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

fn assert_golden(name: &str, report: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("core/reports").join(name).with_extension("txt");
    let report = untimed(report);
    if std::env::var_os("AIRLOCK_BLESS").is_some() {
        std::fs::write(&file, &report).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(report == golden, "{} has\n{golden}\nand the report is\n{report}", file.display());
}

fn assert_adds_up(report: &FlushReport) {
    let counts = report.counts();
    let ends = [counts.dispatched, counts.dropped, counts.captured, counts.discarded, counts.failed];
    assert_eq!(counts.enqueued, ends.iter().sum::<usize>() + counts.unconfirmed + counts.unattempted);
}

#[test]
fn nested_scopes_are_branches_and_what_they_captured_lies_in_them() {
    let recorder = Recorder::new();
    let mut inner = None;
    let ended = airlock::scope().name("checkout").executor(recorder.clone()).run_reported(|| -> airlock::Result<()> {
        mail(1)?;
        let payment = airlock::scope().name("payment").run_reported(|| -> airlock::Result<()> {
            charge::enqueue(1, 250)?;
            airlock::scope()
                .policy(DropAll)
                .run(|| notify::enqueue(1, true).map(drop).map_err(airlock::Error::from))?;
            charge::enqueue(1, 100)?;
            Ok(())
        });
        payment.result?;
        inner = Some(payment.flush?);
        airlock::policy(BlockTasks::of::<notify>()).run(|| notify::enqueue(1, false))?;
        audit::enqueue("checked out".to_owned())?;
        Ok(())
    });
    ended.result.unwrap();
    let (report, inner) = (ended.flush.unwrap(), inner.unwrap());
    assert_adds_up(&report);
    assert_golden("nested", &format!("{report}"));
    assert_golden("captured", &inner.to_string());
    assert_eq!(recorder.calls().len(), 3);
}

#[test]
fn a_failing_body_discards_and_labels_and_origins_are_shown() {
    let ended = airlock::scope().name("GET /orders").run_reported(|| -> airlock::Result<()> {
        mail(7)?;
        let options = Options::new().label("first try").origin("POST /orders/7");
        charge::enqueue_with(options, 7, 0)?;
        notify::enqueue_with(Options::new().origin("cron"), 7, false)?;
        Err(airlock::Error::other("the database is gone"))
    });
    ended.result.unwrap_err();
    let report = ended.flush.unwrap();
    assert_adds_up(&report);
    assert_golden("discarded", &report.to_string());
}

#[test]
fn arguments_are_shown_on_request_and_redacted_ones_are_not() {
    let only_cheap = policy_fn(|intent| intent.args::<charge>().is_none_or(|(_, cents)| *cents < 1000));
    let scope = airlock::scope().name("admin").policy(airlock::AllowAll.and(Named(only_cheap)));
    let ended = scope.executor(InlineExecutor::new()).timings(true).run_reported(|| -> airlock::Result<()> {
        mail(42)?;
        charge::enqueue_with(Options::new().label("deposit"), 42, 5000)?;
        charge::enqueue(42, 0)?;
        audit::enqueue("Grüße\n\"quoted\"".to_owned())?;
        Ok(())
    });
    ended.result.unwrap();
    let error = ended.flush.unwrap_err();
    assert_adds_up(error.report());
    assert_golden("arguments", &error.report().with_arguments().to_string());
    drop(error.into_intents());
}

/// A closure has no name that stays the same from one compiler to the next.
struct Named<P>(P);

impl<P: Policy> Policy for Named<P> {
    fn name(&self) -> &str {
        "OnlyCheap"
    }

    fn allows(&self, intent: &Intent) -> bool {
        self.0.allows(intent)
    }
}

fn unreliable() -> impl airlock::Executor {
    executor_fn(|intent: Intent| match (intent.name(), intent.args::<charge>()) {
        (_, Some((_, 0))) => Err(DispatchError::rejected("an amount of nothing")),
        (_, Some((_, 1))) => Err(DispatchError::unconfirmed(std::io::Error::other("no answer"))),
        ("warehouse.notify", _) => Err(DispatchError::unavailable("connection refused")),
        _ => Ok(()),
    })
}

fn troubled(on_failure: OnFailure) -> FlushError {
    let scope = airlock::scope().name("nightly").executor(unreliable()).on_failure(on_failure);
    let ended = scope.run_reported(|| -> airlock::Result<()> {
        mail(1)?;
        charge::enqueue(1, 0)?;
        charge::enqueue(1, 1)?;
        notify::enqueue(1, true)?;
        mail(2)?;
        Ok(())
    });
    ended.result.unwrap();
    ended.flush.unwrap_err()
}

#[test]
fn what_did_not_go_out_is_told_with_the_reason() {
    let error = troubled(OnFailure::Continue);
    assert_adds_up(error.report());
    assert_golden("troubled", &error.report().to_string());
    drop(error.into_intents());
}

// What the files can't show.

#[test]
fn an_unwrapped_flush_error_says_of_each_intent_why_it_is_there() {
    let error = troubled(OnFailure::Continue);
    let shown = format!("{error:?}");
    for line in [
        "FlushError { scope: scope `nightly` (tests/core/reports.rs:",
        "counts: 5 enqueued: 1 dispatched, 2 failed, 1 unconfirmed, 1 unattempted, intents: [shop.charge (tests/core/reports.rs:",
        "): rejected: an amount of nothing, shop.charge (",
        "): unconfirmed: no answer, warehouse.notify (",
        "): unavailable: connection refused, shop.confirm (",
        "): unattempted: the executor was unavailable for an earlier one] }",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("IntentId"), "{shown}");
    drop(error.into_intents());

    let many = airlock::scope().executor(|_: Intent| Err(DispatchError::unavailable("down")));
    let error = many.run(|| (0..60).try_for_each(mail).unwrap()).unwrap_err();
    let shown = format!("{error:?}");
    assert_eq!(shown.matches("shop.confirm (").count(), 50, "{shown}");
    assert!(shown.contains(", and 10 more] }"), "{shown}");

    // What a second attempt leaves is not in its report.
    let failed = airlock::scope().run(|| charge::enqueue(1, 0).map(drop).unwrap()).unwrap_err();
    let left = failed.dispatch(&InlineExecutor::new()).unwrap_err();
    let shown = format!("{left:?}");
    assert!(shown.contains("failed: [shop.charge ("), "{shown}");
    assert!(shown.contains("there is nothing to charge"), "{shown}");
    drop((error.into_intents(), left.into_intents()));
}

#[test]
fn fail_fast_is_told_as_the_reason_of_the_rest() {
    let error = troubled(OnFailure::FailFast);
    let shown = error.report().to_string();
    assert_eq!(shown.matches("unattempted: an earlier one failed, and the scope fails fast").count(), 3, "{shown}");
    assert!(shown.ends_with("└─ 5 enqueued: 1 dispatched, 1 failed, 3 unattempted"), "{shown}");
    drop(error.into_intents());
}

#[test]
fn a_run_keeps_counts_and_what_went_wrong_and_says_so() {
    let error = airlock::scope()
        .name("nightly")
        .executor(unreliable())
        .run(|| {
            mail(1).unwrap();
            charge::enqueue(1, 0).unwrap();
        })
        .unwrap_err();
    assert!(!error.report().is_complete());
    assert_eq!(error.report().entries().len(), 1);
    let shown = error.report().to_string();
    let last = "└─ 2 enqueued: 1 dispatched, 1 failed (only what went wrong is listed; `run_reported` lists all)";
    assert!(shown.ends_with(last), "{shown}");
    drop(error.into_intents());
}

#[test]
fn an_empty_scope_has_a_report_too() {
    let report = airlock::scope().name("idle").run_reported(|| {}).flush.unwrap();
    assert_eq!(untimed(&report.to_string()).lines().skip(1).collect::<Vec<_>>(), ["└─ 0 enqueued"]);
    assert!(report.to_string().starts_with("scope `idle` (tests/core/reports.rs:"), "{report}");
    assert!(report.is_complete() && report.entries().is_empty());
    assert_eq!(report.executor(), None);
}

#[test]
fn a_released_scope_reports_what_it_sent_and_its_parent_does_not() {
    let recorder = Recorder::new();
    let outer = airlock::scope().lifecycle(ReleaseNested).executor(recorder.clone()).enter();
    let inner = airlock::scope().executor(recorder.clone()).run_reported(|| mail(1)).flush.unwrap();
    assert_eq!((inner.counts().dispatched, inner.counts().captured), (1, 0));
    assert_eq!(outer.flush().unwrap().counts().enqueued, 0);
    assert_eq!(recorder.calls().len(), 1);
}

#[test]
fn times_are_taken_only_on_request() {
    let times = |timings| {
        let scope = airlock::scope().timings(timings).executor(Recorder::new());
        let report = scope.run_reported(|| mail(1).and_then(|()| mail(2))).flush.unwrap();
        report.entries().iter().map(|entry| entry.time().is_some()).collect::<Vec<_>>()
    };
    assert_eq!((times(true), times(false)), (vec![true, true], vec![false, false]));
}
