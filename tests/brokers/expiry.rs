//! What is late at the hand-over is told as expired and not sent, and costs nothing else of its flush.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::{
    Batch, BoxFuture, CeleryExecutor, DispatchError, DramatiqExecutor, Executor, FlushError, FlushReport, HueyExecutor,
    Options, Outcome, Retry, Route,
};
use airlock_tests::patience::eventually;
use airlock_tests::process::free_port;
use airlock_tests::servers::{DjangoDatabase, RabbitServer, RedisServer};

use crate::rabbit::{drain, queue_of_its_own};
use crate::sql_systems::System;
use crate::tasks::note;

const PATIENT: Duration = Duration::from_secs(60);
const EXPIRED: &str = "rejected: it expired before its turn came";

const SENT: &str = "dispatched";
const TOO_SOON: &str = "rejected: it expires before it may start; let it expire later, or start sooner";

/// How each intent of a flush ended, in order.
fn told(flush: &Result<FlushReport, FlushError>) -> Vec<String> {
    let report = match flush {
        Ok(report) => report,
        Err(error) => error.report(),
    };
    let of = |outcome: &Outcome| match outcome {
        Outcome::Dispatched => SENT.to_owned(),
        Outcome::Failed { error, .. } => format!("{error}: {}", error.get_ref()),
        other => format!("{other:?}"),
    };
    report.entries().iter().map(|entry| of(entry.outcome())).collect()
}

/// Late and prompt ones in one flush: the late ones are told, the others are there.
fn tells(executor: impl Executor, queue: &str, there: impl Fn() -> usize) {
    let hour = Duration::from_secs(3600);
    let all = [
        (Options::new(), SENT),
        (Options::new().expires_at(UNIX_EPOCH), EXPIRED),
        (Options::new().expires_at(SystemTime::now()), EXPIRED),
        (Options::new().expires_in(Duration::ZERO), EXPIRED),
        (Options::new().expires_in(hour), SENT),
        (Options::new().eta(UNIX_EPOCH), SENT),
        (Options::new().eta(UNIX_EPOCH).expires_at(UNIX_EPOCH), EXPIRED),
        (Options::new().delay(hour / 2).expires_in(hour / 4), TOO_SOON),
        (Options::new().delay(hour / 2).expires_in(hour / 2), TOO_SOON),
        (Options::new(), SENT),
    ];
    let ended = airlock::scope().executor(executor).deadline(PATIENT).run_reported(|| {
        for (own, _) in &all {
            note::enqueue_with(own.clone().queue(queue.to_owned()), 1).expect("there is a scope");
        }
    });
    let expected: Vec<_> = all.iter().map(|(_, told)| *told).collect();
    assert_eq!(told(&ended.flush), expected);
    assert_eq!(there(), 4);
}

fn lists(server: &RedisServer, keys: &[&str]) -> usize {
    let length = |key: &&str| match server.command(&["LLEN", key]) {
        redis::Value::Int(length) => usize::try_from(length).expect("a length"),
        other => panic!("{other:?}"),
    };
    keys.iter().map(length).sum()
}

#[test]
fn late_ones_are_told_by_every_executor_that_honours_an_expiry() {
    let (redis, rabbit) = (RedisServer::start(), RabbitServer::shared());
    let celery = CeleryExecutor::new(redis.url()).expect("a URL");
    tells(celery, "celery", || lists(&redis, &["celery"]));
    let dramatiq = DramatiqExecutor::new(redis.url()).expect("a URL");
    tells(dramatiq, "late", || lists(&redis, &["dramatiq:late", "dramatiq:late.DQ"]));
    let huey = HueyExecutor::new(redis.url()).expect("a URL");
    tells(huey, "late", || lists(&redis, &["huey.redis.late"]));

    let queue = queue_of_its_own();
    let celery = CeleryExecutor::new(rabbit.url()).expect("a URL").connect_timeout(PATIENT).declare();
    tells(celery, &queue, || drain(&rabbit.url(), &queue).len());
    let queue = queue_of_its_own();
    let dramatiq = DramatiqExecutor::new(rabbit.url()).expect("a URL").connect_timeout(PATIENT).declare();
    tells(dramatiq, &queue, || drain(&rabbit.url(), &queue).len());

    // Through those that pass them on.
    let celery = || CeleryExecutor::new(redis.url()).expect("a URL");
    tells(Retry::new(celery()), "retried", || lists(&redis, &["retried"]));
    let route = Route::new().queue("routed", celery());
    tells(route, "routed", || lists(&redis, &["routed"]));
}

