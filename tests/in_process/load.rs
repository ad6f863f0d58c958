//! Nothing is lost under load: whatever was accepted has run, was reported, or was handed back.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use airlock::{Deadline, DispatchErrorKind, Executor, Failure, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::{Gate, PATIENCE, block_on};

const THREADS: usize = 8;
const EACH: usize = 12_500;
const IN_A_SCOPE: usize = 250;

/// What became of it all.
#[derive(Debug, Default)]
struct Account {
    accepted: AtomicUsize,
    not_accepted: AtomicUsize,
    ran: AtomicUsize,
    reported: AtomicUsize,
    begun: AtomicUsize,
    /// How many arguments there are, and were at most.
    alive: AtomicUsize,
    most_alive: AtomicUsize,
    /// Where tasks wait once half of them have begun.
    half_way: OnceLock<Gate>,
}

/// An argument that is counted as long as it is in memory.
struct Book(Arc<Account>);

impl Book {
    fn new(account: &Arc<Account>) -> Self {
        account.most_alive.fetch_max(account.alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Self(Arc::clone(account))
    }

    fn begin(&self) {
        let begun = self.0.begun.fetch_add(1, Ordering::SeqCst);
        if begun >= THREADS * EACH / 2
            && let Some(gate) = self.0.half_way.get()
        {
            gate.pass();
        }
    }
}

impl Clone for Book {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl serde::Serialize for Book {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> serde::Deserialize<'de> for Book {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it only lives in this process"))
    }
}

/// Every seventh fails and every eleventh panics, by a number without a pattern.
fn misbehaves(n: usize) -> Result<(), String> {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    if mixed.is_multiple_of(7) {
        return Err("no".to_owned());
    }
    assert!(!mixed.is_multiple_of(11), "dear me");
    Ok(())
}

#[airlock::task(name = "load.plain")]
fn plain(book: Book, n: usize) -> Result<(), String> {
    book.begin();
    misbehaves(n)?;
    book.0.ran.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[airlock::task(name = "load.later")]
async fn later(book: Book, n: usize) -> Result<(), String> {
    book.begin();
    if n.is_multiple_of(3) {
        tokio::task::yield_now().await;
    }
    misbehaves(n)?;
    book.0.ran.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// Flushes these once, and enters what came of it.
fn flush(
    executor: &(impl Executor + Clone),
    account: &Arc<Account>,
    mixed: bool,
    deadline: Duration,
    numbers: Range<usize>,
) {
    let ended = airlock::scope().executor(executor.clone()).deadline(deadline).run_reported(|| {
        for n in numbers {
            let book = Book::new(account);
            if mixed && n.is_multiple_of(2) { later::enqueue(book, n) } else { plain::enqueue(book, n) }.unwrap();
        }
    });
    let counts = match ended.flush {
        Ok(report) => report.counts(),
        Err(error) => {
            assert!(error.unconfirmed().is_empty() && error.failed().is_empty(), "{error}");
            let counts = error.report().counts();
            drop(error.into_intents());
            counts
        }
    };
    account.accepted.fetch_add(counts.dispatched, Ordering::SeqCst);
    account.not_accepted.fetch_add(counts.enqueued - counts.dispatched, Ordering::SeqCst);
}

/// Flushes from all threads until everything was handed over or refused.
fn load(executor: &(impl Executor + Clone), account: &Arc<Account>, mixed: bool, deadline: Duration) {
    thread::scope(|threads| {
        for thread in 0..THREADS {
            threads.spawn(move || {
                for scope in 0..EACH / IN_A_SCOPE {
                    let first = thread * EACH + scope * IN_A_SCOPE;
                    flush(executor, account, mixed, deadline, first..first + IN_A_SCOPE);
                }
            });
        }
    });
}

fn reporting(account: &Arc<Account>) -> impl Fn(Failure) + Send + Sync + 'static {
    let account = Arc::clone(account);
    move |failure| {
        assert_eq!(failure.error.kind(), DispatchErrorKind::TaskFailed);
        account.reported.fetch_add(1, Ordering::SeqCst);
    }
}

impl Account {
    fn figures(&self) -> [usize; 4] {
        [&self.accepted, &self.not_accepted, &self.ran, &self.reported].map(|figure| figure.load(Ordering::SeqCst))
    }
}

/// Panics in tasks are the point here; what they print is not.
fn quietly<R>(run: impl FnOnce() -> R) -> R {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>().is_none_or(|text| *text != "dear me") {
                usual(info);
            }
        }));
    });
    run()
}

