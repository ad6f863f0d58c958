//! Times at their ends, as every system is told them.

use std::time::Duration;

use airlock::{
    BrokerMessage, CeleryExecutor, DjangoQExecutor, DjangoTasksExecutor, DramatiqExecutor, HueyExecutor, Options,
    SecretKey,
};

use crate::golden::now;
use crate::refusals::with;

const NANO: Duration = Duration::from_nanos(1);

#[test]
fn a_delay_beyond_all_calendars_is_refused_by_all_alike() {
    let words =
        "`delay` ends after the year 9998, where the calendars of workers end; leave it out, or make it shorter";
    let key = || SecretKey::new("s3cret").unwrap();
    let (redis, amqp, sqlite, postgres) = ("redis://h", "amqp://h", "sqlite:///h.db", "postgres://h/h");
    for delay in [Duration::MAX, Duration::from_secs(253_402_300_799)] {
        let intent = with(Options::new().delay(delay).queue("q"));
        let mut answers = Vec::new();
        for url in [redis, amqp] {
            answers.push(CeleryExecutor::new(url).unwrap().message(&intent, now()));
            answers.push(DramatiqExecutor::new(url).unwrap().message(&intent, now()));
        }
        for url in [redis, sqlite, postgres] {
            answers.push(HueyExecutor::new(url).unwrap().task_prefix("shop.").message(&intent, now()));
            answers.push(DjangoQExecutor::new(url, key()).unwrap().task_prefix("shop.").message(&intent, now()));
        }
        for url in [sqlite, postgres] {
            answers.push(DjangoTasksExecutor::new(url).unwrap().task_prefix("shop.").message(&intent, now()));
        }
        for answer in answers {
            assert_eq!(answer.unwrap_err().reason(), words);
        }
    }
}

#[test]
fn the_least_time_left_is_a_millisecond_and_never_none() {
    for (left, millis) in [
        (NANO, 1),
        (Duration::from_micros(900), 1),
        (Duration::from_millis(1), 1),
        (Duration::from_millis(1) + NANO, 2),
        (Duration::from_secs(60), 60_000),
    ] {
        for options in [Options::new().expires_in(left), Options::new().expires_at(now() + left)] {
            let intent = with(options);
            let celery = CeleryExecutor::new("amqp://h").unwrap().message(&intent, now()).unwrap();
            let BrokerMessage::Amqp(message) = celery else { panic!("{celery:?}") };
            assert_eq!(message.properties.expiration, Some(format!("{millis}")), "{left:?}");
            let dramatiq = DramatiqExecutor::new("amqp://h").unwrap().message(&intent, now()).unwrap();
            let BrokerMessage::Amqp(message) = dramatiq else { panic!("{dramatiq:?}") };
            let body = String::from_utf8(message.body).unwrap();
            assert!(body.contains(&format!("\"max_age\":{millis}}}")), "{left:?}: {body}");
        }
    }
}

#[test]
fn a_message_that_is_asked_for_too_late_still_says_when_it_expired() {
    let intent = with(Options::new().expires_in(Duration::ZERO));
    let celery = CeleryExecutor::new("amqp://h").unwrap().message(&intent, now()).unwrap();
    let BrokerMessage::Amqp(message) = celery else { panic!("{celery:?}") };
    assert_eq!(message.properties.expiration.as_deref(), Some("1"));
}
