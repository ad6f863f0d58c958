//! What is in force, and where it comes from.

use std::path::Path;

use airlock::{AlwaysFlush, DropAll, InlineExecutor, OnFailure, Settings};

use crate::golden::assert_golden;

const FILE: &str = r#"executor = "webhook"
policy = ["block_tasks", "rate_limit", "cheap_only"]
lifecycle = "come_what_may"
on_failure = "fail_fast"
deadline = "1m30s"

[webhook]
url = "https://me:canary@hooks.example.org/in?token=canary"
timeout = "250ms"

[block_tasks]
tasks = ["settings.charge"]
rejecting = true

[rate_limit]
limit = 0x10
per = "1h"

[cheap_only]
limit = 500

# Not chosen, and only who makes it knows its keys.
[shadow]
who_knows = 1

# Not chosen either: nothing need be in it.
[celery]
max_priority = 9
"#;

fn load(text: &str, variables: &[(&str, &str)]) -> Settings {
    Settings::loader().text("airlock.toml", text).variables(variables.iter().copied()).load().unwrap()
}

#[test]
fn the_printout_tells_each_value_and_its_place_and_no_password() {
    let settings = load(FILE, &[("AIRLOCK_WEBHOOK__RETRIES", "3"), ("AIRLOCK_TIMINGS", "true")]);
    let settings = settings.on_lost(|_| {});
    let shown = settings.to_string();
    assert!(!shown.contains("canary") && !format!("{settings:?}").contains("canary"), "{shown}");
    assert_golden("in_force.txt", &shown);
}

#[test]
fn the_defaults_print_as_defaults() {
    assert_golden("defaults.txt", &Settings::new().to_string());
}

/// The line of a setting.
fn line(settings: &Settings, key: &str) -> String {
    let shown = settings.to_string();
    let line = shown.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap_or_default();
    line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
}

#[test]
fn code_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    assert_eq!(line(&load("", &[]), "executor"), "inline default");
    let of_file = load("executor = \"log\"\n", &[]);
    assert_eq!(line(&of_file, "executor"), "log airlock.toml:1");
    let of_variable = load("executor = \"log\"\n", &[("AIRLOCK_EXECUTOR", "inline")]);
    assert_eq!(line(&of_variable, "executor"), "inline AIRLOCK_EXECUTOR");
    let of_code = of_variable.executor(InlineExecutor::new().checked());
    let place = format!("tests/settings/in_force.rs:{}:", line!() - 1);
    let shown = line(&of_code, "executor");
    assert!(shown.starts_with("inline (checked) ") && shown.contains(&place), "{shown}");
}

#[test]
fn that_holds_for_every_setting() {
    let file = "policy = \"drop_all\"\nlifecycle = \"always_flush\"\non_failure = \"fail_fast\"\ndeadline = \"1s\"\ntimings = true\n";
    let variables = [
        ("AIRLOCK_POLICY", "allow_all,dedupe"),
        ("AIRLOCK_LIFECYCLE", "release_nested"),
        ("AIRLOCK_ON_FAILURE", "continue"),
        ("AIRLOCK_DEADLINE", "2s"),
        ("AIRLOCK_TIMINGS", "false"),
    ];
    let (of_file, of_variables) = (load(file, &[]), load(file, &variables));
    let of_code = of_variables
        .clone()
        .policy(DropAll)
        .lifecycle(AlwaysFlush)
        .on_failure(OnFailure::FailFast)
        .deadline(std::time::Duration::from_secs(3))
        .timings(true);
    let expected = [
        ("policy", "drop_all", "allow_all and dedupe", "DropAll"),
        ("lifecycle", "always_flush", "release_nested", "AlwaysFlush"),
        ("on_failure", "fail_fast", "continue", "fail_fast"),
        ("deadline", "1s", "2s", "3s"),
        ("timings", "true", "false", "true"),
    ];
    for (number, (key, file, variable, code)) in expected.into_iter().enumerate() {
        assert_eq!(line(&of_file, key), format!("{file} airlock.toml:{}", number + 1));
        assert_eq!(line(&of_variables, key), format!("{variable} {}", variables[number].0));
        let shown = line(&of_code, key);
        assert!(shown.starts_with(&format!("{code} ")) && shown.contains("in_force.rs:"), "{shown}");
    }
}

#[test]
fn an_option_of_a_table_may_come_from_the_file_or_a_variable_key_by_key() {
    let file = "policy = \"rate_limit\"\n[rate_limit]\nlimit = 5\nper = \"1s\"\n";
    let settings = load(file, &[("AIRLOCK_RATE_LIMIT__PER", "1m")]);
    assert_eq!(line(&settings, "rate_limit.limit"), "5 airlock.toml:3");
    assert_eq!(line(&settings, "rate_limit.per"), "60s AIRLOCK_RATE_LIMIT__PER");
}

