//! Where in a value the serializer is, and what it has noticed so far.

use std::cell::Cell;

use serde::ser::Error;

use super::{EncodeFault, MAX_DEPTH};

/// What was noticed, and serde's results can't carry.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) fault: Cell<Option<EncodeFault>>,
    /// Whether what was written may be no JSON: a `Serialize` can pass text through, or say that something is empty and
    /// go on, and `serde_json` believes it.
    unsure: Cell<bool>,
    /// How many values were begun and not written to their end: a `Serialize` can hide that a part of it failed, or that
    /// it panicked.
    pub(super) unfinished: Cell<usize>,
    /// A sum over the calls of the types, in whatever order: see [`Encoder::calls`](super::Encoder::calls).
    pub(super) calls: Cell<u64>,
}

impl Notes {
    /// Whether what was written, without an error, has to be read again.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure.get() || self.unfinished.get() > 0
    }
}

/// How deep the value is, whether it is raw JSON, and where to note what was noticed.
#[derive(Debug, Clone, Copy)]
pub(super) struct EncodeState<'a> {
    pub(super) depth: usize,
    pub(super) raw: bool,
    pub(super) notes: &'a Notes,
}

impl EncodeState<'_> {
    pub(super) fn fail<E: Error>(self, fault: EncodeFault) -> E {
        let error = E::custom(fault);
        self.notes.fault.set(Some(fault));
        error
    }

    /// Notes that this has to be read again, if it does.
    pub(super) fn unsure_if(self, is_unsure: bool) {
        if is_unsure {
            self.notes.unsure.set(true);
        }
    }

    /// Notes which of serde's methods was called here.
    #[allow(clippy::unused_self, unused_variables, reason = "nothing is noted without the test kit")]
    pub(super) fn note(self, method: &'static str) {
        #[cfg(feature = "testing")]
        {
            let place = u64::try_from(self.depth).unwrap_or_default() + 1;
            let letters =
                method.bytes().fold(place, |hash, letter| (hash ^ u64::from(letter)).wrapping_mul(0x0100_0000_01b3));
            self.notes.calls.set(self.notes.calls.get().wrapping_add(letters ^ (letters >> 31)));
        }
    }

    pub(super) fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fail(EncodeFault::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    /// Raw JSON is written unseen, so its own nesting is counted in its text.
    pub(super) fn check_raw<E: Error>(self, text: &str) -> Result<(), E> {
        let (mut depth, mut quoted, mut escaped) = (self.depth, false, false);
        for byte in text.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'[' | b'{' if !quoted => depth += 1,
                b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Err(self.fail(EncodeFault::TooDeep));
            }
        }
        Ok(())
    }
}
