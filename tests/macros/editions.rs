//! Promise 19: expansions compile under every lint of their user, in both editions, wherever a task can stand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

/// A workspace with the crates of `fixtures/hygiene` and the files of `ui/pass`, all in one edition.
fn workspace(edition: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("edition-{edition}"));
    let airlock = format!("airlock = {{ path = {:?} }}\n", tests.with_file_name("airlock"));
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Left alone if it is the same: cargo goes by the time of the last change.
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(path, text).unwrap();
        }
    };
    let package = |name: &str, dependencies: &str| {
        let attributes =
            if name == "lints" { "default = [\"attributes\"]\nattributes = []\n" } else { "attributes = []\n" };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\n\
             [features]\nabsent = []\n{attributes}\n[dependencies]\n{dependencies}"
        );
        write(&format!("{name}/Cargo.toml"), &manifest);
    };
    let copy = |from: PathBuf, to: &str| write(to, &fs::read_to_string(from).unwrap());

    write("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"*\"]\n");
    copy(tests.with_file_name("Cargo.lock"), "Cargo.lock");
    package("facade", &airlock);
    package("behind", "facade = { path = \"../facade\" }\n");
    package("direct", &format!("{airlock}serde_json = \"1\"\n"));
    let serde = "serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\n";
    package("pass", &format!("{airlock}{serde}"));
    // The same file with the attributes and without.
    for name in ["lints", "plain"] {
        package(name, &airlock);
        copy(tests.join("fixtures/hygiene/lints/src/lib.rs"), &format!("{name}/src/lib.rs"));
    }
    for file in ["facade/src/lib.rs", "behind/src/lib.rs", "direct/src/lib.rs", "direct/src/shadowed.rs"] {
        copy(tests.join("fixtures/hygiene").join(file), file);
    }
    for pass in fs::read_dir(tests.join("ui/pass")).unwrap() {
        let path = pass.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        copy(path, &format!("pass/src/bin/{name}"));
    }
    root
}

fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hygiene");
    command.args(arguments).args(["--quiet", "--offline", "--target-dir"]).arg(target).current_dir(root);
    command
}

fn cargo(root: &Path, arguments: &[&str]) {
    let status = command(root, arguments).status().unwrap();
    assert!(status.success(), "see the compiler's messages above");
}

/// A lint, the line in which it stands, and what it says.
type Warning = (String, u64, String);

/// What clippy says about the same file with the attributes, and without.
fn warnings(root: &Path) -> [BTreeSet<Warning>; 2] {
    let arguments = ["clippy", "-p", "lints", "-p", "plain", "--message-format=json"];
    let output = command(root, &arguments).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let messages: Vec<Value> =
        output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    ["lints", "plain"].map(|target| {
        let own = messages.iter().filter(|message| message["target"]["name"] == target);
        let own = own.map(|message| &message["message"]).filter(|message| message["code"].is_object());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let line = |message: &Value| message["spans"][0]["line_start"].as_u64().unwrap_or_default();
        own.map(|message| (text(&message["code"]["code"]), line(message), text(&message["rendered"]))).collect()
    })
}

#[test]
fn promise_19_expansions_pass_pedantic_lints_in_both_editions_and_behind_a_re_export() {
    for edition in ["2021", "2024"] {
        let root = workspace(edition);
        // The workspace's own lock file has more than is needed here.
        cargo(&root, &["clippy", "-p", "facade", "-p", "behind", "-p", "direct"]);
    }
}

#[test]
fn promise_19_no_lint_of_rustc_or_clippy_says_more_with_the_attributes_than_without() {
    for edition in ["2021", "2024"] {
        let [with, without] = warnings(&workspace(edition));
        let known: BTreeSet<_> = without.iter().map(|(lint, line, _)| (lint, line)).collect();
        for (lint, line, text) in &with {
            assert!(known.contains(&(lint, line)), "edition {edition}: {lint}\n{text}");
        }
        // The lints are on, and bodies are still judged.
        let of_bodies = with.iter().filter(|(lint, ..)| lint == "clippy::len_zero").count();
        assert_eq!((of_bodies, without.len() > 50), (2, true), "{with:#?}");
    }
}

#[test]
fn every_accepted_form_compiles_in_edition_2021_too() {
    // What is accepted in edition 2024 is shown in `ui`.
    cargo(&workspace("2021"), &["check", "-p", "pass", "--bins"]);
}
