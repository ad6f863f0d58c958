//! Promise 19: expansions compile under every lint of their user, in both editions, wherever a task can stand.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

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
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\n\
             [features]\nabsent = []\n\n[dependencies]\n{dependencies}"
        );
        write(&format!("{name}/Cargo.toml"), &manifest);
    };
    let copy = |from: PathBuf, to: &str| write(to, &fs::read_to_string(from).unwrap());

    write("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"facade\", \"behind\", \"direct\", \"pass\"]\n");
    copy(tests.with_file_name("Cargo.lock"), "Cargo.lock");
    package("facade", &airlock);
    package("behind", "facade = { path = \"../facade\" }\n");
    package("direct", &format!("{airlock}serde_json = \"1\"\n"));
    let serde = "serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\n";
    package("pass", &format!("{airlock}{serde}"));
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

fn cargo(root: &Path, arguments: &[&str]) {
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .args(["--quiet", "--offline", "--target-dir"])
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("hygiene"))
        .current_dir(root)
        .status()
        .unwrap();
    assert!(status.success(), "see the compiler's messages above");
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
fn every_accepted_form_compiles_in_edition_2021_too() {
    // What is accepted in edition 2024 is shown in `ui`.
    cargo(&workspace("2021"), &["check", "-p", "pass", "--bins"]);
}
