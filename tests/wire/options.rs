//! Promise 17 over all systems: the table of options in the documentation is what their executors do.

use std::time::Duration;

use airlock::{
    BrokerMessage, CeleryExecutor, DjangoQExecutor, DjangoTasksExecutor, DramatiqExecutor, HueyExecutor, Intent,
    Options, Rejection, SecretKey,
};

use crate::golden::now;
use crate::refusals::with;

const REDIS: &str = "redis://h";
const AMQP: &str = "amqp://h";
const TABLES: [&str; 2] = ["sqlite:///h.db", "postgres://h/h"];

type Answer = Result<BrokerMessage, Rejection>;

/// The rows of the systems: what asks an executor as it is, and one with the builder method that the cell names.
const ROWS: [(&str, &[&str]); 9] = [
    ("Celery, Redis", &[REDIS]),
    ("Celery, RabbitMQ", &[AMQP]),
    ("Dramatiq, Redis", &[REDIS]),
    ("Dramatiq, RabbitMQ", &[AMQP]),
    ("Huey, Redis", &[REDIS]),
    ("Huey, SQLite or Postgres", &TABLES),
    ("Django-Q, Redis", &[REDIS]),
    ("Django-Q, SQLite or Postgres", &TABLES),
    ("Django tasks", &TABLES),
];

/// The options of the columns, in their order.
fn options() -> [Options; 6] {
    let (new, minute) = (Options::new, Duration::from_secs(60));
    [
        new().queue("mail"),
        new().priority(5),
        new().max_retries(3),
        new().delay(minute),
        new().expires_in(minute),
        new().timeout(minute),
    ]
}

fn ask(system: &str, url: &str, method: Option<&str>, intent: &Intent) -> Answer {
    let key = || SecretKey::new("s3cret").unwrap();
    match (system, method) {
        ("Celery", None) => CeleryExecutor::new(url).unwrap().message(intent, now()),
        ("Celery", Some("max_priority")) => CeleryExecutor::new(url).unwrap().max_priority(9).message(intent, now()),
        ("Dramatiq", None) => DramatiqExecutor::new(url).unwrap().message(intent, now()),
        ("Dramatiq", Some("max_priority")) => {
            DramatiqExecutor::new(url).unwrap().max_priority(9).message(intent, now())
        }
        ("Huey", method) => {
            let huey = HueyExecutor::new(url).unwrap().task_prefix("shop.");
            let huey = match method {
                None => huey,
                Some("priorities") => huey.priorities(),
                Some("consumer") => huey.consumer(3),
                Some(other) => panic!("`{other}` is no method of this test"),
            };
            huey.message(intent, now())
        }
        ("Django-Q", None) => DjangoQExecutor::new(url, key()).unwrap().task_prefix("shop.").message(intent, now()),
        ("Django tasks", None) => DjangoTasksExecutor::new(url).unwrap().task_prefix("shop.").message(intent, now()),
        other => panic!("{other:?} is not known to this test"),
    }
}

/// The rows of the table in the documentation of `#[task]`, by their first cell.
fn documented() -> Vec<(&'static str, Vec<&'static str>)> {
    let page = include_str!("../../airlock/docs/attributes.md");
    let (_, table) = page.split_once("| | `queue` |").expect("the table");
    table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect::<Vec<_>>())
        .map(|cells| (cells[0], cells[1..].to_vec()))
        .collect()
}

#[test]
fn promise_17_each_system_honours_or_refuses_each_option_as_the_documentation_says() {
    let table = documented();
    for (row, urls) in ROWS {
        let cells = &table.iter().find(|(name, _)| *name == row).unwrap_or_else(|| panic!("no row {row}")).1;
        let system = row.split(", ").next().unwrap();
        assert_eq!(cells.len(), options().len(), "{row}");
        for (cell, options) in cells.iter().zip(options()) {
            let intent = with(options);
            // "with `.max_priority(n)`" and the like: refused without it.
            let method = cell.strip_prefix("with `.").and_then(|rest| rest.split('(').next());
            for url in urls {
                let plain = ask(system, url, None, &intent);
                let is_refused = method.is_some() || cell.starts_with("refused");
                assert_eq!(plain.is_err(), is_refused, "{row} over {url}: {cell}: {plain:?}");
                if let Err(rejection) = &plain {
                    assert!(rejection.reason().contains(';'), "{row}: {cell}: no way out in: {}", rejection.reason());
                }
                if method.is_some() {
                    let made = ask(system, url, method, &intent);
                    assert!(made.is_ok(), "{row} over {url}: {cell}: {made:?}");
                }
            }
        }
    }
    let others = ["inline, log", "threads, tokio", "Lambda"];
    let known = |name: &&str| ROWS.iter().any(|(row, _)| row == name) || others.contains(name);
    assert!(table.iter().all(|(name, _)| known(name)), "a row has no test: {table:?}");
}
