//! What the compiler says, as one list: each case has as many errors as mistakes, in one voice, and none of them comes
//! from inside an expansion. `ui` calls these once the compiler has spoken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn ui(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(path)
}

/// The files of a folder with this ending, by their names without it.
fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(ui(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == ending) {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            found.insert(stem, fs::read_to_string(&path).unwrap());
        }
    }
    found
}

/// The names of the cases that don't compile.
pub(crate) fn failing_cases() -> impl Iterator<Item = String> {
    files("fail", "rs").into_keys()
}

/// The first line of each error.
fn errors(stderr: &str) -> impl Iterator<Item = &str> {
    stderr.lines().filter(|line| line.starts_with("error"))
}

/// How many errors a case may have: one, unless its first line says otherwise.
fn mistakes(source: &str) -> usize {
    let words = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven"];
    let said = source.lines().next().and_then(|line| line.strip_prefix("//! "));
    said.and_then(|line| words.iter().position(|word| line.starts_with(&format!("{word} mistake")))).unwrap_or(1)
}

pub(crate) fn each_case_has_as_many_errors_as_mistakes() {
    let sources = files("fail", "rs");
    assert!(sources.len() >= 45, "{}", sources.len());
    for (case, stderr) in files("fail", "stderr") {
        assert_eq!(errors(&stderr).count(), mistakes(&sources[&case]), "{case}:\n{stderr}");
    }
}

pub(crate) fn no_error_comes_from_inside_an_expansion() {
    for (case, stderr) in files("fail", "stderr") {
        for inside in ["__private", "__airlock", "__AIRLOCK", "__Airlock", "inventory", "TaskEntry"] {
            assert!(!stderr.contains(inside), "{case} names `{inside}`:\n{stderr}");
        }
    }
}

pub(crate) fn messages_of_the_attributes_are_in_one_voice() {
    for (case, stderr) in files("fail", "stderr") {
        // The compiler's own have a code, or come from its own checks.
        let own = [
            "future cannot be sent",
            "unused `Result`",
            "use of deprecated",
            "`self` parameter",
            "struct is not supported",
            "implementation of",
        ];
        let ours = errors(&stderr).filter_map(|line| line.strip_prefix("error: "));
        for message in ours.filter(|message| own.iter().all(|own| !message.starts_with(own))) {
            let first = message.chars().next().unwrap();
            assert!(!first.is_uppercase() && !message.ends_with('.'), "{case}: lower case, no full stop: {message}");
            assert!(message.contains("; "), "{case}: cause, then remedy after a semicolon: {message}");
        }
    }
}

pub(crate) fn each_failing_case_has_a_passing_twin() {
    let passing = files("pass", "rs");
    for case in files("fail", "rs").into_keys() {
        let twin =
            passing.keys().any(|pass| case.strip_prefix(pass.as_str()).is_some_and(|rest| rest.starts_with('_')));
        assert!(twin, "{case} has no twin in ui/pass: a file named like its first words");
    }
}

/// All messages stand together in `ui/messages.txt`, to be read as a list.
pub(crate) fn the_list_of_messages_is_up_to_date() {
    let mut list = String::new();
    for (case, stderr) in files("fail", "stderr") {
        list += &format!("{case}\n");
        for line in stderr.lines() {
            let note = line.trim_start().strip_prefix("= note: ").map(|note| format!("        note: {note}\n"));
            // Which lint or macro it was is the compiler's to say.
            let foreign = ["this error originates", "`#[deny(", "required for the cast"];
            if line.starts_with("error") {
                list += &format!("    {line}\n");
            } else if let Some(note) = note.filter(|note| foreign.iter().all(|foreign| !note.contains(foreign))) {
                list += &note;
            }
        }
    }
    let path = ui("messages.txt");
    if env::var_os("AIRLOCK_BLESS").is_some() {
        fs::write(path, list).unwrap();
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(kept == list, "tests/ui/messages.txt is not up to date; CONTRIBUTING.md has the command:\n{list}");
}
