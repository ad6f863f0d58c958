//! When the parameters of a `#[scoped]` function are dropped: after its body, before its flush, in the order in which
//! the plain function drops them, whether or not the body names them.

use std::sync::{Mutex, MutexGuard};

use airlock::{InlineExecutor, Intent};
use futures::executor::block_on;

/// Says when it is dropped.
struct Told<'a>(&'static str, &'a Log);

#[derive(Default)]
struct Log(Mutex<Vec<&'static str>>);

impl Log {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.1.note(self.0);
    }
}

struct Pair<'a> {
    first: Told<'a>,
    second: Told<'a>,
}

static DB: Mutex<u64> = Mutex::new(0);

/// The flush, as far as drops are concerned.
static FLUSHED: Log = Log(Mutex::new(Vec::new()));

fn flushing() -> impl Fn(Intent) -> Result<(), airlock::DispatchError> + Send + Sync + 'static {
    |_: Intent| {
        FLUSHED.note("flush");
        Ok(())
    }
}

#[airlock::task(name = "scoped_parameters.note")]
fn note() {}

#[airlock::task(name = "scoped_parameters.lock")]
fn lock() -> Result<(), &'static str> {
    *DB.try_lock().map_err(|_| "the lock is held by the function whose scope this is")? += 1;
    Ok(())
}

#[airlock::scoped(executor = InlineExecutor::new())]
fn close(_lock: MutexGuard<'_, u64>, _: u64) -> airlock::Result<()> {
    lock::enqueue()?;
    Ok(())
}

#[airlock::scoped(executor = InlineExecutor::new())]
async fn close_later(_lock: MutexGuard<'_, u64>, _: u64) -> airlock::Result<()> {
    lock::enqueue()?;
    Ok(())
}

#[test]
fn a_lock_that_a_function_was_given_is_free_when_its_tasks_run() {
    close(DB.lock().unwrap(), 1).unwrap();
    block_on(close_later(DB.lock().unwrap(), 1)).unwrap();
    assert_eq!(*DB.lock().unwrap(), 2);
}

/// One function, once plain and once with the attribute.
macro_rules! both {
    ($plain:ident, $scoped:ident, [$($asynchronous:ident)?]) => {
        both!(@one [] [$($asynchronous)?] $plain);
        both!(@one [#[airlock::scoped(executor = flushing())]] [$($asynchronous)?] $scoped);
    };
    (@one [$(#[$attribute:meta])*] [$($asynchronous:ident)?] $name:ident) => {
        $(#[$attribute])*
        #[allow(clippy::used_underscore_binding, unused_variables, reason = "what is unused is what this is about")]
        $($asynchronous)? fn $name<'a>(
            named: Told<'a>,
            _unnamed: Told<'a>,
            _: Told<'a>,
            (half, _): (Told<'a>, Told<'a>),
            Pair { first, .. }: Pair<'a>,
            [ref borrowed, _]: [Told<'a>; 2],
            mut last: Told<'a>,
        ) -> airlock::Result<&'static str> {
            let _local = Told("local", named.1);
            note::enqueue().ok();
            last.0 = "changed";
            if borrowed.0.is_empty() {
                return Ok("early");
            }
            Ok(named.0)
        }
    };
}

both!(plain, scoped, []);
both!(plain_later, scoped_later, [async]);

/// Calls it with a value for each parameter.
macro_rules! called {
    ($function:ident($log:expr)) => {{
        let told = |what| Told(what, $log);
        $function(
            told("named"),
            told("unnamed"),
            told("blank"),
            (told("half"), told("other half")),
            Pair { first: told("first"), second: told("second") },
            [told("borrowed"), told("beside it")],
            told("last"),
        )
    }};
}

#[test]
fn parameters_are_dropped_before_the_flush_in_the_order_of_the_plain_function() {
    let log = &FLUSHED;
    let _ = log.take();
    assert_eq!(called!(plain(log)).unwrap(), "named");
    let plain = log.take();
    assert_eq!(plain.len(), 11, "{plain:?}");
    assert_eq!(called!(scoped(log)).unwrap(), "named");
    let mut expected = plain;
    expected.push("flush");
    assert_eq!(log.take(), expected);

    assert_eq!(block_on(called!(plain_later(log))).unwrap(), "named");
    let mut expected = log.take();
    expected.push("flush");
    assert_eq!(block_on(called!(scoped_later(log))).unwrap(), "named");
    assert_eq!(log.take(), expected);
    methods(log);
}

impl<'a> Pair<'a> {
    #[airlock::scoped(executor = flushing())]
    fn named_in_part(self, by: &mut u64) -> airlock::Result<usize> {
        note::enqueue()?;
        *by += 1;
        Ok(self.first.0.len())
    }

    #[airlock::scoped(executor = flushing())]
    async fn unnamed(self: Box<Self>, _other: Told<'a>) -> airlock::Result<()> {
        note::enqueue()?;
        Ok(())
    }

    #[airlock::scoped(executor = flushing())]
    fn moved_in_part(self, other: Mutex<u64>) -> airlock::Result<u64> {
        note::enqueue()?;
        drop(self.second);
        // Up to edition 2021, what the value of a body borrows from lives longer than its locals.
        Ok(*other.lock().unwrap())
    }
}

fn methods(log: &Log) {
    let pair = || Pair { first: Told("first", log), second: Told("second", log) };
    let mut count = 0;
    assert_eq!(pair().named_in_part(&mut count).unwrap(), 5);
    assert_eq!((log.take(), count), (vec!["first", "second", "flush"], 1));
    block_on(Box::new(pair()).unnamed(Told("other", log))).unwrap();
    assert_eq!(log.take(), ["other", "first", "second", "flush"]);
    assert_eq!(pair().moved_in_part(Mutex::new(7)).unwrap(), 7);
    assert_eq!(log.take(), ["second", "first", "flush"]);
}

#[airlock::scoped(executor = executor)]
fn with_executor(executor: impl airlock::Executor, _: u64) -> airlock::Result<()> {
    note::enqueue()?;
    Ok(())
}

#[airlock::scoped(executor = executor.clone())]
async fn with_its_clone<E: airlock::Executor + Clone>(executor: E) -> airlock::Result<E> {
    note::enqueue()?;
    Ok(executor)
}

#[airlock::scoped(executor = executor, policy = policy)]
fn with_one_of_a_pair((executor, policy): (InlineExecutor, airlock::AllowAll), mut count: u64) -> airlock::Result<u64> {
    note::enqueue()?;
    count += 1;
    Ok(count)
}

#[airlock::scoped(executor = executor)]
async fn with_one_of_a_pair_later((executor, _): (InlineExecutor, u64)) -> airlock::Result<()> {
    note::enqueue()?;
    Ok(())
}

#[test]
fn an_option_may_take_a_parameter_for_itself() {
    with_executor(InlineExecutor::new(), 1).unwrap();
    assert_eq!(with_one_of_a_pair((InlineExecutor::new(), airlock::AllowAll), 1).unwrap(), 2);
    block_on(with_one_of_a_pair_later((InlineExecutor::new(), 1))).unwrap();
    block_on(with_its_clone(InlineExecutor::new())).map(drop).unwrap();
}
