//! What a failing assertion says, against files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Runs what has to fail, and compares what it says with `failures/NAME.txt`; writes that anew if `AIRLOCK_BLESS` is
/// set:
///
/// ```sh
/// AIRLOCK_BLESS=1 cargo test -p airlock-tests --features testing --test testing
/// ```
#[track_caller]
pub(crate) fn assert_fails<R>(name: &str, assertion: impl FnOnce() -> R) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(assertion)) else { panic!("{name} passed, and must not") };
    let told =
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    assert_golden(name, &told.unwrap());
}

#[track_caller]
pub(crate) fn assert_golden(name: &str, told: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testing/failures").join(name).with_extension("txt");
    let told = format!("{told}\n");
    assert!(!told.contains("canary"), "{told}");
    if std::env::var_os("AIRLOCK_BLESS").is_some() {
        std::fs::write(&file, &told).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(told == golden, "{} has\n{golden}\nand this is\n{told}", file.display());
}
