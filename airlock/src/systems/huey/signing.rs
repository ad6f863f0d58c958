//! What goes around the pickle: the signature of a `SignedSerializer`, and compression (huey 3.5.4, `serializer.py`).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::systems::python::compress;
use crate::text::redact::HIDDEN;
use crate::text::secret_key::SecretKey;

/// `compression=True` of the consumers, without and with `use_zlib=True`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zlib,
}

impl Compression {
    pub(super) fn compress(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Gzip => compress::gzip(bytes),
            Self::Zlib => compress::zlib(bytes),
        }
    }
}

/// Secret and salt, as they are set one by one, and what signs with both.
#[derive(Debug, Clone)]
pub(crate) struct Signing {
    secret: Option<SecretKey>,
    salt: String,
    signer: Option<SerializerSigner>,
}

impl Default for Signing {
    fn default() -> Self {
        Self { secret: None, salt: "huey".to_owned(), signer: None }
    }
}

impl Signing {
    pub(super) fn set_secret(&mut self, secret: SecretKey) {
        self.signer = Some(SerializerSigner::new(&secret, &self.salt));
        self.secret = Some(secret);
    }

    pub(super) fn set_salt(&mut self, salt: String) {
        self.signer = self.secret.as_ref().map(|secret| SerializerSigner::new(secret, &salt));
        self.salt = salt;
    }

    pub(super) fn signer(&self) -> Option<&SerializerSigner> {
        self.signer.as_ref()
    }
}

/// Signs as a `SignedSerializer` does. It holds what was made of the secret, not the secret, and is wiped when
/// it is dropped.
#[derive(Clone)]
pub(crate) struct SerializerSigner(Hmac<Sha1>);

impl SerializerSigner {
    pub(super) fn new(secret: &SecretKey, salt: &str) -> Self {
        let mut made = Zeroizing::new([0; 20]);
        // In its place: what is moved leaves a copy behind that is not wiped.
        let mut hash = Sha1::new();
        hash.update(salt);
        hash.update(secret.bytes());
        hash.finalize_into_reset((&mut *made).into());
        #[expect(clippy::expect_used, reason = "a MAC takes keys of any length")]
        Self(Hmac::new_from_slice(&*made).expect("any length"))
    }

    /// The message behind which its signature stands.
    pub(super) fn sign(&self, mut message: Vec<u8>) -> Vec<u8> {
        let signature = self.signature(&message);
        message.push(b':');
        message.extend_from_slice(&signature);
        message
    }

    /// Enough of a signature to tell keys apart, and too little to be one.
    pub(super) fn fingerprint(&self) -> String {
        String::from_utf8_lossy(&self.signature(b"airlock")[..12]).into_owned()
    }

    fn signature(&self, message: &[u8]) -> [u8; 40] {
        let code = self.0.clone().chain_update(message).finalize().into_bytes();
        let mut hex = [0; 40];
        for (place, byte) in hex.chunks_exact_mut(2).zip(code) {
            place.copy_from_slice(&[byte >> 4, byte & 0xf].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
        }
        hex
    }
}

impl fmt::Debug for SerializerSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}
