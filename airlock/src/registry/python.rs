//! Which parameters no function in Python can have by name.

use super::{Registry, RegistryError};
use crate::task::TaskDefinition;

/// `keyword.kwlist`, and the one name that is no keyword and can't be assigned to either (`CPython` 3.11).
const KEYWORDS: [&str; 36] = [
    "False",
    "None",
    "True",
    "__debug__",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
];

/// Letters that Python writes otherwise in names (NFKC of Unicode 14), from the first to the last of each row. What lies
/// between them is such a letter as well, or none that a name can have.
#[rustfmt::skip]
const CHANGED: [(u32, u32); 103] = [
    (0x00aa, 0x00b5), (0x00ba, 0x00ba), (0x0132, 0x0133), (0x013f, 0x0140), (0x0149, 0x0149), (0x017f, 0x017f),
    (0x01c4, 0x01cc), (0x01f1, 0x01f3), (0x02b0, 0x02b8), (0x02e0, 0x02e4), (0x0340, 0x0341), (0x0343, 0x0344),
    (0x0374, 0x0374), (0x0387, 0x0387), (0x03d0, 0x03d6), (0x03f0, 0x03f2), (0x03f4, 0x03f5), (0x03f9, 0x03f9),
    (0x0587, 0x0587), (0x0675, 0x0678), (0x0958, 0x095f), (0x09dc, 0x09df), (0x0a33, 0x0a33), (0x0a36, 0x0a36),
    (0x0a59, 0x0a5b), (0x0a5e, 0x0a5e), (0x0b5c, 0x0b5d), (0x0e33, 0x0e33), (0x0eb3, 0x0eb3), (0x0edc, 0x0edd),
    (0x0f43, 0x0f43), (0x0f4d, 0x0f4d), (0x0f52, 0x0f52), (0x0f57, 0x0f57), (0x0f5c, 0x0f5c), (0x0f69, 0x0f69),
    (0x0f73, 0x0f73), (0x0f75, 0x0f79), (0x0f81, 0x0f81), (0x0f93, 0x0f93), (0x0f9d, 0x0f9d), (0x0fa2, 0x0fa2),
    (0x0fa7, 0x0fa7), (0x0fac, 0x0fac), (0x0fb9, 0x0fb9), (0x10fc, 0x10fc), (0x1d2c, 0x1d2e), (0x1d30, 0x1d3a),
    (0x1d3c, 0x1d4d), (0x1d4f, 0x1d6a), (0x1d78, 0x1d78), (0x1d9b, 0x1dbf), (0x1e9a, 0x1e9b), (0x1f71, 0x1f71),
    (0x1f73, 0x1f73), (0x1f75, 0x1f75), (0x1f77, 0x1f77), (0x1f79, 0x1f79), (0x1f7b, 0x1f7b), (0x1f7d, 0x1f7d),
    (0x1fbb, 0x1fbb), (0x1fbe, 0x1fbe), (0x1fc9, 0x1fc9), (0x1fcb, 0x1fcb), (0x1fd3, 0x1fd3), (0x1fdb, 0x1fdb),
    (0x1fe3, 0x1fe3), (0x1feb, 0x1feb), (0x1ff9, 0x1ff9), (0x1ffb, 0x1ffb), (0x2071, 0x209c), (0x2102, 0x2115),
    (0x2119, 0x212d), (0x212f, 0x2131), (0x2133, 0x2149), (0x2160, 0x217f), (0x2c7c, 0x2c7d), (0x2d6f, 0x2d6f),
    (0x3038, 0x303a), (0x309f, 0x309f), (0x30ff, 0x30ff), (0x3131, 0x318e), (0xa69c, 0xa69d), (0xa770, 0xa770),
    (0xa7f2, 0xa7f4), (0xa7f8, 0xa7f9), (0xab5c, 0xab5f), (0xab69, 0xab69), (0xf900, 0xfa0d), (0xfa10, 0xfa10),
    (0xfa12, 0xfa12), (0xfa15, 0xfa1e), (0xfa20, 0xfa20), (0xfa22, 0xfa22), (0xfa25, 0xfa26), (0xfa2a, 0xfb1d),
    (0xfb1f, 0xfdf9), (0xfe33, 0xfe71), (0xfe77, 0xffdc), (0x10781, 0x107ba), (0x1d400, 0x1d7ff), (0x1ee00, 0x1fbf9),
    (0x2f800, 0x2fa1d),
];

impl Registry {
    /// Whether workers in Python can take the arguments of these tasks by name: `from` is a keyword there, and `µ` another
    /// letter than the one that a message has. Programs whose workers are in Python call it as they start. Tasks that are
    /// `positional` or `local` have no such names, and a function there that takes `**kwargs` takes any.
    ///
    /// # Errors
    /// All parameters that no function in Python can have, with their tasks.
    ///
    /// ```
    /// #[airlock::task(name = "shop.remind")]
    /// fn remind(from: String) { let _ = from; }
    ///
    /// let error = airlock::Registry::new().with::<remind>().check_for_python().unwrap_err();
    /// assert!(error.to_string().starts_with("`from` of task `shop.remind` is a keyword in Python"), "{error}");
    /// ```
    pub fn check_for_python(&self) -> Result<(), RegistryError> {
        let sent_by_name = self.iter().filter(|task| !task.positional && !task.local);
        let faults: Vec<_> = sent_by_name.flat_map(faults).collect();
        if faults.is_empty() { Ok(()) } else { Err(RegistryError::NotForPython { faults }) }
    }
}

fn faults(task: &'static TaskDefinition) -> impl Iterator<Item = String> {
    task.parameters.iter().filter_map(|parameter| {
        let fault = fault(parameter.name)?;
        Some(format!("`{}` of task `{}` {fault}", parameter.name, task.name))
    })
}

/// Why there is no parameter of this name in Python.
fn fault(name: &str) -> Option<&'static str> {
    if KEYWORDS.binary_search(&name).is_ok() {
        return Some("is a keyword in Python");
    }
    let is_letter = |letter: char| !letter.is_ascii() || letter.is_ascii_alphanumeric() || letter == '_';
    if name.starts_with(|first: char| first.is_ascii_digit()) || !name.chars().all(is_letter) {
        return Some("is no name in Python");
    }
    name.chars().any(is_changed).then_some("has a letter that Python writes otherwise")
}

fn is_changed(letter: char) -> bool {
    let letter = u32::from(letter);
    let after = CHANGED.partition_point(|(first, _)| *first <= letter);
    after.checked_sub(1).and_then(|row| CHANGED.get(row)).is_some_and(|(_, last)| letter <= *last)
}
