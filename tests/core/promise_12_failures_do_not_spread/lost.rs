//! Flush errors that are dropped: their log and `on_lost`.

use std::sync::{Arc, Mutex};

use airlock::{Intent, Settings};
use airlock_tests::log::logged;
use airlock_tests::recorder::{Recorder, unavailable};

use super::{Fate, ONE_OF_EACH, flush_fates, ids, kind, many, mixed, numbers};
use crate::settings::alone;

fn error_lines(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.starts_with("ERROR")).collect()
}

#[test]
fn a_dropped_flush_error_logs_one_event_a_task_with_the_count_and_the_first_ids() {
    let scope = airlock::scope().name("till").executor(mixed(&Recorder::new()));
    let guard = scope.enter();
    for n in 0..5 {
        kind::enqueue(Fate::Rejected, n).unwrap();
    }
    let error = guard.flush().unwrap_err();
    let first: Vec<_> = ids(error.undispatched()).iter().map(ToString::to_string).collect();
    let ((), log) = logged(|| drop(error));
    let lines = error_lines(&log);
    assert_eq!(lines.len(), 1, "{log}");
    for part in ["scope `till`", "p12.kind", "not dispatched", "intents=5", "a flush error was dropped"] {
        assert!(lines[0].contains(part), "{part}: {log}");
    }
    for (n, id) in first.iter().enumerate() {
        assert_eq!(lines[0].contains(id), n < 3, "{log}");
    }
}

#[test]
fn a_dropped_flush_error_logs_at_most_twenty_tasks_and_how_many_more_there_are() {
    let guard = airlock::scope().executor(|_: Intent| Err(unavailable())).enter();
    many::enqueue();
    let error = guard.flush().unwrap_err();
    let ((), log) = logged(|| drop(error));
    let (tasks, more): (Vec<_>, Vec<_>) = error_lines(&log).into_iter().partition(|line| line.contains("p12_many_"));
    assert_eq!(tasks.len(), 20, "{log}");
    assert_eq!(more.len(), 1, "{log}");
    assert!(more[0].contains("more=5"), "{log}");
}

#[test]
fn a_flush_error_that_is_dealt_with_logs_nothing_as_it_goes() {
    let ((), log) = logged(|| {
        let fates = [Fate::Unavailable, Fate::Fine];
        let taken = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &fates);
        assert_eq!(taken.into_intents().len(), 2);
        let sent = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &fates);
        sent.dispatch(&Recorder::new()).unwrap();
    });
    assert_eq!(log, "");
}

#[test]
fn the_intents_of_a_dropped_flush_error_go_to_on_lost_after_they_were_logged() {
    alone(|| {
        let lost = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lost);
        airlock::configure(Settings::new().on_lost(move |found| {
            tracing::info!("on_lost");
            sink.lock().unwrap().push((found.scope().name().map(str::to_owned), found.into_intents()));
        }));
        let scope = || airlock::scope().name("till").executor(mixed(&Recorder::new()));
        // Those that ran and failed are done, not lost.
        let error = flush_fates(scope(), &ONE_OF_EACH);
        let ((), log) = logged(|| drop(error));
        let levels: Vec<_> = log.lines().filter_map(|line| line.split_once(' ')).map(|(level, _)| level).collect();
        assert_eq!(levels, ["ERROR", "ERROR", "ERROR", "INFO"], "one a task and fate, then the hook: {log}");
        let found = lost.lock().unwrap().pop().expect("the hook was called");
        assert_eq!((found.0.as_deref(), numbers(&found.1)), (Some("till"), vec![0, 4, 5, 2]));

        // Nothing is lost where nothing is left, or where the caller took it.
        let failed = flush_fates(scope(), &[Fate::TaskFailed]);
        let ((), log) = logged(|| drop(failed));
        assert_eq!(error_lines(&log).len(), 1, "a failed task is still told: {log}");
        drop(flush_fates(scope(), &ONE_OF_EACH).into_intents());
        assert!(lost.lock().unwrap().is_empty());

        // `run` keeps no more than it must, and loses nothing either.
        let ran = scope().run(|| -> airlock::Result<()> {
            kind::enqueue(Fate::Fine, 0)?;
            kind::enqueue(Fate::Unconfirmed, 1)?;
            Ok(())
        });
        drop(ran.unwrap_err());
        assert_eq!(numbers(&lost.lock().unwrap().pop().expect("the hook was called").1), [1]);
    });
}

#[test]
fn an_on_lost_hook_that_panics_is_logged_and_does_no_harm() {
    alone(|| {
        airlock::configure(Settings::new().on_lost(|_| panic!("the hook is broken")));
        let error = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &[Fate::Rejected]);
        let ((), log) = logged(|| drop(error));
        assert!(log.contains("the `on_lost` hook panicked") && log.contains("the hook is broken"), "{log}");
    });
}
