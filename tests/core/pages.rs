//! The pages for people: where their links and paths lead, and that they can be read.

mod map;
mod width;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// The lines of a page that are not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What the definitions at the end of a page say of its links: `[label]: target`.
fn definitions(page: &str) -> BTreeMap<&str, &str> {
    prose(page).filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

/// The targets of all links of a page.
fn targets(page: &str) -> Vec<&str> {
    let inline = prose(page).flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    inline.chain(definitions(page).into_values()).collect()
}

/// Whether it names an item of the crate, which rustdoc looks for.
fn is_an_item(target: &str) -> bool {
    target.contains("::") || target.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The pages in a folder of the project, those in its own folders not among them.
fn pages_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect()
}

/// The files and folders of the project that a text names between backticks; `<name>` and `NAME` stand for any.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let folders = ["airlock/", "airlock-macros/", "docs/", "examples/", "tests/"];
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter(move |name| {
        let stands_for_many = name.contains(['<', '*', ' ', ':']) || name.contains("NAME");
        folders.iter().any(|folder| name.starts_with(folder)) && !stands_for_many
    })
}

#[test]
fn every_path_that_a_page_for_contributors_names_is_there() {
    for page in ["README.md", "CONTRIBUTING.md", "tests/README.md"] {
        let text = read(page);
        let prose = prose(&text).collect::<Vec<_>>().join("\n");
        for path in paths(&prose) {
            assert!(root().join(path).exists(), "{page} names `{path}`, which isn't there");
        }
    }
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let pages = ["", "docs", "airlock/docs", "airlock/docs/guide", "tests"].into_iter().flat_map(pages_in);
    let mut links = 0;
    for page in pages {
        for target in targets(&fs::read_to_string(&page).unwrap()) {
            if target.starts_with("https://") || target.starts_with('#') || is_an_item(target) {
                continue;
            }
            links += 1;
            let file = page.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(file.exists(), "{} has a link to `{target}`, which isn't there", page.display());
        }
    }
    assert!(links > 10, "only {links} links: their form has changed");
}

#[test]
fn each_system_of_the_readme_has_a_page_and_an_example_that_a_test_runs() {
    let (readme, runs) = (read("README.md"), read("tests/live/examples.rs"));
    let (links, in_rustdoc) = (definitions(&readme), read("airlock/docs/rustdoc/systems.md"));
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| [")).collect();
    assert_eq!(rows.len(), 6, "{rows:?}");
    for row in rows {
        let labels: Vec<&str> = row.split("][").skip(1).map(|rest| rest.split(']').next().unwrap()).collect();
        let [page, example] = labels[..] else { panic!("not two links: {row}") };
        assert!(page.starts_with("page-") && example.starts_with("example-"), "{row}");
        assert!(labels.iter().all(|label| in_rustdoc.contains(&format!("[{label}]: "))), "{row}");
        assert!(read(links[page]).contains("\n## A pair to start from\n"), "{}", links[page]);
        let name = Path::new(links[example]).file_stem().unwrap().to_str().unwrap();
        assert!(row.contains(&format!("[`{name}`]")) && runs.contains(&format!("\"{name}\"")), "no test runs `{name}`");
    }
}