#[test]
fn a_variable_that_is_empty_counts_as_not_set_and_others_are_nobody_s_business() {
    let settings = load("executor = \"log\"\n", &[("AIRLOCK_EXECUTOR", ""), ("HOME", "/"), ("AIRLOCKS", "1")]);
    assert_eq!(line(&settings, "executor"), "log airlock.toml:1");
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let secret = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings/secret_url.txt");
    let variables = [("AIRLOCK_WEBHOOK__URL_FILE", secret.to_str().unwrap())];
    let settings = load("executor = \"webhook\"\n", &variables);
    assert_eq!(line(&settings, "webhook.url"), "https://***@hooks.example.org AIRLOCK_WEBHOOK__URL_FILE");
}

#[test]
fn a_file_in_another_encoding_is_told_and_a_mark_before_utf_8_is_no_part_of_the_text() {
    let folder = airlock_tests::process::Folder::fresh("encodings");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let utf_16 = |text: &str, mark: &[u8], swap: bool| {
        let units = text.encode_utf16().flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() });
        mark.iter().copied().chain(units).collect::<Vec<_>>()
    };
    let settings = "executor = \"log\"\n";
    let secret = "https://me:hunter2@hooks.example.org\r\n";
    for (bytes, is) in [
        (utf_16(settings, &[0xff, 0xfe], false), "in UTF-16, not UTF-8; save it as UTF-8"),
        (utf_16(settings, &[0xfe, 0xff], true), "in UTF-16, not UTF-8; save it as UTF-8"),
        (utf_16(settings, &[], false), "in UTF-16, not UTF-8; save it as UTF-8"),
        (utf_16(secret, &[0xff, 0xfe], false), "in UTF-16, not UTF-8; save it as UTF-8"),
        (b"executor = \"log\" # caf\xe9".to_vec(), "not UTF-8; save it so"),
    ] {
        std::fs::write(path("other"), bytes).unwrap();
        let error = Settings::loader().file(path("other")).without_variables().load().unwrap_err().to_string();
        assert!(error.contains(&format!("other is {is}")), "{error}");
        let variables = [("AIRLOCK_EXECUTOR", "webhook"), ("AIRLOCK_WEBHOOK__URL_FILE", &path("other"))];
        let error = Settings::loader().text("airlock.toml", "").variables(variables).load().unwrap_err().to_string();
        assert!(error.contains(&format!("AIRLOCK_WEBHOOK__URL_FILE: the file it names is {is}")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    std::fs::write(path("marked.toml"), format!("\u{feff}{settings}")).unwrap();
    let loaded = Settings::loader().file(path("marked.toml")).without_variables().load().unwrap();
    assert!(line(&loaded, "executor").starts_with("log "), "{loaded}");
    std::fs::write(path("secret"), format!("\u{feff}{secret}")).unwrap();
    let variables = [("AIRLOCK_WEBHOOK__URL_FILE", &*path("secret"))];
    let loaded = load("executor = \"webhook\"\n", &variables);
    assert_eq!(line(&loaded, "webhook.url"), "https://***@hooks.example.org AIRLOCK_WEBHOOK__URL_FILE");
}

#[test]
fn an_executor_may_lead_to_another_and_both_tables_are_told() {
    let settings = load("executor = \"shadow\"\nshadow.to = \"inline\"\ninline.checked = true\n", &[]);
    assert_eq!(line(&settings, "executor"), "shadow airlock.toml:1");
    assert_eq!(line(&settings, "shadow.to"), "\"inline\" airlock.toml:2");
    assert_eq!(line(&settings, "inline.checked"), "true airlock.toml:3");
    let settings = load("executor = \"any_of\"\n[any_of]\nthese = [\"log\", \"inline\"]\n", &[]);
    assert!(format!("{settings:?}").contains(r#"executor: "inline""#), "{settings:?}");
}

#[test]
fn the_file_is_found_in_the_folder_or_by_the_variable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings/folder");
    let loader = Settings::loader().folder(&folder);
    let found = loader.clone().without_variables().load().unwrap();
    assert!(line(&found, "executor").starts_with("log ") && line(&found, "executor").ends_with("airlock.toml:2"));
    let named = loader.variables([("AIRLOCK_CONFIG", "other.toml")]).load().unwrap();
    assert!(line(&named, "timings").ends_with("other.toml:1"), "{named}");
    let explicit = Settings::loader().file(folder.join("other.toml")).variables([("AIRLOCK_CONFIG", "none.toml")]);
    assert!(line(&explicit.load().unwrap(), "timings").ends_with("other.toml:1"));
}

#[test]
fn a_plain_load_reads_the_folder_and_the_variables_of_the_process() {
    const CHILD: &str = "SETTINGS_TEST_ALONE";
    if std::env::var_os(CHILD).is_some() {
        let settings = Settings::load().unwrap();
        assert_eq!(line(&settings, "executor"), "log airlock.toml:2");
        assert_eq!(line(&settings, "timings"), "true AIRLOCK_TIMINGS");
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings/folder");
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["in_force::a_plain_load_reads_the_folder_and_the_variables_of_the_process", "--exact"])
        .current_dir(folder)
        .env_remove("AIRLOCK_BLESS")
        .envs([(CHILD, "1"), ("AIRLOCK_TIMINGS", "true")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}
