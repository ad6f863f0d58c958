//! A signed package: the pickle as `django.core.signing.dumps` of Django 5.2 writes it, with its key and its salt
//! (`signing.py` of django-q2 1.11.1).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::systems::python::compress;
use crate::text::redact::HIDDEN;
use crate::text::secret_key::SecretKey;

/// Signs as a `TimestampSigner` does. It holds what was made of the key, not the key, and is wiped when it is
/// dropped.
#[derive(Clone)]
pub(crate) struct TimestampSigner(Hmac<Sha256>);

impl TimestampSigner {
    pub(super) fn new(key: &SecretKey, salt: &str) -> Self {
        let mut made = Zeroizing::new([0; 32]);
        // In its place: what is moved leaves a copy behind that is not wiped.
        let mut hash = Sha256::new();
        hash.update(salt);
        hash.update("signer");
        hash.update(key.bytes());
        hash.finalize_into_reset((&mut *made).into());
        #[expect(clippy::expect_used, reason = "a MAC takes keys of any length")]
        Self(Hmac::new_from_slice(&*made).expect("any length"))
    }

    /// The pickle as a package, made at this time.
    pub(super) fn package(&self, pickle: &[u8], compressed: bool, now: SystemTime) -> String {
        let mut package = String::with_capacity(pickle.len() * 4 / 3 + 64);
        // The mark that it is compressed takes a character.
        match compressed.then(|| compress::zlib(pickle)).filter(|short| short.len() + 1 < pickle.len()) {
            Some(short) => {
                package.push('.');
                URL_SAFE_NO_PAD.encode_string(short, &mut package);
            }
            None => URL_SAFE_NO_PAD.encode_string(pickle, &mut package),
        }
        package.push(':');
        base62(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(), &mut package);
        let signature = self.signature(package.as_bytes());
        package.push(':');
        URL_SAFE_NO_PAD.encode_string(signature, &mut package);
        package
    }

    /// Enough of a signature to tell keys apart, and too little to be one.
    pub(super) fn fingerprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.signature(b"airlock")).chars().take(12).collect()
    }

    fn signature(&self, value: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(value).finalize().into_bytes().into()
    }
}

impl fmt::Debug for TimestampSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// `b62_encode` of Django, for numbers that are not negative.
fn base62(number: u64, out: &mut String) {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if number >= 62 {
        base62(number / 62, out);
    }
    out.push(char::from(DIGITS[(number % 62) as usize]));
}
