//! Promise 13: the four error kinds are kept apart everywhere, because retrying is only honest when it is known what
//! happened.

mod custom_executors;

use std::sync::{Arc, Mutex};

use airlock::{
    DispatchError, DispatchErrorKind, Ended, Executor, FlushError, FlushReport, Intent, Outcome, ReportEntry,
    executor_fn,
};

#[airlock::task(name = "p13.note")]
fn note(n: u32) {
    let _ = n;
}

const KINDS: [(DispatchErrorKind, &str); 4] = [
    (DispatchErrorKind::Rejected, "rejected"),
    (DispatchErrorKind::Unavailable, "unavailable"),
    (DispatchErrorKind::Unconfirmed, "unconfirmed"),
    (DispatchErrorKind::TaskFailed, "the task failed"),
];

fn error_of(kind: DispatchErrorKind) -> DispatchError {
    match kind {
        DispatchErrorKind::Rejected => DispatchError::rejected("why"),
        DispatchErrorKind::Unavailable => DispatchError::unavailable("why"),
        DispatchErrorKind::TaskFailed => DispatchError::task_failed("why"),
        _ => DispatchError::unconfirmed("why"),
    }
}

/// Flushes `count` intents to the executor.
fn flush(executor: impl Executor, count: u32) -> Result<FlushReport, FlushError> {
    let Ended { flush, .. } = airlock::scope().executor(executor).run_reported(|| {
        for n in 0..count {
            note::enqueue(n).unwrap();
        }
    });
    flush
}

fn outcomes(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(ReportEntry::outcome).map(ToString::to_string).collect()
}

/// Which list of the error each intent is in.
fn lists(error: &FlushError) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let number = |intent: &Intent| intent.args::<note>().unwrap().0;
    (
        error.undispatched().iter().map(number).collect(),
        error.unconfirmed().iter().map(|failure| number(failure.intent.as_ref().unwrap())).collect(),
        error.failed().iter().map(|failure| number(failure.intent.as_ref().unwrap())).collect(),
    )
}

// Closures.

#[test]
fn each_kind_keeps_its_name_its_list_and_its_outcome() {
    for (kind, name) in KINDS {
        let error = flush(executor_fn(move |_| Err(error_of(kind))), 1).unwrap_err();
        assert_eq!(outcomes(error.report()), [format!("{name}: why")]);
        let entry = &error.report().entries()[0];
        match entry.outcome() {
            Outcome::Failed { error } => assert_eq!(error.kind(), kind),
            Outcome::Unconfirmed { error } => assert_eq!((error.kind(), kind), (kind, DispatchErrorKind::Unconfirmed)),
            other => panic!("{other}"),
        }
        let expected = match kind {
            DispatchErrorKind::Rejected | DispatchErrorKind::Unavailable => (vec![0], vec![], vec![]),
            DispatchErrorKind::Unconfirmed => (vec![], vec![0], vec![]),
            _ => (vec![], vec![], vec![0]),
        };
        assert_eq!(lists(&error), expected, "{kind:?}");
        for failure in error.unconfirmed().iter().chain(error.failed()) {
            assert_eq!(failure.error.kind(), kind);
        }
        drop(error.into_intents());
    }
}

#[test]
fn a_dispatch_error_in_a_box_keeps_its_kind() {
    for (kind, name) in KINDS {
        let boxed = executor_fn(move |_| Err::<(), Box<dyn std::error::Error + Send + Sync>>(error_of(kind).into()));
        let error = flush(boxed, 1).unwrap_err();
        assert_eq!(outcomes(error.report()), [format!("{name}: why")]);
        drop(error.into_intents());
    }
}

