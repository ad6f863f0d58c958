//! What is said about mistakes, against files.
//!
//! Each `mistakes/NAME.toml` is a settings file with a mistake; its lines `#env NAME=value` are the environment. What is
//! said about it is `mistakes/NAME.txt`. Write those anew, and read the diff, with
//!
//! ```sh
//! AIRLOCK_BLESS=1 cargo test -p airlock-tests --features settings --test settings mistakes
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use airlock::{Settings, SettingsError};

use crate::golden::assert_golden;

/// Stands in every secret of the files.
const CANARY: &str = "canary";

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings/mistakes");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "toml"));
    files.sort();
    files
}

fn load(text: &str) -> Result<Settings, SettingsError> {
    let variables = text.lines().filter_map(|line| line.strip_prefix("#env ")?.split_once('='));
    Settings::loader().text("airlock.toml", text).variables(variables).load()
}

#[test]
fn each_mistake_is_told_with_its_place_the_valid_ones_and_the_nearest() {
    let files = files();
    assert!(files.len() >= 20, "{} mistakes", files.len());
    for file in files {
        let error = match load(&fs::read_to_string(&file).unwrap()) {
            Err(error) => error,
            Ok(settings) => panic!("{} has no mistake:\n{settings}", file.display()),
        };
        let name = file.with_extension("txt").file_name().unwrap().to_owned();
        assert_golden(Path::new("mistakes").join(name), &error.to_string());
    }
}

#[test]
fn no_mistake_shows_a_secret_and_each_has_a_place() {
    let mut secrets = 0;
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        secrets += usize::from(text.contains(CANARY));
        let error = load(&text).unwrap_err();
        let told = format!("{error} {error:?} {:?} {}", error.problems(), airlock::Error::from(error.clone()));
        assert!(!told.contains(CANARY), "{}: {told}", file.display());
        for problem in error.problems() {
            let told = problem.to_string();
            assert!(told.starts_with("airlock.toml:") || told.starts_with("AIRLOCK_"), "{}: {told}", file.display());
            assert!(
                !told.ends_with('.') && problem.message().starts_with(|c: char| c.is_lowercase() || c == '`'),
                "{told}"
            );
        }
    }
    assert!(secrets >= 4, "{secrets}");
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let error = load("executor = \"inlin\"\ntimings = 1\ndeadlin = \"1s\"\n[no_such]\n").unwrap_err();
    let places: Vec<_> = error.problems().iter().map(|problem| problem.to_string()[..15].to_owned()).collect();
    assert_eq!(places, ["airlock.toml:1:", "airlock.toml:2:", "airlock.toml:3:", "airlock.toml:4:"]);
}

#[test]
fn a_file_that_is_named_has_to_be_there_and_the_default_one_does_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings/no_such_folder");
    Settings::loader().folder(&folder).without_variables().load().unwrap();

    let error = Settings::loader().folder(&folder).variables([("AIRLOCK_CONFIG", "other.toml")]).load().unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with("AIRLOCK_CONFIG: the settings file ") && told.contains("other.toml can't be read: "),
        "{told}"
    );

    let error = Settings::load_from(folder.join("third.toml")).unwrap_err();
    assert!(error.to_string().contains("third.toml can't be read: "), "{error}");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_told_by_name() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let variables = [(OsString::from("AIRLOCK_EXECUTOR"), OsString::from_vec(vec![0x69, 0xff]))];
    let error = Settings::loader().text("airlock.toml", "").variables(variables).load().unwrap_err();
    assert_eq!(error.to_string(), "AIRLOCK_EXECUTOR: its value is not UTF-8; write it anew");
}
