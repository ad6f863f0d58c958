//! `tests/README.md`: which tests hold what.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{paths, read, root};

/// What the tables of the page say: the paths in each row, by the words of its first cell.
fn rows(page: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.map(|(what, rest)| (what, paths(rest).collect())).collect()
}

/// Calls `found` with each source in the folder and those below it, by its path in the project.
fn sources(folder: &Path, found: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|kind| kind == "rs") {
            found(entry.strip_prefix(root()).unwrap().to_str().unwrap());
        }
    }
}

/// The number behind each `promise_` of a text that begins a name.
fn numbers<'a>(text: &'a str, before: &str) -> Vec<u32> {
    let begin = format!("{before}promise_");
    let named = text.split(&begin).skip(1);
    let digits = named.filter_map(|rest: &'a str| rest.split_once('_').and_then(|(number, _)| number.parse().ok()));
    digits.collect()
}

/// The files whose names, or whose tests' names, have the number of a promise.
fn promised() -> BTreeMap<u32, BTreeSet<String>> {
    let mut promised = BTreeMap::<u32, BTreeSet<String>>::new();
    sources(&root().join("tests"), &mut |path| {
        let source = read(path);
        for number in numbers(path, "/").into_iter().chain(numbers(&source, "fn ")) {
            promised.entry(number).or_default().insert(path.to_owned());
        }
    });
    promised
}

#[test]
fn every_promise_with_tests_has_a_row_with_their_files() {
    let page = read("tests/README.md");
    let rows = rows(&page);
    let row = |number: u32| {
        let begin = format!("{number}. ");
        rows.iter().find(|(what, _)| what.starts_with(&begin)).map(|(_, files)| files)
    };
    let promised = promised();
    for (number, files) in &promised {
        let named = row(*number).unwrap_or_else(|| panic!("promise {number} has no row in tests/README.md"));
        for file in files {
            assert!(named.contains(file.as_str()), "the row of promise {number} lacks `{file}`");
        }
    }
    // It has tests, and none of them has its number.
    assert!(row(27).is_some_and(|files| !files.is_empty()), "promise 27 has no row in tests/README.md");
    assert!((1..=19).all(|number| promised.contains_key(&number)), "the names of tests have changed: {promised:?}");
}

#[test]
fn every_system_of_the_readme_and_every_test_binary_has_a_row() {
    let (page, readme, manifest) = (read("tests/README.md"), read("README.md"), read("tests/Cargo.toml"));
    let rows = rows(&page);
    let systems: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("| [")?.split_once("][page-")).collect();
    assert_eq!(systems.len(), 6, "{systems:?}");
    for (system, _) in systems {
        assert!(rows.get(system).is_some_and(|files| files.len() > 3), "{system} has no row in tests/README.md");
    }
    let mut binaries = 0;
    for binary in manifest.split("\n[[test]]\n").skip(1) {
        let value = |key: &str| {
            let line = binary.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim_matches(['"', ' ', '=']).to_owned()
        };
        let (name, file) = (format!("`{}`", value("name")), format!("tests/{}", value("path")));
        let row = rows.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no row in tests/README.md"));
        assert!(row.contains(file.as_str()), "the row of {name} lacks `{file}`");
        binaries += 1;
    }
    assert!(binaries > 10, "only {binaries} test binaries were found");
}
