//! A process that was forked from one with executors at work. A program of its own: nothing else runs when it forks.
//!
//! The child has a copy of all there is and none of the threads. Each step of it says what came of it on a line of its
//! own; one that hangs is given up.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use airlock::{Deadline, Executor, Options, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::{Gate, PATIENCE, eventually};

/// What hangs in the child is found after this long; its steps take milliseconds.
const HANGS: Duration = Duration::from_secs(30);

static RAN: AtomicUsize = AtomicUsize::new(0);

/// Where tasks wait. A forked child has one of its own, at which as many wait as did then.
fn gate() -> Gate {
    static GATE: LazyLock<Gate> = LazyLock::new(Gate::new);
    GATE.clone()
}

#[airlock::task(name = "forked.waits")]
fn waits() {
    gate().pass();
    RAN.fetch_add(1, Ordering::SeqCst);
}

fn flush(executor: &Arc<dyn Executor>, count: usize) -> String {
    let scope = airlock::scope().executor(Arc::clone(executor)).deadline(PATIENCE);
    match scope.run(|| (0..count).for_each(|_| drop(waits::enqueue()))) {
        Ok(()) => "ok".to_owned(),
        Err(error) => {
            let told = format!("{error}, {} back", error.undispatched().len());
            drop(error.into_intents());
            told
        }
    }
}

/// What the child does, a line for each.
fn child(executors: &[Arc<dyn Executor>], out: &mut impl Write) {
    for executor in executors {
        writeln!(out, "{}: {}", executor.name(), flush(executor, 2)).unwrap();
    }
    // The parent's work is the parent's: neither is it waited for here, nor handed back, nor lost.
    let unfinished = airlock::shutdown(Deadline::NONE);
    writeln!(out, "shutdown: {} {}", unfinished.intents.len(), unfinished.running).unwrap();
    // The timer is the child's own.
    let own: Arc<dyn Executor> = Arc::new(ThreadPoolExecutor::new().threads(1).queue_limit(1).named("own"));
    assert_eq!(flush(&own, 1), "ok");
    gate().await_waiting(3);
    let scope = airlock::scope().executor(Arc::clone(&own)).deadline(Duration::from_millis(20));
    let error = scope.run(|| (0..3).for_each(|_| drop(waits::enqueue()))).unwrap_err();
    writeln!(out, "own: {} back", error.into_intents().len()).unwrap();
    gate().open();
    let later = Options::new().delay(Duration::from_millis(20));
    airlock::scope().executor(own).run(|| drop(waits::enqueue_with(later))).unwrap();
    eventually("delayed work of the child runs", || RAN.load(Ordering::SeqCst) >= 3);
    writeln!(out, "delayed: ran").unwrap();
}

fn main() {
    // Never dropped: a test that fails leaves its tasks at their gate.
    let runtime = Box::leak(Box::new(tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()));
    let tokio = TokioExecutor::on(runtime.handle().clone()).concurrency(1).named("used");
    let unused = TokioExecutor::on(runtime.handle().clone()).named("unused");
    let pool = ThreadPoolExecutor::new().threads(1).named("pool");
    let executors: [Arc<dyn Executor>; 3] = [Arc::new(pool), Arc::new(tokio), Arc::new(unused)];
    // Some of it runs and some waits, in this process.
    executors[..2].iter().for_each(|executor| assert_eq!(flush(executor, 3), "ok"));
    gate().await_waiting(2);
    // The timer thread is there, too.
    let later = Options::new().delay(Duration::from_secs(3600));
    airlock::scope().executor(Arc::clone(&executors[0])).run(|| drop(waits::enqueue_with(later))).unwrap();

    let (ours, mut theirs) = UnixStream::pair().unwrap();
    match fork::fork() {
        Ok(fork::Fork::Child) => {
            drop(ours);
            // Should it hang, it is not left behind.
            thread::spawn(|| {
                thread::park_timeout(HANGS);
                std::process::exit(1)
            });
            child(&executors, &mut theirs);
            drop(theirs);
            std::process::exit(0);
        }
        Ok(fork::Fork::Parent(pid)) => {
            drop(theirs);
            ours.set_read_timeout(Some(HANGS)).unwrap();
            let said: Vec<String> = BufReader::new(ours).lines().map_while(Result::ok).collect();
            let refused = |kind: &str, name: &str| {
                format!(
                    "this process was forked from the one that runs the tasks of {kind} `{name}`; make an executor \
                     after the fork, 2 back"
                )
            };
            assert_eq!(said.len(), 6, "the child hangs after: {said:?}");
            for (line, (kind, name)) in
                said.iter().zip([("thread pool", "pool"), ("tokio executor", "used"), ("tokio executor", "unused")])
            {
                assert!(line.starts_with(name) && line.ends_with(&refused(kind, name)), "{line}");
                assert!(line.contains("unavailable: "), "{line}");
            }
            assert_eq!(said[3..], ["shutdown: 0 0", "own: 2 back", "delayed: ran"]);
            fork::waitpid(pid).unwrap();
            // Here everything goes on.
            gate().open();
            let unfinished = airlock::shutdown(Deadline::after(PATIENCE));
            assert_eq!((unfinished.intents.len(), RAN.load(Ordering::SeqCst)), (1, 6));
        }
        Err(_) => panic!("it can't fork"),
    }
}
