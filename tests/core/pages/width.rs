//! How wide code is, and how long the README.

use std::fs;

use super::{pages_in, read, root};

/// What a page of the documentation shows of a line; a wider one has to be scrolled sideways.
const COLUMNS: usize = 88;

/// What a stranger reads of a README.
const LINES: usize = 220;

/// The lines of the code on a page, with their numbers.
fn code(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    page.lines().zip(1..).filter_map(move |(line, number)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        (is_code && !is_fence).then_some((number, line))
    })
}

#[test]
fn code_on_a_page_of_the_documentation_is_as_wide_as_the_page_at_most() {
    let pages = ["airlock/docs", "airlock/docs/guide"].into_iter().flat_map(pages_in);
    let pages: Vec<_> = pages.chain([root().join("README.md")]).collect();
    let mut wide = String::new();
    let mut lines = 0;
    for page in &pages {
        for (number, line) in code(&fs::read_to_string(page).unwrap()) {
            lines += 1;
            let width = line.chars().count();
            if width > COLUMNS {
                wide += &format!("\n{}:{number}: {width} columns", page.display());
            }
        }
    }
    assert!(wide.is_empty(), "code may have {COLUMNS} columns:{wide}");
    assert!(pages.len() > 20 && lines > 300, "pages or their code were not found: {} {lines}", pages.len());
}

#[test]
fn the_readme_is_no_longer_than_a_stranger_reads_and_has_a_program_on_its_first_screen() {
    let readme = read("README.md");
    let lines = readme.lines().count();
    assert!(lines <= LINES, "the README has {lines} lines and may have {LINES}; move a passage to a guide");
    let program: Vec<_> = readme.lines().take(40).filter(|line| line.starts_with("fn main()")).collect();
    assert_eq!(program.len(), 1, "a complete program stands before line 40");
}

#[test]
fn every_guide_is_a_page_of_the_documentation_and_the_readme_leads_to_it() {
    let (guides, readme) = (read("airlock/src/guide.rs"), read("README.md"));
    let in_rustdoc = read("airlock/docs/rustdoc/guides.md");
    for page in pages_in("airlock/docs/guide") {
        let file = page.file_name().unwrap().to_str().unwrap();
        let name = page.file_stem().unwrap().to_str().unwrap();
        assert!(guides.contains(&format!("include_str!(\"../docs/guide/{file}\")")), "guide.rs lacks {file}");
        assert!(readme.contains(&format!("][guide-{name}]")), "the README doesn't lead to {file}");
        assert!(in_rustdoc.contains(&format!("[guide-{name}]: guide::")), "guides.md lacks the link [guide-{name}]");
    }
}
