//! A writer of Python's pickles, protocol 4: what Huey and Django-Q queue. Nothing in airlock reads one.
//!
//! A pickle is a program for the reader's stack machine, so this writes a closed set of instructions, without memo and
//! frames, and can name just the [`Global`]s below. What users give becomes numbers, texts, lists, tuples and dicts and
//! nothing else. Nesting is a stack, here and there. Read from and tried against `CPython` 3.11 (`pickle.py`).

use std::time::SystemTime;

use jiff::civil::DateTime;

use super::calendar;
use super::readable::{self, Unreadable};
use super::tokens::{Token, Tokens};

const MARK: u8 = b'(';
const APPENDS: u8 = b'e';
const SETITEMS: u8 = b'u';
const TUPLE: u8 = b't';
const REDUCE: u8 = b'R';

/// The classes that a pickle here may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    /// `huey.registry.Message`.
    HueyMessage,
    /// `datetime.datetime`.
    Datetime,
    /// `datetime.timezone`.
    Timezone,
    /// `datetime.timedelta`.
    Timedelta,
}

/// A pickle that is being written: value after value, each where the one around it expects it.
#[derive(Debug)]
pub(crate) struct Pickle {
    out: Vec<u8>,
}

impl Pickle {
    /// With room for so many bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(b"\x80\x04");
        Self { out }
    }

    /// The whole pickle.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.push(b'.');
        self.out
    }

    pub(crate) fn none(&mut self) {
        self.out.push(b'N');
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.out.push(if value { 0x88 } else { 0x89 });
    }

    pub(crate) fn int(&mut self, value: i64) {
        if let Ok(small) = u8::try_from(value) {
            self.out.extend_from_slice(&[b'K', small]);
        } else if let Ok(small) = u16::try_from(value) {
            self.out.push(b'M');
            self.out.extend_from_slice(&small.to_le_bytes());
        } else if let Ok(medium) = i32::try_from(value) {
            self.out.push(b'J');
            self.out.extend_from_slice(&medium.to_le_bytes());
        } else {
            self.long(value.to_le_bytes().to_vec());
        }
    }

    pub(crate) fn int_or_none(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.int(value),
            None => self.none(),
        }
    }

    pub(crate) fn float(&mut self, value: f64) {
        self.out.push(b'G');
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.sized(0x8c, b'X', text.as_bytes());
    }

    /// A text of ASCII characters.
    pub(crate) fn ascii(&mut self, text: &[u8]) {
        self.sized(0x8c, b'X', text);
    }

    /// A dict with what is written into it: keys and values in turns.
    pub(crate) fn dict<E>(&mut self, items: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        self.out.extend_from_slice(&[b'}', MARK]);
        items(self)?;
        self.out.push(SETITEMS);
        Ok(())
    }

    /// An instance of a named tuple, with the fields that are written into it.
    pub(crate) fn named_tuple<E>(
        &mut self,
        class: Global,
        fields: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.global(class);
        self.out.push(MARK);
        fields(self)?;
        // TUPLE, and NEWOBJ.
        self.out.extend_from_slice(&[TUPLE, 0x81]);
        Ok(())
    }

    /// `datetime` without a time zone, showing UTC.
    pub(crate) fn naive_utc_or_none(&mut self, time: Option<SystemTime>) {
        let Some(time) = time else { return self.none() };
        self.datetime(time);
        self.out.extend_from_slice(&[0x85, REDUCE]);
    }

    pub(crate) fn aware_utc_or_none(&mut self, time: Option<SystemTime>) {
        let Some(time) = time else { return self.none() };
        self.aware_utc(time);
    }

    /// `datetime` with the time zone UTC.
    pub(crate) fn aware_utc(&mut self, time: SystemTime) {
        self.datetime(time);
        self.global(Global::Timezone);
        self.global(Global::Timedelta);
        (0..3).for_each(|_| self.int(0));
        self.out.extend_from_slice(&[0x87, REDUCE, 0x85, REDUCE, 0x86, REDUCE]);
    }

    /// The class and the ten bytes of its state, of which the caller makes a tuple.
    fn datetime(&mut self, time: SystemTime) {
        // What the calendar doesn't have was refused before.
        let time = calendar::utc(time).unwrap_or(DateTime::MAX);
        let [_, a, b, c] = calendar::micros(time).to_be_bytes();
        let [high, low] = time.year().to_be_bytes();
        let [month, day, hour, minute, second] =
            [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(i8::cast_unsigned);
        self.global(Global::Datetime);
        self.sized(b'C', b'B', &[high, low, month, day, hour, minute, second, a, b, c]);
    }

    /// A JSON value, as Python's own decoder would read it.
    ///
    /// # Errors
    /// A text in it is none. What else Python can't take, [`readable::check`] finds before.
    pub(crate) fn json(&mut self, json: &str) -> Result<(), Unreadable> {
        self.values(json).map(drop)
    }

    /// A JSON array as a tuple.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub(crate) fn json_tuple(&mut self, array: &str) -> Result<(), Unreadable> {
        let inside = array.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
        let start = self.out.len();
        match self.values(inside)? {
            0 => self.out.push(b')'),
            few @ 1..=3 => self.out.push(0x84 + few as u8),
            _ => {
                self.out.insert(start, MARK);
                self.out.push(TUPLE);
            }
        }
        Ok(())
    }

    /// Values behind each other, and how many they are.
    fn values(&mut self, json: &str) -> Result<usize, Unreadable> {
        let (mut outermost, mut depth, mut was_opened) = (0, 0_usize, false);
        let has_escapes = json.contains('\\');
        for token in Tokens::new(json) {
            if depth == 0 {
                outermost += 1;
            }
            let is_empty = std::mem::take(&mut was_opened);
            match token {
                Token::Open(bracket) => {
                    self.out.extend_from_slice(&[if bracket == b'{' { b'}' } else { b']' }, MARK]);
                    (depth, was_opened) = (depth + 1, true);
                }
                Token::Close(bracket) => {
                    depth = depth.saturating_sub(1);
                    // An empty one has no mark.
                    if is_empty {
                        self.out.pop();
                    } else {
                        self.out.push(if bracket == b'}' { SETITEMS } else { APPENDS });
                    }
                }
                Token::Key(quoted) | Token::Text(quoted) if !has_escapes => {
                    self.text(quoted.get(1..quoted.len() - 1).unwrap_or_default());
                }
                Token::Key(quoted) | Token::Text(quoted) => {
                    self.text(&readable::text(quoted).ok_or(Unreadable::Surrogate)?);
                }
                Token::Plain(plain) => self.plain(plain),
            }
        }
        Ok(outermost)
    }

    fn plain(&mut self, plain: &str) {
        match plain {
            "null" => self.out.push(b'N'),
            "true" => self.out.push(0x88),
            "false" => self.out.push(0x89),
            number => match number.parse() {
                Ok(int) => self.int(int),
                Err(_) if number.contains(['.', 'e', 'E']) => self.float(number.parse().unwrap_or_default()),
                Err(_) => self.long(twos_complement(number)),
            },
        }
    }

    /// Two's complement, least significant byte first, of which superfluous bytes of sign are left out.
    fn long(&mut self, mut bytes: Vec<u8>) {
        while let [.., before, last] = bytes[..]
            && last == if before & 0x80 == 0 { 0 } else { 0xff }
        {
            bytes.pop();
        }
        match u8::try_from(bytes.len()) {
            Ok(length) => self.out.extend_from_slice(&[0x8a, length]),
            Err(_) => {
                self.out.push(0x8b);
                self.length(bytes.len());
            }
        }
        self.out.extend_from_slice(&bytes);
    }

    fn global(&mut self, global: Global) {
        let (module, name) = match global {
            Global::HueyMessage => ("huey.registry", "Message"),
            Global::Datetime => ("datetime", "datetime"),
            Global::Timezone => ("datetime", "timezone"),
            Global::Timedelta => ("datetime", "timedelta"),
        };
        self.text(module);
        self.text(name);
        self.out.push(0x93);
    }

    /// Bytes behind their length, which is one byte or four.
    fn sized(&mut self, short: u8, long: u8, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(length) => self.out.extend_from_slice(&[short, length]),
            Err(_) => {
                self.out.push(long);
                self.length(bytes.len());
            }
        }
        self.out.extend_from_slice(bytes);
    }

    fn length(&mut self, length: usize) {
        // Arguments are bounded far below.
        self.out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
}

/// A whole number of any size, least significant byte first.
fn twos_complement(decimal: &str) -> Vec<u8> {
    /// The most digits whose number fits a limb.
    const DIGITS: usize = 19;
    let (negative, digits) = decimal.strip_prefix('-').map_or((false, decimal), |digits| (true, digits));
    let mut limbs: Vec<u64> = Vec::with_capacity(digits.len() / DIGITS + 1);
    for chunk in digits.as_bytes().chunks(DIGITS) {
        let mut carry = chunk.iter().fold(0, |number, digit| number * 10 + u128::from(digit - b'0'));
        let scale = 10_u128.pow(chunk.len() as u32);
        for limb in &mut limbs {
            let wide = u128::from(*limb) * scale + carry;
            (*limb, carry) = (wide as u64, wide >> 64);
        }
        if carry > 0 {
            limbs.push(carry as u64);
        }
    }
    // Room for the sign.
    limbs.push(0);
    if negative {
        let mut carry = true;
        for limb in &mut limbs {
            (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
        }
    }
    limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect()
}
