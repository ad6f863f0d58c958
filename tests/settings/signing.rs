//! Executors that sign, made from their tables.

use std::path::Path;

use airlock::{Settings, SettingsError};

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::loader().text("airlock.toml", text).variables(variables.iter().copied()).load()
}

const HUEY: &str = r#"executor = "huey"
[huey]
url = "redis://localhost"
default_queue = "shop"
task_prefix = "shop."
signed = "canary"
salt = "pepper"
consumer = 3
clean_name = false
priorities = true
default_priority = 9
compressed = true
"#;

const DJANGO_Q: &str = r#"executor = "django_q"
[django_q]
url = "redis://localhost"
cluster = "shop"
cluster_name = "long"
ack_failures = true
cached = "1m"
compressed = true
"#;

#[test]
fn a_key_in_a_table_is_shown_nowhere() {
    let settings = load(HUEY, &[]).unwrap();
    let shown = format!("{settings} {settings:?}");
    assert!(shown.contains("huey.signed") && shown.contains("***") && !shown.contains("canary"), "{shown}");
}

#[test]
fn a_key_may_stand_in_a_file_of_its_own() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings/secret_url.txt");
    let settings = load(DJANGO_Q, &[("AIRLOCK_DJANGO_Q__SECRET_KEY_FILE", file.to_str().unwrap())]).unwrap();
    let shown = settings.to_string();
    assert!(shown.contains("AIRLOCK_DJANGO_Q__SECRET_KEY_FILE") && !shown.contains("hooks.example.org"), "{shown}");
}

#[test]
fn a_key_that_is_missing_or_empty_is_told_without_another() {
    let missing = load(DJANGO_Q, &[]).unwrap_err().to_string();
    assert!(missing.contains("`secret_key` is missing in `[django_q]`; write"), "{missing}");
    let empty = load(&HUEY.replace("canary", ""), &[]).unwrap_err().to_string();
    assert!(empty.contains("`signed` in `[huey]` is not some text"), "{empty}");
    let wrong = load(&HUEY.replace("redis:", "amqp:"), &[]).unwrap_err().to_string();
    assert!(wrong.contains("Huey doesn't run over this kind of broker") && !wrong.contains("canary"), "{wrong}");
}

#[test]
fn what_would_be_a_mistake_in_code_is_told_like_any_other() {
    let told = |text: &str| load(text, &[]).unwrap_err().to_string();
    let salt = told(&HUEY.replace("pepper", ""));
    assert!(salt.contains("`salt` in `[huey]` is not some text"), "{salt}");
    let priority = told(&HUEY.replace("default_priority = 9", "default_priority = 10"));
    assert!(priority.contains("`default_priority` in `[huey]` is not a whole number from 0 to 9"), "{priority}");
    for system in ["celery", "dramatiq"] {
        let table = |priority| {
            format!("executor = \"{system}\"\n[{system}]\nurl = \"redis://localhost\"\ndefault_priority = {priority}\n")
        };
        assert!(told(&table(10)).contains("is not a whole number from 0 to 9"));
        assert!(load(&table(9), &[]).unwrap().to_string().contains(&format!("{system}.default_priority")));
    }
}
