//! A serializer around another one that looks at every float, counts the nesting, and notices what may have become no
//! JSON.

use std::collections::HashSet;
use std::fmt::Display;

use serde::ser::{
    SerializeMap as _, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use super::EncodeFault;
use super::map::{CheckedMap, Keys};
use super::state::{EncodeState, Notes};

/// The struct name under which `serde_json` passes raw JSON through (`serde_json` 1.0, `raw.rs`).
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// How the names begin of all that it passes through.
const PASSED_THROUGH: &str = "$serde_json::private::";

/// See the module.
#[derive(Debug)]
pub(super) struct Checked<'a, S> {
    inner: S,
    place: EncodeState<'a>,
}

impl<'a, S> Checked<'a, S> {
    pub(super) fn new(inner: S, notes: &'a Notes) -> Self {
        Self { inner, place: EncodeState { depth: 0, raw: false, notes } }
    }
}

impl<'a, S: Serializer> Checked<'a, S> {
    fn map(self, len: Option<usize>, keys: Keys) -> Result<CheckedMap<'a, S::SerializeMap>, S::Error> {
        let place = self.place.deeper()?;
        place.unsure_if(len == Some(0));
        Ok(CheckedMap::new(self.inner.serialize_map(len)?, place, keys))
    }
}

/// A value inside a compound, to be serialised at its place.
#[derive(Debug)]
pub(super) struct At<'a, 'v, T: ?Sized>(pub(super) EncodeState<'a>, pub(super) &'v T);

impl<T: Serialize + ?Sized> Serialize for At<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unfinished = &self.0.notes.unfinished;
        unfinished.set(unfinished.get() + 1);
        let written = self.1.serialize(Checked { inner: serializer, place: self.0 })?;
        unfinished.set(unfinished.get() - 1);
        Ok(written)
    }
}

macro_rules! forward {
    ($($method:ident($kind:ty))*) => {
        $(fn $method(self, value: $kind) -> Result<S::Ok, S::Error> {
            self.place.note(stringify!($method));
            self.inner.$method(value)
        })*
    };
}

macro_rules! open {
    ($($method:ident($($arg:ident: $kind:ty),*) -> $compound:ident, empty if $is_empty:expr;)*) => {
        $(fn $method(self, $($arg: $kind),*) -> Result<Self::$compound, S::Error> {
            let place = self.place.deeper()?;
            place.unsure_if($is_empty);
            Ok(Checked { inner: self.inner.$method($($arg),*)?, place })
        })*
    };
}

impl<'a, S: Serializer> Serializer for Checked<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Checked<'a, S::SerializeSeq>;
    type SerializeTuple = Checked<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Checked<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Checked<'a, S::SerializeTupleVariant>;
    type SerializeMap = CheckedMap<'a, S::SerializeMap>;
    type SerializeStruct = Checked<'a, S::SerializeStruct>;
    type SerializeStructVariant = Checked<'a, S::SerializeStructVariant>;

    forward! {
        serialize_bool(bool) serialize_char(char) serialize_unit_struct(&'static str)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    open! {
        serialize_seq(len: Option<usize>) -> SerializeSeq, empty if len == Some(0);
        serialize_tuple(len: usize) -> SerializeTuple, empty if len == 0;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct, empty if len == 0;
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.map(len, Keys::Checked(HashSet::new()))
    }

    fn collect_map<K: Serialize, V: Serialize, I: IntoIterator<Item = (K, V)>>(
        self,
        all: I,
    ) -> Result<S::Ok, S::Error> {
        let mut all = all.into_iter();
        let (least, most) = all.size_hint();
        // A collection's own keys, which are all there and differ: they cost nothing.
        let is_whole = most == Some(least);
        let mut map =
            self.map(most.filter(|_| is_whole), if is_whole { Keys::Trusted } else { Keys::Checked(HashSet::new()) })?;
        all.try_for_each(|(key, value)| map.serialize_entry(&key, &value))?;
        map.end()
    }

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        self.place.note("str");
        if self.place.raw {
            self.place.check_raw(value)?;
        }
        self.inner.serialize_str(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        // JSON has no bytes: an array of numbers is written.
        self.place.deeper()?;
        self.inner.serialize_bytes(value)
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.place.note("f32");
        if !value.is_finite() {
            return Err(self.place.fail(EncodeFault::NotFinite));
        }
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.place.note("f64");
        if !value.is_finite() {
            return Err(self.place.fail(EncodeFault::NotFinite));
        }
        self.inner.serialize_f64(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.place.note("none");
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.place.note("some");
        self.inner.serialize_some(&At(self.place, value))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.place.note("unit");
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.place.note("unit_variant");
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.place.note("newtype_struct");
        self.inner.serialize_newtype_struct(name, &At(self.place, value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let place = self.place.deeper()?;
        self.inner.serialize_newtype_variant(name, index, variant, &At(place, value))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let place = if name == RAW_VALUE { EncodeState { raw: true, ..self.place } } else { self.place.deeper()? };
        place.unsure_if(len == 0 || name.starts_with(PASSED_THROUGH));
        Ok(Checked { inner: self.inner.serialize_struct(name, len)?, place })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        // Two levels: the object that names the variant, and the array in it.
        let place = self.place.deeper()?.deeper()?;
        place.unsure_if(len == 0);
        Ok(Checked { inner: self.inner.serialize_tuple_variant(name, index, variant, len)?, place })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let place = self.place.deeper()?.deeper()?;
        place.unsure_if(len == 0);
        Ok(Checked { inner: self.inner.serialize_struct_variant(name, index, variant, len)?, place })
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        if self.place.raw {
            return self.serialize_str(&value.to_string());
        }
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! compound {
    ($($trait:ident::$method:ident($($key:ident: $kind:ty)?);)*) => {
        $(impl<S: $trait> $trait for Checked<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $kind,)? value: &T) -> Result<(), S::Error> {
                self.inner.$method($($key,)? &At(self.place, value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

compound! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(key: &'static str);
    SerializeStructVariant::serialize_field(key: &'static str);
}
