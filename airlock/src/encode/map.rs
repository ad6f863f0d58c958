//! Maps, whose keys may repeat: a struct with a flattened map is one, and so is a tagged variant that holds a map. Structs
//! have the fields that their type has, and cost nothing here.

use std::collections::HashSet;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::EncodeFault;
use super::checked::At;
use super::state::EncodeState;

/// The keys of a map so far.
#[derive(Debug)]
pub(super) enum Keys {
    /// They are looked at.
    Checked(HashSet<String>),
    /// A collection has seen to it that they differ.
    Trusted,
}

/// See the module.
#[derive(Debug)]
pub(super) struct CheckedMap<'a, S> {
    inner: S,
    place: EncodeState<'a>,
    keys: Keys,
}

impl<'a, S: SerializeMap> CheckedMap<'a, S> {
    pub(super) fn new(inner: S, place: EncodeState<'a>, keys: Keys) -> Self {
        Self { inner, place, keys }
    }

    fn check<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        let Keys::Checked(seen) = &mut self.keys else { return Ok(()) };
        // What is no key is refused when it is written.
        let Ok(mut text) = serde_json::to_string(key) else { return Ok(()) };
        // Numbers are quoted as well where they are keys.
        if !text.starts_with('"') {
            text = format!("\"{text}\"");
        }
        let is_new = seen.insert(text);
        if is_new { Ok(()) } else { Err(self.place.fail(EncodeFault::RepeatedKey)) }
    }
}

impl<S: SerializeMap> SerializeMap for CheckedMap<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        self.check(key)?;
        self.inner.serialize_entry(&At(self.place, key), &At(self.place, value))
    }

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.check(key)?;
        // One without the other is no JSON.
        self.place.unsure_if(true);
        self.inner.serialize_key(&At(self.place, key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.place.unsure_if(true);
        self.inner.serialize_value(&At(self.place, value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
