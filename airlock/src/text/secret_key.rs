//! Keys that sign messages.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use super::redact::HIDDEN;

/// A key that signs messages: Django's `SECRET_KEY`, the secret of Huey's `SignedSerializer`.
///
/// With it, one can have the workers run any code. It is never printed, and wiped from memory when it is dropped; what
/// it was read from (the environment, a buffer of the caller) is not.
///
/// ```
/// use airlock::SecretKey;
///
/// let key = SecretKey::new("correct horse battery staple")?;
/// assert_eq!(format!("{key:?} {key}"), "SecretKey(***) ***");
/// # Ok::<(), airlock::SecretKeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<Vec<u8>>);

/// Why there is no [`SecretKey`]. It quotes neither the key nor the path of its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretKeyError {
    /// It has no bytes, so that anybody could sign.
    #[error("the key is empty; give the one that the workers have")]
    Empty,
    /// The variable is not set, or is no UTF-8.
    #[error("the environment variable `{0}` is not set or is no UTF-8; put the workers' key there")]
    Variable(String),
    /// The file can't be read.
    #[error("the file of the key can't be read; give the path of a file with the workers' key")]
    File(#[source] std::io::Error),
}

impl SecretKey {
    /// A key of this text (`&str`, `String`) or these bytes (`&[u8]`, `Vec<u8>`). What is given by value is not copied.
    ///
    /// # Errors
    /// It is empty.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self, SecretKeyError> {
        let key = Zeroizing::new(key.into());
        if key.is_empty() { Err(SecretKeyError::Empty) } else { Ok(Self(key)) }
    }

    /// The content of an environment variable.
    ///
    /// # Errors
    /// It is not set, empty, or no UTF-8.
    pub fn from_env(variable: impl AsRef<OsStr>) -> Result<Self, SecretKeyError> {
        let variable = variable.as_ref();
        let value = std::env::var(variable);
        Self::new(value.map_err(|_| SecretKeyError::Variable(variable.to_string_lossy().into_owned()))?)
    }

    /// The content of a file, without line breaks at its end.
    ///
    /// # Errors
    /// It can't be read, or is empty.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecretKeyError> {
        let mut content = Zeroizing::new(std::fs::read(path).map_err(SecretKeyError::File)?);
        while let [.., b'\r' | b'\n'] = content[..] {
            content.pop();
        }
        Self::new(std::mem::take(&mut *content))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({HIDDEN})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_text_bytes_a_file_or_a_variable() {
        let key = SecretKey::new("ünï").expect("a key");
        assert_eq!(key, SecretKey::new("ünï".as_bytes()).expect("a key"));
        let path = std::env::temp_dir().join(format!("airlock-key-{}", std::process::id()));
        std::fs::write(&path, "ünï\r\n\n").expect("a file");
        assert_eq!(key, SecretKey::from_file(&path).expect("a key"));
        std::fs::remove_file(&path).expect("it is there");
        // One that every test has.
        let manifest = std::env::var("CARGO_PKG_NAME").expect("cargo sets it");
        assert_eq!(SecretKey::from_env("CARGO_PKG_NAME").expect("a key").bytes(), manifest.as_bytes());
    }

    #[test]
    fn what_is_no_key_is_told_without_it() {
        let message = |result: Result<SecretKey, SecretKeyError>| result.expect_err("no key").to_string();
        assert!(message(SecretKey::new("")).starts_with("the key is empty;"));
        assert!(message(SecretKey::from_env("AIRLOCK_NO_SUCH_KEY")).contains("`AIRLOCK_NO_SUCH_KEY` is not set"));
        assert!(!message(SecretKey::from_file("/hunter2/s3cret")).contains("s3cret"));
    }
}
