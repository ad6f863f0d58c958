//! How failures are written.

use crate::intent::Intent;

/// The longest value that is shown whole.
const LONGEST: usize = 120;

/// A value, or its beginning.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// One more line, indented.
pub(super) fn line(message: &mut String, depth: usize, text: &str) {
    message.push('\n');
    message.push_str(&"  ".repeat(depth));
    message.push_str(text);
}

/// The call and its place; redacted values stay hidden.
pub(super) fn call(intent: &Intent) -> String {
    format!("{} ({})", clip(&intent.to_string()), intent.location())
}

/// `once`, `3 times`
pub(super) fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}
