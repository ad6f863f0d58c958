//! The text of a file: of settings, or of a secret.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

/// What an editor, or the shell of Windows, puts before a text in UTF-8; it is no part of it.
const MARK: &str = "\u{feff}";

/// The text; what the file is instead, if it is none in UTF-8.
pub(super) fn read(path: &Path) -> io::Result<Result<Zeroizing<String>, &'static str>> {
    let bytes = Zeroizing::new(std::fs::read(path)?);
    Ok(match std::str::from_utf8(&bytes) {
        // Text of another encoding may be UTF-8 by chance: in UTF-16, every second byte of it is 0.
        Ok(text) if !text.contains('\0') => Ok(text.strip_prefix(MARK).unwrap_or(text).to_owned().into()),
        _ if is_utf_16(&bytes) => Err("in UTF-16, not UTF-8; save it as UTF-8"),
        _ => Err("not UTF-8; save it so"),
    })
}

fn is_utf_16(bytes: &[u8]) -> bool {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let is_half = |zeros: usize| zeros > 0 && zeros * 4 >= bytes.len();
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || is_half(zeros(0)) || is_half(zeros(1))
}
