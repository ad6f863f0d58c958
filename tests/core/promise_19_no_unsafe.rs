//! Promise 19: no `unsafe` of our own. How expansions behave under the lints of their user is in `tests/macros`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sources::rust_files;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_compiler_refuses_unsafe_code_in_every_member() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""), "the workspace's lints don't forbid it");
    for member in ["airlock", "airlock-macros", "tests", "examples"] {
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
        let (_, lints) = manifest.split_once("[lints]").unwrap_or_else(|| panic!("{member} has no lints"));
        assert!(lints.trim_start().starts_with("workspace = true"), "{member} has lints of its own");
    }
}

#[test]
fn expansions_contain_no_unsafe_code() {
    let files = rust_files(&root().join("airlock-macros/src"));
    assert!(files.len() > 10, "the macros were not found");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let blocks: Vec<_> = code.filter(|line| line.contains("unsafe {") || line.contains("unsafe impl")).collect();
        assert!(blocks.is_empty(), "{}: {blocks:?}", file.display());
    }
}
