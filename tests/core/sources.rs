//! The files of the library, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of Rust below the folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => Vec::from_iter(path.extension().is_some_and(|kind| kind == "rs").then_some(path)),
        })
        .collect()
}
