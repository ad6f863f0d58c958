//! Tokens of an expansion belong to the edition of the crate they expand in.

use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

/// A package of edition 2021 that compiles the files of `ui/pass`, which elsewhere compile in edition 2024.
fn package_of_edition_2021(root: &Path) -> io::Result<()> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(root.join("src/bin"))?;
    let airlock = tests.with_file_name("airlock");
    let manifest = format!(
        "[package]\nname = \"edition-2021\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
         [dependencies]\nairlock = {{ path = {airlock:?} }}\n"
    );
    fs::write(root.join("Cargo.toml"), manifest)?;
    fs::copy(tests.with_file_name("Cargo.lock"), root.join("Cargo.lock"))?;
    for file in ["shadowed_names", "strict_lints", "scoped", "scoped_signatures", "raw_identifiers", "declared"] {
        let file = format!("{file}.rs");
        fs::copy(tests.join("ui/pass").join(&file), root.join("src/bin").join(&file))?;
    }
    Ok(())
}

#[test]
fn expansions_compile_in_edition_2021_too() -> io::Result<()> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("edition-2021");
    package_of_edition_2021(&root)?;
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--quiet", "--offline", "--bins", "--target-dir"])
        .arg(root.join("target"))
        .current_dir(&root)
        .status()?;
    assert!(status.success(), "see the compiler's messages above");
    Ok(())
}
