//! The order of the rooms in `airlock/src`: what a room uses stands above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::sources::rust_files;

/// From top to bottom. A room may use those above it.
const ORDER: [&str; 32] = [
    "text",
    "runtime",
    "encode",
    "dispatch",
    "options",
    "state",
    "task",
    "intent",
    "scope_info",
    "lost",
    "registry",
    "policy",
    "lifecycle",
    "executors",
    "settings",
    "context",
    "flush",
    "scope",
    "shutdown",
    "web",
    "brokers",
    "systems",
    "transaction",
    "outbox",
    "worker",
    "settings::load",
    "error",
    "testing",
    "guide",
    "__private",
    "checks",
    "lib",
];

/// Arrows that point up, each with its reason.
const EXCEPTIONS: [(&str, &str, &str); 4] = [
    ("intent", "policy", "an intent tells the local policies around its call"),
    ("intent", "context", "an intent knows what is around its call, and is called in an empty context"),
    ("policy", "context", "what a policy remembers lasts as long as the flush that asks it"),
    ("lifecycle", "context", "a lifecycle is asked about the end of a scope, and how much it holds"),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../airlock/src")
}

/// Each file by its path in `airlock/src`, without comments and tests.
fn sources() -> BTreeMap<String, String> {
    let found = rust_files(&source());
    let mut sources = BTreeMap::new();
    for path in found {
        let name = path.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
        if name.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = code.split("#[cfg(test)]\npub(crate) mod tests").next().unwrap_or_default();
        let lines: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        sources.insert(name, lines.join("\n"));
    }
    sources
}

fn room_of(file: &str) -> String {
    if file.starts_with("settings/load/") {
        return "settings::load".to_owned();
    }
    let first = file.split('/').next().unwrap().trim_end_matches(".rs");
    if first == "private" { "__private".to_owned() } else { first.to_owned() }
}

/// The rooms behind `crate::`.
fn used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut before = "";
    for rest in code.split("crate::") {
        let is_path = !before.ends_with('$') && !before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let name: String = rest.chars().take_while(|&letter| letter.is_alphanumeric() || letter == '_').collect();
        let name = if rest.starts_with("settings::load") { "settings::load".to_owned() } else { name };
        if !before.is_empty() && is_path && ORDER.contains(&&*name) {
            used.insert(name);
        }
        before = rest;
    }
    used
}

#[test]
fn every_arrow_between_rooms_points_to_one_above() {
    let place = |room: &str| {
        ORDER.iter().position(|known| *known == room).unwrap_or_else(|| panic!("`{room}` has no place in the order"))
    };
    let mut met = BTreeSet::new();
    for (file, code) in sources() {
        let room = room_of(&file);
        for target in used(&code) {
            if place(&target) <= place(&room) {
                continue;
            }
            let exception = EXCEPTIONS.iter().find(|(from, to, _)| *from == room && *to == target);
            let (from, to, _) =
                exception.unwrap_or_else(|| panic!("{file} uses `{target}`, which stands below `{room}`"));
            met.insert((*from, *to));
        }
    }
    assert_eq!(met.len(), EXCEPTIONS.len(), "an exception isn't needed any more; only {met:?} are");
}

#[test]
fn conditions_name_one_feature_each() {
    let several = ["cfg(any(", "cfg(all(", "cfg(not(any(", "cfg(not(all("];
    for (file, code) in sources() {
        let several = code.lines().find(|line| several.iter().any(|several| line.contains(several)));
        let is_test = |line: &str| line.contains("test");
        assert!(several.is_none_or(is_test), "{file}: {several:?}; give what they share a private feature");
    }
}