#[test]
fn what_expired_between_two_dispatches_is_told_at_the_second() {
    let port = free_port();
    let executor = CeleryExecutor::new(format!("redis://127.0.0.1:{port}/0")).expect("a URL");
    let soon = Duration::from_millis(300);
    let ended = airlock::scope().executor(executor.connect_timeout(soon / 10)).run_reported(|| {
        for expires in [soon, PATIENT] {
            note::enqueue_with(Options::new().queue("again").expires_in(expires), 1).expect("there is a scope");
        }
    });
    let error = ended.flush.expect_err("nothing listens there");
    let handed_over = error.undispatched()[0].handed_over().expect("it has a duration");
    eventually("the first has expired", || handed_over + soon < SystemTime::now());

    let server = RedisServer::start();
    let second = error.dispatch(&CeleryExecutor::new(server.url()).expect("a URL")).expect_err("one is late");
    assert_eq!(told(&Err(second)), [EXPIRED, SENT]);
    assert_eq!(lists(&server, &["again"]), 1);
}

/// Unavailable at first, and there once a time has passed.
struct Sometime {
    first: AtomicBool,
    at: SystemTime,
    executor: CeleryExecutor,
}

impl Executor for Sometime {
    fn name(&self) -> &str {
        "sometime"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        if self.first.swap(false, Ordering::Relaxed) {
            let error = DispatchError::unavailable("not yet");
            return Box::pin(async move { batch.begin().expect("there is one").settle(Err(error)) });
        }
        eventually("it is late", || self.at < SystemTime::now());
        self.executor.dispatch(batch)
    }
}

#[test]
fn what_expires_before_it_is_tried_again_is_told() {
    let server = RedisServer::start();
    let executor = CeleryExecutor::new(server.url()).expect("a URL");
    let at = SystemTime::now() + Duration::from_millis(200);
    let retry = Retry::new(Sometime { first: AtomicBool::new(true), at, executor });
    let ended = airlock::scope().executor(retry).deadline(PATIENT).run_reported(|| {
        for expires in [at, at + PATIENT] {
            note::enqueue_with(Options::new().queue("tried").expires_at(expires), 1).expect("there is a scope");
        }
    });
    assert_eq!(told(&ended.flush), [EXPIRED, SENT]);
    assert_eq!(server.list("tried").len(), 1);
}

#[test]
fn late_ones_are_left_out_of_a_transaction_wherever_they_stand() {
    for database in [DjangoDatabase::sqlite(), DjangoDatabase::postgres()] {
        let (url, system) = (database.url(), System::Huey);
        tells(system.executor(url), "late", || usize::try_from(system.count(url)).expect("a few"));
        // What is read in one go ends with late ones, begins with them, and is nothing else.
        for (prompt, late) in [(128, 1), (127, 3), (0, 300)] {
            let before = system.count(url);
            let ended = airlock::scope().executor(system.executor(url)).deadline(PATIENT).run_reported(|| {
                (0..prompt).for_each(|number| drop(note::enqueue(number)));
                for number in 0..late {
                    note::enqueue_with(Options::new().expires_at(UNIX_EPOCH), number).expect("there is a scope");
                }
            });
            let told = told(&ended.flush);
            assert_eq!(told.iter().filter(|told| *told == SENT).count() as u64, prompt);
            assert_eq!(told.iter().filter(|told| *told == EXPIRED).count() as u64, late);
            assert_eq!(system.count(url) - before, prompt);
        }
    }
}
