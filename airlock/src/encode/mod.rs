//! The checking serializer that every wire format goes through: JSON that any reader accepts, or an error that names
//! the parameter. Non-finite floats are refused (they would become `null`), nesting is bounded (readers of other
//! languages recurse), and the size is bounded while writing (a value larger than memory is never built).

mod canonical;
mod checked;
mod error;
mod map;
mod state;

use std::io;

use serde::Serialize;
use serde_json::value::RawValue;

pub(crate) use canonical::canonical;
pub(crate) use canonical::sorted_fields;
use checked::Checked;
pub use error::{EncodeError, EncodeFault};
use state::Notes;

/// How deep values may nest. Python's JSON decoder gives up somewhere between 900 and 2,000 levels; readers with
/// smaller stacks give up sooner.
pub const MAX_DEPTH: usize = 64;

/// How many bytes the encoded arguments of one intent may take. Above any broker's comfort and below any broker's
/// limit: a larger payload belongs in a store, with its key as the argument.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How the arguments of a call are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// By name.
    Object,
    /// By position.
    Array,
}

/// A value of some type that can be encoded: what needs no more than that is compiled once, and not once a task.
#[doc(hidden)]
pub trait Encode {
    fn encode(&self, encoder: &mut Encoder) -> Result<(), EncodeError>;
}

impl<T: Serialize> Encode for T {
    fn encode(&self, encoder: &mut Encoder) -> Result<(), EncodeError> {
        encoder.value(self)
    }
}

/// Writes JSON, value by value, into one buffer.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Encoder {
    out: Bounded,
    fields: usize,
    calls: u64,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        // Most arguments fit: growing there step by step is felt.
        Self { out: Bounded { bytes: Vec::with_capacity(128), is_full: false }, ..Self::default() }
    }

    /// One value on its own.
    pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, EncodeError> {
        let mut encoder = Self::new();
        encoder.value(value)?;
        encoder.finish()
    }

    pub(crate) fn begin(&mut self, shape: Shape) -> Result<(), EncodeError> {
        self.raw(if shape == Shape::Array { b"[" } else { b"{" })
    }

    /// What stands before a value. The name is that of a parameter, which needs no escapes.
    pub(crate) fn name(&mut self, shape: Shape, name: &str) -> Result<(), EncodeError> {
        if self.fields > 0 {
            self.raw(b",")?;
        }
        self.fields += 1;
        if shape == Shape::Object {
            self.raw(b"\"")?;
            self.raw(name.as_bytes())?;
            self.raw(b"\":")?;
        }
        Ok(())
    }

    pub(crate) fn end(mut self, shape: Shape) -> Result<String, EncodeError> {
        self.raw(if shape == Shape::Array { b"]" } else { b"}" })?;
        self.text()
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let (notes, start) = (Notes::default(), self.out.bytes.len());
        let mut json = serde_json::Serializer::new(&mut self.out);
        value.serialize(Checked::new(&mut json, &notes)).map_err(|error| {
            let found =
                notes.fault.take().unwrap_or(if error.is_io() { EncodeFault::TooLarge } else { EncodeFault::Refused });
            EncodeError::new(found)
        })?;
        self.calls = self.calls.wrapping_add(notes.calls.get());
        // One that the type has hidden.
        if let Some(fault) = notes.fault.take() {
            return Err(EncodeError::new(fault));
        }
        // Read again here, where it is known which value it is.
        if notes.is_unsure() && serde_json::from_slice::<&RawValue>(&self.out.bytes[start..]).is_err() {
            return Err(EncodeError::new(EncodeFault::Refused));
        }
        Ok(())
    }

    /// What the types called to be written, as a number: values with one text have two numbers if they are written in
    /// different ways, as `Some(None)` and `None` are. The order doesn't count, as sets have none.
    pub(crate) fn calls(value: &dyn Encode) -> Result<u64, EncodeError> {
        let mut encoder = Self::new();
        value.encode(&mut encoder)?;
        Ok(encoder.calls)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        io::Write::write_all(&mut self.out, bytes).map_err(|_| EncodeError::new(EncodeFault::TooLarge))
    }

    pub(crate) fn finish(self) -> Result<Box<RawValue>, EncodeError> {
        self.text().and_then(raw)
    }

    fn text(self) -> Result<String, EncodeError> {
        String::from_utf8(self.out.bytes).map_err(|_| EncodeError::new(EncodeFault::Refused))
    }
}

/// As the type that promises to be JSON.
pub(crate) fn raw(text: String) -> Result<Box<RawValue>, EncodeError> {
    RawValue::from_string(text).map_err(|_| EncodeError::new(EncodeFault::Refused))
}

/// A buffer that refuses to grow past [`MAX_BYTES`], and takes nothing more after that.
#[derive(Debug, Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_full |= self.bytes.len() + bytes.len() > MAX_BYTES;
        if self.is_full {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
