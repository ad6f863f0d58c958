//! A generated crate on the disk: checked, built, run and weighed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};
use std::{env, io};

use super::kinds::Kind;
use super::tasks::tasks;

/// Where crates are written and built. Given when this benchmark is compiled.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/compile");

/// A crate of so many tasks of one kind.
pub(crate) struct Program {
    name: String,
    folder: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) tasks: usize,
}

/// Starts with nothing built.
pub(crate) fn clean() {
    match fs::remove_dir_all(FOLDER) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{FOLDER}: {error}"),
        _ => {}
    }
}

impl Program {
    /// Writes it. It is a workspace of its own, so that it has a profile of its own.
    pub(crate) fn write(kind: Kind, count: usize) -> Self {
        let name = format!("{}_{count}", kind.key());
        let folder = Path::new(FOLDER).join(&name);
        fs::create_dir_all(folder.join("src")).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let dependencies = kind.dependencies(root.join("airlock").to_str().unwrap());
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n\
             [profile.dev]\ndebug = false\nincremental = false\n\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.join("src/main.rs"), kind.source(&tasks(count))).unwrap();
        // What the workspace has downloaded is all that is needed.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { name, folder, kind, tasks: count }
    }

    /// How long cargo takes for the crate when its source has changed.
    pub(crate) fn time(&self, command: &str) -> Duration {
        let source = File::options().write(true).open(self.folder.join("src/main.rs")).unwrap();
        source.set_modified(SystemTime::now()).unwrap();
        drop(source);
        let start = Instant::now();
        self.cargo(command);
        start.elapsed()
    }

    /// What is warned about would be paid for, in generated code as anywhere: nothing may be.
    fn cargo(&self, command: &str) {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args([command, "--quiet", "--offline", "--target-dir"])
            .arg(Path::new(FOLDER).join("target"))
            .current_dir(&self.folder)
            .env("RUSTFLAGS", "-D warnings")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("CARGO_INCREMENTAL", "0")
            // A compiler that remembers its results has nothing to measure.
            .env("RUSTC_WRAPPER", "")
            .status()
            .unwrap();
        assert!(status.success(), "{}: cargo {command} fails", self.name);
    }

    fn executable(&self) -> PathBuf {
        Path::new(FOLDER).join("target/debug").join(&self.name).with_extension(env::consts::EXE_EXTENSION)
    }

    /// Every task is called in it, and it fails if one has not run.
    pub(crate) fn run(&self) {
        let status = Command::new(self.executable()).status().unwrap();
        assert!(status.success(), "{} fails", self.name);
    }

    /// The size of the executable in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.executable().metadata().unwrap().len()
    }
}
