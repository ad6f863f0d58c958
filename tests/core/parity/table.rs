//! The table itself.

use std::fs;
use std::path::Path;

/// The rows of the tables in `docs/parity.md`, as cells.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect::<Vec<_>>())
        .filter(|cells| !cells[0].starts_with("---") && cells.last() != Some(&"test"))
}

/// The sources of a module: its file, and those in its folder.
fn sources(module: &str) -> impl Iterator<Item = String> {
    let (binaries, module) = match module.split_once('/') {
        Some((binary, module)) => (vec![binary], module),
        None => (vec!["core", "settings", "testing"], module),
    };
    let of = |binary: &str| {
        let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join(binary);
        let folder = fs::read_dir(binary.join(module)).into_iter().flatten().map(|entry| entry.unwrap().path());
        folder.chain([binary.join(format!("{module}.rs"))]).collect::<Vec<_>>()
    };
    let files: Vec<_> = binaries.into_iter().flat_map(of).filter(|file| file.is_file()).collect();
    assert!(!files.is_empty(), "there is no module {module}");
    files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "rs"))
        .map(|file| fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

#[test]
fn every_row_of_the_parity_table_names_a_test_that_exists_or_says_why_there_is_none() {
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/parity.md")).unwrap();
    let (mut behaviours, mut named) = (0, 0);
    for cells in rows(&table) {
        behaviours += 1;
        let [_, .., test] = cells[..] else { panic!("too few cells: {cells:?}") };
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.trim().is_empty()), "{cells:?}");
        let mut names = test.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).peekable();
        assert!(
            names.peek().is_some() || ["compiler: ", "later: ", "none: "].iter().any(|why| test.starts_with(why)),
            "neither a test nor a reason: {cells:?}"
        );
        for name in names {
            named += 1;
            let (module, test) = name.split_once("::").unwrap();
            assert!(sources(module).any(|source| source.contains(&format!("fn {test}("))), "{name} doesn't exist");
        }
    }
    assert!(behaviours > 60 && named > 60, "the table is empty, or its form has changed: {behaviours} {named}");
}
