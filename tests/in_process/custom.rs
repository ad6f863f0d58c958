//! The executors that the Python original's documentation writes by hand, each a closure of a few lines; and the log
//! executor that comes with the library, on paper.

use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use airlock::{DispatchError, Intent, LogExecutor, executor_fn};
use airlock_tests::patience::PATIENCE;

use crate::threads::{Probe, act};

#[airlock::task(name = "custom.send")]
fn send(order_id: u64, #[redact] token: String) {
    let _ = (order_id, token);
}

fn enqueue(scope: airlock::ScopeBuilder) -> Result<(), airlock::FlushError> {
    scope.run(|| drop(send::enqueue(42, "tok_42".to_owned())))
}

#[test]
fn a_thread_pool_is_a_closure() {
    let (jobs, queue) = mpsc::sync_channel::<Intent>(100);
    thread::spawn(move || queue.into_iter().for_each(|intent| drop(intent.call())));
    let pool = executor_fn(move |intent: Intent| {
        jobs.try_send(intent).map_err(|full| DispatchError::unavailable(full.to_string()))
    });

    let (probe, ran) = Probe::sending();
    airlock::scope().executor(pool).run(|| drop(act::enqueue(probe, 7))).unwrap();
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(7));
}

#[test]
fn a_remote_function_call_is_a_closure() {
    let called = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&called);
    let invoke = move |function: &str, payload: &str| -> io::Result<()> {
        sink.lock().unwrap().push((function.to_owned(), payload.to_owned()));
        Ok(())
    };

    let remote = executor_fn(move |intent: Intent| {
        let payload = intent.to_json().map_err(DispatchError::rejected)?;
        invoke(intent.name(), payload.get()).map_err(DispatchError::unavailable)
    });

    enqueue(airlock::scope().executor(remote)).unwrap();
    let expected = ("custom.send".to_owned(), r#"{"order_id":42,"token":"tok_42"}"#.to_owned());
    assert_eq!(*called.lock().unwrap(), [expected]);
}

#[test]
fn a_log_is_a_closure() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);

    let log = executor_fn(move |intent: Intent| {
        sink.lock().unwrap().push(format!("would run {intent}"));
        Ok::<(), DispatchError>(())
    });

    enqueue(airlock::scope().executor(log)).unwrap();
    assert_eq!(*lines.lock().unwrap(), ["would run custom.send(order_id=42, token=***)"]);
}

/// A writer whose lines can be read.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_executor_writes_a_line_an_intent_with_values_only_on_request() {
    let paper = Paper::default();
    enqueue(airlock::scope().executor(LogExecutor::new().to_writer(paper.clone()))).unwrap();
    enqueue(airlock::scope().executor(LogExecutor::new().to_writer(paper.clone()).with_arguments())).unwrap();
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let [bare, full] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(
        bare.starts_with("would dispatch custom.send ") && bare.contains(" (tests/in_process/custom.rs:"),
        "{bare}"
    );
    assert!(full.starts_with("would dispatch custom.send(order_id=42, token=***) "), "{full}");
    assert!(!text.contains("tok_42") && !bare.contains("42,"), "{text}");
}

#[test]
fn a_line_that_cannot_be_written_is_unavailable() {
    struct Full;

    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space left"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let error = enqueue(airlock::scope().executor(LogExecutor::new().to_writer(Full))).unwrap_err();
    assert!(error.to_string().ends_with("unavailable: no space left"), "{error}");
    drop(error.into_intents());
}
