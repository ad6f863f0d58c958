//! Texts as people read them, against files.

use std::path::Path;

/// Compares with a file below this folder; writes it anew if `AIRLOCK_BLESS` is set.
pub(crate) fn assert_golden(name: impl AsRef<Path>, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings").join(name);
    let text = format!("{text}\n");
    if std::env::var_os("AIRLOCK_BLESS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(text == golden, "{} has\n{golden}\nand this is\n{text}", file.display());
}
