//! The builder methods of executors and the keys of their tables, which are the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use airlock::{Settings, SettingsError};

/// Each executor that has options, with the file that says them, and what is public there and can't be a key.
const EXECUTORS: [(&str, &str, &[&str]); 8] = [
    ("celery", "systems/celery/executor.rs", &["new", "message"]),
    ("django_q", "systems/django_q/executor.rs", &["new", "message", "fingerprint"]),
    ("django_tasks", "systems/django_tasks/executor.rs", &["new", "message"]),
    ("dramatiq", "systems/dramatiq/executor.rs", &["new", "message"]),
    ("huey", "systems/huey/executor.rs", &["new", "message", "fingerprint"]),
    ("outbox", "outbox/executor.rs", &["new", "relayed_by"]),
    ("threads", "executors/threads.rs", &["new"]),
    ("tokio", "executors/tokio/mod.rs", &["new", "on"]),
];

/// What `new` takes: keys that are no methods.
const OF_NEW: [&str; 2] = ["url", "secret_key"];

fn source(path: &str) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../airlock/src");
    fs::read_to_string(source.join(path)).unwrap()
}

fn load(text: &str) -> Result<Settings, SettingsError> {
    Settings::loader().text("airlock.toml", text).without_variables().load()
}

/// What stands between backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The names behind `pub fn`.
fn public_functions(source: &str) -> BTreeSet<String> {
    let name = |line: &str| line.trim_start().strip_prefix("pub fn ")?.split(['(', '<']).next().map(str::to_owned);
    let asynchronous =
        |line: &str| line.trim_start().strip_prefix("pub async fn ")?.split(['(', '<']).next().map(str::to_owned);
    source.lines().filter_map(|line| name(line).or_else(|| asynchronous(line))).collect()
}

/// The keys that the loader takes, as it tells them of one that it doesn't.
fn keys(executor: &str) -> BTreeSet<String> {
    let error = load(&format!("[{executor}]\nqqqqqqqqqqqq = 1\n")).unwrap_err().to_string();
    let (_, takes) = error.split_once("it takes ").unwrap_or_else(|| panic!("{error}"));
    quoted(takes)
}

/// The keys in the table of `Settings::load`.
fn documented(executor: &str) -> BTreeSet<String> {
    let text = source("settings/load/mod.rs");
    let start = format!("    /// | | `{executor}` (feature");
    let row = text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{executor} has no row"));
    quoted(row.rsplit(" | ").next().unwrap())
}

#[test]
fn each_builder_method_is_a_key_and_each_key_a_builder_method() {
    for (executor, file, others) in EXECUTORS {
        let text = source(file);
        let mut methods = public_functions(&text);
        for other in others {
            assert!(methods.remove(*other), "{file} has no `{other}`; take it off the list");
        }
        if text.contains("queue_executor! {") {
            // Those that the macro gives to each.
            methods.extend(["named", "connect_timeout"].map(str::to_owned));
        }
        if text.contains("pool_options! {") {
            let mut shared = public_functions(&source("executors/pool/options.rs"));
            assert!(shared.remove("on_error"), "a function is no key");
            methods.extend(shared);
        }
        let keys: BTreeSet<_> = keys(executor).into_iter().filter(|key| !OF_NEW.contains(&&**key)).collect();
        assert_eq!(methods, keys, "methods of `{executor}` on the left, its keys on the right");
    }
}

#[test]
fn the_table_of_keys_in_the_documentation_is_what_is_read() {
    for (executor, ..) in EXECUTORS {
        assert_eq!(documented(executor), keys(executor), "the documentation of `{executor}` on the left");
    }
}

#[test]
fn what_only_code_could_say_stands_in_files_too() {
    let celery = "executor = \"celery\"\n[celery]\nurl = \"redis://localhost\"\nseparator = \":\"\nbody_limit = 1000\n";
    let settings = load(&format!("{celery}priority_steps = [9, 0, 5]\n")).unwrap().to_string();
    let shown = |text: &str| assert!(settings.contains(text), "{settings}");
    shown("celery.separator");
    shown("celery.body_limit");
    shown("[9, 0, 5]");
    let error = load(&format!("{celery}priority_steps = [300]\n")).unwrap_err().to_string();
    assert!(error.contains("`priority_steps` in `[celery]` is not a list, each of it a whole number from 0 to 255"));
    for (system, url) in [("dramatiq", "redis://localhost"), ("django_tasks", "sqlite:///srv/db.sqlite3")] {
        let table = format!("executor = \"{system}\"\n[{system}]\nurl = \"{url}\"\nbody_limit = 1000\n");
        assert!(load(&table).unwrap().to_string().contains(&format!("{system}.body_limit")));
    }
}

#[test]
fn the_name_of_an_executor_is_the_same_key_in_each_table() {
    for (executor, ..) in EXECUTORS {
        assert!(keys(executor).contains("named"), "{executor}");
    }
    let error = load("[threads]\nname = \"mail\"\n").unwrap_err().to_string();
    assert!(error.contains("`[threads]` has no key `name`; did you mean `named`?"), "{error}");
}
