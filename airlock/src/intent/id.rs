//! Ids: unique across threads and processes without a system call per intent.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::str::FromStr;
use std::time::SystemTime;
use std::{fmt, process};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of an intent and of every message made from it: 128 bits, shown as a lowercase dashed UUID (version 4).
///
/// Each thread counts on from a random start, so ids are unique but can be guessed: don't use one as a secret. A process
/// that forks into several should enqueue after that, and not before on the same thread: until their first hand-over to a
/// broker, its children count on from the same number.
///
/// ```
/// use airlock::IntentId;
///
/// let id: IntentId = "0a0b0c0d-0102-4304-8506-0708090a0b0c".parse().unwrap();
/// assert_eq!(id.to_string(), "0a0b0c0d-0102-4304-8506-0708090a0b0c");
/// assert_eq!(id.simple().to_string(), "0a0b0c0d0102430485060708090a0b0c");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(u64, u64);

thread_local! {
    /// The random upper half of this thread's ids (0: not drawn yet), and the lower half of the next one.
    static NEXT: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    /// The process that last looked whether it was forked.
    static DRAWN_BY: Cell<u32> = const { Cell::new(0) };
}

const VERSION: u64 = 0x4000;
const VERSION_MASK: u64 = 0xf000;
const VARIANT: u64 = 0x8000_0000_0000_0000;
const VARIANT_MASK: u64 = 0xc000_0000_0000_0000;

impl IntentId {
    pub(crate) fn fresh() -> Self {
        NEXT.with(|next| {
            let (mut upper, lower) = next.get();
            let lower = if upper == 0 {
                let start;
                (upper, start) = draw();
                start
            } else {
                lower
            };
            next.set((upper, lower.wrapping_add(1)));
            Self(upper, (lower & !VARIANT_MASK) | VARIANT)
        })
    }

    /// Starts anew if this process was forked since this thread's first id: its siblings count on from there as well.
    pub(crate) fn reseed_after_fork() {
        let process = process::id();
        if DRAWN_BY.replace(process) != process {
            NEXT.set((0, 0));
        }
    }

    /// The 128 bits.
    #[must_use]
    pub fn as_u128(self) -> u128 {
        u128::from(self.0) << 64 | u128::from(self.1)
    }

    /// Digit by digit: messages have several ids each, and formatted numbers are felt.
    pub(crate) fn digits(self) -> [u8; 32] {
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.as_u128().to_be_bytes()) {
            pair.copy_from_slice(&[byte >> 4, byte & 0xf].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
        }
        digits
    }

    /// The digits with dashes.
    pub(crate) fn dashed(self) -> [u8; 36] {
        let (digits, mut text) = (self.digits(), [b'-'; 36]);
        for (group, from) in GROUPS {
            let length = group.len();
            text[group].copy_from_slice(&digits[from..from + length]);
        }
        text
    }

    /// The 32 hex digits without dashes, for systems that want those.
    #[must_use]
    pub fn simple(self) -> impl fmt::Display {
        Simple(self)
    }
}

struct Simple(IntentId);

impl fmt::Display for Simple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0.digits()).unwrap_or_default())
    }
}

/// Two halves from the keys that the standard library draws from the operating system once a thread; the process and the
/// time, because a forked child has the keys of its parent.
fn draw() -> (u64, u64) {
    let random = RandomState::new();
    let seed = (process::id(), SystemTime::now());
    let upper = (random.hash_one((0_u8, seed)) & !VERSION_MASK) | VERSION;
    (upper, random.hash_one((1_u8, seed)))
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.dashed()).unwrap_or_default())
    }
}

/// The groups of a UUID: where they are in it, and among its digits.
const GROUPS: [(Range<usize>, usize); 5] = [(0..8, 0), (9..13, 8), (14..18, 12), (19..23, 16), (24..36, 20)];

/// Where its dashes are.
const DASHES: [usize; 4] = [8, 13, 18, 23];

impl fmt::Debug for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntentId({self})")
    }
}

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an intent id; it is a UUID of 32 hex digits, dashed or not")]
pub struct ParseIntentIdError(());

impl FromStr for IntentId {
    type Err = ParseIntentIdError;

    /// Reads the dashed form and the one without dashes.
    fn from_str(text: &str) -> Result<Self, ParseIntentIdError> {
        let dashed = text.len() == 36 && DASHES.iter().all(|&at| text.as_bytes()[at] == b'-');
        let digits = if dashed { text.replace('-', "") } else { text.to_owned() };
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseIntentIdError(()));
        }
        let half = |range| u64::from_str_radix(&digits[range], 16).map_err(|_| ParseIntentIdError(()));
        Ok(Self(half(0..16)?, half(16..32)?))
    }
}

impl Serialize for IntentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IntentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