#[test]
fn any_other_error_of_a_closure_counts_as_unconfirmed() {
    let io = executor_fn(|_| Err(std::io::Error::other("broken pipe")));
    let error = flush(io, 2).unwrap_err();
    assert_eq!(lists(&error), (vec![], vec![0, 1], vec![]));
    assert_eq!(outcomes(error.report()), ["unconfirmed: broken pipe", "unconfirmed: broken pipe"]);
    drop(error.into_intents());
    // A text is an error too, and so is one that only wraps a dispatch error: what it adds may change the meaning.
    let wrapped = |_: Intent| Err(airlock::Error::other(DispatchError::rejected("inside")));
    let error = flush(wrapped, 1).unwrap_err();
    assert_eq!(lists(&error), (vec![], vec![0], vec![]));
    drop(error.into_intents());
    let error = flush(|_: Intent| Err("a text"), 1).unwrap_err();
    assert_eq!(outcomes(error.report()), ["unconfirmed: a text"]);
    drop(error.into_intents());
}

#[test]
fn the_first_unavailable_leaves_the_rest_unattempted_and_the_next_flush_starts_afresh() {
    let asked = Arc::new(Mutex::new(0));
    let executor: Arc<dyn Executor> = Arc::new({
        let asked = Arc::clone(&asked);
        move |_: Intent| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            if *asked == 2 { Err(DispatchError::unavailable("connection refused")) } else { Ok(()) }
        }
    });
    let error = flush(Arc::clone(&executor), 4).unwrap_err();
    assert_eq!(*asked.lock().unwrap(), 2);
    let left = "unattempted: the executor was unavailable for an earlier one";
    assert_eq!(outcomes(error.report()), ["dispatched", "unavailable: connection refused", left, left]);
    assert_eq!(lists(&error), (vec![1, 2, 3], vec![], vec![]));
    drop(error.into_intents());
    assert_eq!(flush(executor, 4).unwrap().counts().dispatched, 4);
}

#[test]
fn the_other_kinds_do_not_keep_the_rest_in() {
    for (kind, _) in KINDS.into_iter().filter(|(kind, _)| *kind != DispatchErrorKind::Unavailable) {
        let executor = executor_fn(move |intent: Intent| match intent.args::<note>() {
            Some((0,)) => Err(error_of(kind)),
            _ => Ok(()),
        });
        let error = flush(executor, 3).unwrap_err();
        assert_eq!(error.report().counts().dispatched, 2, "{kind:?}");
        drop(error.into_intents());
    }
}

#[test]
fn the_whole_chain_of_sources_is_told_on_one_line() {
    #[derive(Debug, thiserror::Error)]
    #[error("can't reach\n  the broker")]
    struct Outer(#[source] std::io::Error);

    let error = flush(|_: Intent| Err(DispatchError::unavailable(Outer(std::io::Error::other("no route")))), 1);
    let error = error.unwrap_err();
    assert_eq!(outcomes(error.report()), ["unavailable: can't reach the broker: no route"]);
    assert!(
        std::error::Error::source(&DispatchError::rejected("why")).is_some_and(|source| source.to_string() == "why")
    );
    drop(error.into_intents());
}

// Inline.

#[tokio::test]
async fn inline_a_task_that_fails_or_panics_has_failed_and_nothing_else_has() {
    #[airlock::task(name = "p13.fails")]
    fn fails() -> Result<(), std::num::ParseIntError> {
        "x".parse::<u8>().map(drop)
    }
    #[airlock::task(name = "p13.panics")]
    fn panics() {
        panic!("{} went wrong", "it")
    }
    #[airlock::task(name = "p13.panics_later")]
    async fn panics_later() {
        tokio::task::yield_now().await;
        std::panic::panic_any(7);
    }

    let body = async {
        fails::enqueue().unwrap();
        panics::enqueue().unwrap();
        panics_later::enqueue().unwrap();
    };
    let ended = airlock::scope().run_reported_async(body).await;
    let error = ended.flush.unwrap_err();
    let expected = [
        "the task failed: invalid digit found in string",
        "the task failed: panicked: it went wrong",
        "the task failed: panicked: a panic without a message",
    ];
    assert_eq!(outcomes(error.report()), expected);
    assert!(error.failed().iter().all(|failure| failure.error.kind() == DispatchErrorKind::TaskFailed));
    assert_eq!((error.undispatched().len(), error.unconfirmed().len(), error.failed().len()), (0, 0, 3));
}

// Executors that misbehave.
