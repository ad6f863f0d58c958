//! Names of types in `airlock/src`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::sources::rust_files;

/// The name of the type that a line defines; associated types have their trait's name for a reason.
fn defined(line: &str) -> Option<&str> {
    let is_associated = line.starts_with(' ');
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let kind = words.next()?;
    let is_type = ["struct", "enum", "trait"].contains(&kind) || (kind == "type" && !is_associated);
    let name = words.next().filter(|_| is_type)?;
    name.split(|letter: char| !letter.is_alphanumeric()).next().filter(|name| !name.is_empty())
}

#[test]
fn no_two_types_of_the_crate_have_one_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../airlock/src");
    let files = rust_files(&root);
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for name in text.lines().filter_map(defined) {
            places.entry(name.to_owned()).or_default().push(file.strip_prefix(&root).unwrap().display().to_string());
        }
    }
    assert!(places.len() > 200, "the types were not found");
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}