/// All of it gets through: what was accepted has run or was reported, and that is everything.
fn everything_gets_through(executor: &(impl Executor + Clone), account: &Arc<Account>, mixed: bool) {
    quietly(|| load(executor, account, mixed, PATIENCE));
    assert!(block_on(executor.shutdown(Deadline::after(PATIENCE))).is_empty());
    let [accepted, not_accepted, ran, reported] = account.figures();
    assert_eq!((accepted, not_accepted), (THREADS * EACH, 0));
    assert_eq!(accepted, ran + reported);
    assert!(reported > accepted / 10, "{reported}");
}

/// The executor is shut down while they flush: what was accepted has run, was reported, or came back.
fn shut_down_in_the_middle(executor: &(impl Executor + Clone), account: &Arc<Account>, mixed: bool) {
    let gate = account.half_way.get_or_init(Gate::new);
    let unfinished = thread::scope(|threads| {
        threads.spawn(|| quietly(|| load(executor, account, mixed, PATIENCE)));
        gate.await_waiting(1);
        // With this, something waits for sure: these, or what keeps them out.
        flush(executor, account, mixed, Duration::from_millis(10), 0..IN_A_SCOPE);
        let unfinished = block_on(executor.shutdown(Deadline::after(Duration::ZERO)));
        gate.open();
        unfinished
    });
    // Those that ran when the shutdown's deadline passed have ended by now, or do soon.
    let came_back = unfinished.intents.len();
    assert!(came_back > 0 && unfinished.running > 0, "{came_back} {}", unfinished.running);
    drop(unfinished.intents);
    airlock_tests::patience::eventually("accepted = run + reported + handed back", || {
        let [accepted, not_accepted, ran, reported] = account.figures();
        assert_eq!(accepted + not_accepted, THREADS * EACH + IN_A_SCOPE);
        assert!(not_accepted > 0);
        accepted == ran + reported + came_back
    });
    airlock_tests::patience::eventually("nothing of it is left", || account.alive.load(Ordering::SeqCst) == 0);
}

/// What is in memory at any time: what waits and runs, and what the flushes have of their own.
fn is_bounded(account: &Account, waits_and_runs: usize) {
    let alive = account.most_alive.load(Ordering::SeqCst);
    assert!(alive <= waits_and_runs + THREADS * IN_A_SCOPE, "{alive}");
}

#[test]
fn a_hundred_thousand_intents_of_eight_threads_get_through_a_thread_pool() {
    let account = Arc::default();
    let pool = ThreadPoolExecutor::new().threads(4).queue_limit(1000).on_error(reporting(&account));
    everything_gets_through(&pool, &account, false);
}

#[test]
fn what_waits_in_a_thread_pool_is_never_more_than_its_limit() {
    let account: Arc<Account> = Arc::default();
    let pool = ThreadPoolExecutor::new().threads(2).queue_limit(64).on_error(reporting(&account));
    everything_gets_through(&pool, &account, false);
    is_bounded(&account, 64 + 2);
}

#[test]
fn a_thread_pool_that_is_shut_down_in_the_middle_hands_back_what_it_had() {
    let account = Arc::default();
    let pool = ThreadPoolExecutor::new().threads(2).queue_limit(2000).on_error(reporting(&account));
    shut_down_in_the_middle(&pool, &account, false);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_hundred_thousand_intents_of_eight_threads_get_through_a_tokio_runtime() {
    let (account, runtime) = (Arc::default(), runtime());
    let executor = TokioExecutor::on(runtime.handle().clone()).queue_limit(1000).on_error(reporting(&account));
    everything_gets_through(&executor, &account, true);
}

#[test]
fn what_waits_for_a_tokio_runtime_is_never_more_than_its_limit() {
    let (account, runtime): (Arc<Account>, _) = (Arc::default(), runtime());
    let executor =
        TokioExecutor::on(runtime.handle().clone()).concurrency(4).queue_limit(64).on_error(reporting(&account));
    everything_gets_through(&executor, &account, true);
    is_bounded(&account, 64 + 4);
}

#[test]
fn a_tokio_executor_that_is_shut_down_in_the_middle_hands_back_what_it_had() {
    let (account, runtime) = (Arc::default(), runtime());
    let executor =
        TokioExecutor::on(runtime.handle().clone()).concurrency(4).queue_limit(2000).on_error(reporting(&account));
    shut_down_in_the_middle(&executor, &account, true);
}
