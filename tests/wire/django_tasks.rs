//! Django tasks: what lies in the table, and what is refused.

use std::time::{Duration, UNIX_EPOCH};

use airlock::{BrokerUrlError, DjangoTasksExecutor, Intent, Options, SqlMessage, SqlValue};
use airlock_tests::exact::Exact;
use airlock_tests::servers::DjangoDatabase;

use crate::golden::{CALLS, File, as_python, now};
use crate::refusals::{raw, with};
use crate::{rows, tasks};

const OPTIONS: &str = r#"{"queue":"special","priority":6,"delay_ms":300000}"#;

fn executor(url: &str) -> DjangoTasksExecutor {
    DjangoTasksExecutor::new(url).unwrap()
}

fn row(url: &str, intent: &Intent) -> SqlMessage {
    rows::row(executor(url).message(intent, now()))
}

fn is_what_django_writes(vendor: &str, database: &DjangoDatabase, nul: &str) {
    for name in CALLS {
        let file = File::read("django_tasks", &format!("{vendor}_{name}"));
        let intent = tasks::of_with(name, if name == "options" { OPTIONS } else { "{}" }, nul);
        // SQLite keeps the text, for which Python has its own taste of spaces and escapes.
        let is_alike = |column: &str, ours: &str, theirs: &str| {
            vendor == "sqlite"
                && column == "args_kwargs"
                && as_python(ours, ", ", ": ") == theirs
                && Exact::of(ours) == Exact::of(theirs)
        };
        rows::compare(database, &row(database.url(), &intent), &file, is_alike);
    }
}

#[test]
fn on_sqlite_it_is_what_django_writes_column_by_column() {
    is_what_django_writes("sqlite", &DjangoDatabase::sqlite(), "\0");
}

#[test]
fn on_postgres_it_is_what_django_writes_column_by_column() {
    is_what_django_writes("postgresql", &DjangoDatabase::postgres(), "");
}

/// What a worker on SQLite compares as text: the digits of a fraction are six or none.
#[test]
fn on_sqlite_times_have_six_digits_after_the_point_or_no_point() {
    let run_after = |nanos: u32| {
        let eta = UNIX_EPOCH + Duration::new(1_900_000_000, nanos);
        match &row("sqlite:///db", &with(Options::new().eta(eta))).values()[6] {
            SqlValue::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(run_after(0), "2030-03-17 17:46:40");
    assert_eq!(run_after(5_000_000), "2030-03-17 17:46:40.005000");
    // Rounded up: nothing runs early.
    assert_eq!(run_after(1), "2030-03-17 17:46:40.000001");
    assert_eq!(run_after(999_999_001), "2030-03-17 17:46:41");
}

#[test]
fn ids_are_those_of_the_intents_as_each_database_has_them() {
    let intent = with(Options::new());
    let id = |url: &str| match &row(url, &intent).values()[0] {
        SqlValue::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id("postgres://localhost"), intent.id().to_string());
    assert_eq!(id("sqlite:///db"), intent.id().to_string().replace('-', ""));
}

/// Asks both, and compares the reason of those that refuse.
#[track_caller]
fn refused(intent: &Intent, by: &str, reason: &str) {
    let mut who = Vec::new();
    for (database, url) in [("sqlite", "sqlite:///db"), ("postgres", "postgres://localhost")] {
        let Err(rejection) = executor(url).message(intent, now()) else { continue };
        assert!(rejection.reason().contains(reason), "{database}: {rejection}");
        assert!(rejection.reason().contains(';') && !rejection.reason().ends_with('.'), "no way out: {rejection}");
        who.push(database);
    }
    assert_eq!(who.join(", "), by);
}

const BOTH: &str = "sqlite, postgres";

#[test]
fn options_that_django_has_no_place_for() {
    refused(&with(Options::new().max_retries(3)), BOTH, "have no `max_retries`");
    refused(&with(Options::new().expires_in(Duration::from_secs(9))), BOTH, "have no `expires`");
    refused(&with(Options::new().timeout(Duration::from_secs(9))), BOTH, "have no `timeout`");
    refused(&with(Options::new().header("tenant", "acme")), BOTH, "have no `header`");
    refused(&with(Options::new().priority(9).origin("x").label("y").delay(Duration::from_secs(1))), "", "");
    let last = UNIX_EPOCH + Duration::from_secs(253_370_764_799);
    refused(&with(Options::new().eta(last)), "", "");
    // It would be the mark of a task without a time.
    refused(&with(Options::new().eta(last + Duration::from_secs(1))), BOTH, "after the year 9998");
    refused(&with(Options::new().delay(Duration::MAX)), BOTH, "after the year 9998");
    refused(&with(Options::new().extra("django_tasks", "run_after", 1)), BOTH, "use `delay` or `eta`");
    refused(&with(Options::new().extra("django_tasks", "bakend", 1)), BOTH, "has no extra `bakend`");
    refused(&with(Options::new().extra("django_tasks", "backend", 1)), BOTH, "give it some text");
    refused(&with(Options::new().extra("django_tasks", "backend", "b".repeat(33))), BOTH, "33 characters and 32");
}

#[test]
fn names_that_lead_nowhere() {
    refused(&with(Options::new().queue("q".repeat(33))), BOTH, "33 characters and 32 are possible");
    refused(&with(Options::new().queue("ö".repeat(32))), "", "");
    refused(&with(Options::new().queue("")), BOTH, "the queue's name is empty");
    for prefix in ["", "shop tasks.", "shop..", "1shop.", ".", "shop/tasks."] {
        let refusal =
            executor("sqlite:///db").task_prefix(prefix).message(&tasks::dotless::intent(), now()).unwrap_err();
        assert!(refusal.reason().contains("is none; name it like"), "{refusal}");
    }
    assert!(executor("sqlite:///db").task_prefix("läden._x1.").message(&tasks::dotless::intent(), now()).is_ok());
}

#[test]
fn what_jsonb_can_not_hold() {
    refused(&raw(r#"["a\u0000b"]"#), "postgres", "holds a NUL character");
    refused(&raw(r#"{"a\u0000":1}"#), "postgres", "holds a NUL character");
    refused(&raw("1e-20000"), "postgres", "more digits than Postgres can store");
    refused(&raw(r#"["\\u0000"]"#), "", "");
    refused(&raw("[1e999]"), BOTH, "larger than any float");
    refused(&tasks::float::intent(f64::NAN), BOTH, "not finite");
    let large = raw(&format!("\"{}\"", "x".repeat(10_000)));
    assert!(executor("sqlite:///db").body_limit(10_000).message(&large, now()).is_err());
}

#[test]
fn other_brokers_are_refused() {
    for url in ["redis://localhost", "amqp://localhost"] {
        assert_eq!(DjangoTasksExecutor::new(url).unwrap_err(), BrokerUrlError::System("Django's database backend"));
    }
}
