//! Writing JSON by hand, where the order of the fields is part of a wire format.

use crate::dispatch::Rejection;

/// Whether a message may be so large.
pub(crate) fn check_size(bytes: usize, limit: usize) -> Result<(), Rejection> {
    if bytes <= limit {
        return Ok(());
    }
    Err(Rejection::new(format!(
        "the message takes {bytes} bytes and {limit} are allowed; store the value and send its key, or raise the limit"
    )))
}

/// A JSON string.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    // Writing a string into memory doesn't fail.
    let _ = serde_json::to_writer(out, text);
}
