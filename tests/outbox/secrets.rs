//! Where the values of arguments show: in the table, and nowhere else.

#![allow(clippy::print_stdout, reason = "what it says is read by another test")]

use std::process::Command;

use airlock::{Options, Outbox, OutboxFilter, OutboxState, RunFailure, Worker};
use airlock_tests::log::logged_everywhere;
use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, PostgresServer};

use crate::home::Home;
use crate::home::block_on;
use crate::tasks::TaskResult;

const URL: &str = "AIRLOCK_TESTS_SECRETS_URL";

/// In all that no log is to have.
const CANARY: &str = "canary";

const VALUE: &str = "canary-value-1123";
const HEADER: &str = "canary-header-5813";

#[airlock::task(name = "secret.keeps")]
async fn keeps(secret: String) -> TaskResult {
    tokio::task::yield_now().await;
    fails::enqueue(secret.clone())?;
    panics::enqueue(secret.clone())?;
    lasts::enqueue_with(Options::new().timeout(std::time::Duration::from_millis(20)), secret.clone())?;
    leaves_what_is_refused::enqueue(secret)?;
    Ok(())
}

#[airlock::task(name = "secret.fails", max_retries = 1)]
fn fails(secret: String) -> TaskResult {
    Err(format!("it has {} bytes", secret.len()).into())
}

#[airlock::task(name = "secret.panics", max_retries = 0)]
fn panics(secret: String) {
    panic!("it has {} bytes", secret.len());
}

#[airlock::task(name = "secret.lasts", max_retries = 0)]
async fn lasts(secret: String) {
    std::future::pending::<()>().await;
    drop(secret);
}

/// The table of the test takes none of those.
#[airlock::task(name = "secret.leaves_what_is_refused", max_retries = 0)]
fn leaves_what_is_refused(secret: String) -> TaskResult {
    refused::enqueue(secret)?;
    Ok(())
}

#[airlock::task(name = "secret.refused")]
fn refused(secret: String) {
    drop(secret);
}

#[airlock::task(name = "secret.numbers", max_retries = 0)]
fn numbers(number: u64) {
    let _ = number;
}

/// Not a test of its own: a process that tells all it can of its worker.
#[test]
#[ignore = "another test runs it, and reads what it says"]
fn works_and_tells_all() {
    let Ok(url) = std::env::var(URL) else { return };
    let log = logged_everywhere();
    block_on(async {
        let outbox = Outbox::new(&url).expect("a URL");
        let handler = |failure: RunFailure| {
            let chain = std::iter::successors(Some(&failure.error as &dyn std::error::Error), |error| error.source());
            println!(
                "{failure:?} {failure:#?} {}",
                chain.map(|error| format!("{error} {error:?}")).collect::<String>()
            );
        };
        let worker = Worker::new(outbox.clone()).max_retries(1).on_error(handler);
        let counters = worker.counters();
        println!("{outbox:?} {outbox:#?} {worker:?} {worker:#?}");
        let signal = async {
            // In one look, so that none is missed on its way from one state to the next.
            while !outbox
                .stats()
                .await
                .is_ok_and(|stats| stats.count(OutboxState::Waiting) + stats.count(OutboxState::Running) == 0)
            {
                tokio::task::yield_now().await;
            }
        };
        let report = worker.run_until(signal).await.expect("it starts");
        println!("{report} {report:?} {:?}", counters.now());
        let rows = outbox.find(OutboxFilter::new()).await.expect("rows");
        println!("{rows:?} {rows:#?} {:?}", outbox.stats().await.expect("stats"));
        println!("{:?}", rows.iter().map(|row| row.error.clone()).collect::<Vec<_>>());
    });
    println!("{}", log());
}

fn values_show_nowhere_but_in_the_table(home: &Home, password: Option<(&str, &str)>) {
    let folder = Folder::fresh("secrets");
    home.enqueue(|| keeps::enqueue_with(Options::new().header("token", HEADER), VALUE.to_owned()));
    home.run(if home.url.starts_with("sqlite") {
        "CREATE TRIGGER refuses BEFORE INSERT ON airlock_outbox WHEN new.task = 'secret.refused' BEGIN SELECT RAISE(ABORT, 'refused'); END"
    } else {
        "ALTER TABLE airlock_outbox ADD CHECK (task <> 'secret.refused')"
    });
    for (number, (arguments, options)) in [
        ("[\"canary-text-2134\"]", "NULL"),
        ("{\"nothing\": \"canary-named-5589\"}", "NULL"),
        ("canary-no-json-1442", "NULL"),
        ("[1]", "'{\"nothing\": \"canary-option-3337\"}'"),
        ("[1]", "'canary-no-json-6101'"),
    ]
    .into_iter()
    .enumerate()
    {
        home.run(&format!(
            "INSERT INTO airlock_outbox (id, task, queue, arguments, options, max_retries)
             VALUES ('00000000-0000-4000-8000-{number:012}', 'secret.numbers', 'default', '{arguments}', {options}, 0)"
        ));
    }
    let url = password.map_or(home.url.as_str(), |(url, _)| url);
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "secrets::works_and_tells_all", "--ignored", "--nocapture"]).env(URL, url);
    command.current_dir(folder.path());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    for expected in [
        "SPAN run task=\"secret.keeps\"",
        "a run failed for good",
        "a run failed, and is tried again",
        "it has 17 bytes",
        "9 dead",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains(CANARY), "{said}");
    assert!(password.is_none_or(|(_, password)| !said.contains(password)), "{said}");
    let mut database = Database::at(&home.url);
    let all = database.rows("SELECT arguments, options FROM airlock_outbox").concat();
    let all: String = all.into_iter().flatten().collect();
    assert!(all.contains(VALUE) && all.contains(HEADER), "{all}");
    let told = database
        .column("SELECT coalesce(error, '') || coalesce(location, '') || coalesce(worker, '') FROM airlock_outbox");
    assert!(!told.concat().contains(CANARY), "{told:?}");
}

#[test]
fn promise_18_values_of_arguments_show_nowhere_but_in_the_table_on_sqlite() {
    values_show_nowhere_but_in_the_table(&Home::sqlite(), None);
}

#[test]
fn promise_18_values_of_arguments_show_nowhere_but_in_the_table_on_postgres() {
    let server = PostgresServer::shared();
    let url = server.database("template1");
    let password = url.split([':', '@']).nth(2).expect("a password");
    let home = Home::at(PostgresServer::trusted(&url), None, Some(std::sync::Arc::clone(&server)));
    values_show_nowhere_but_in_the_table(&home, Some((&url, password)));
}
