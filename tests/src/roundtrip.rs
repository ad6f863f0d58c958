//! Values of every kind that an argument may have, compared to the bit.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::values::text;

/// One of each kind, alone and nested, with the keys that a map can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "their types say it")]
pub struct Values {
    pub double: f64,
    pub single: f32,
    pub signed: i128,
    pub unsigned: u128,
    pub long: i64,
    pub text: String,
    pub letter: char,
    pub kind: Kind,
    pub doubles: Vec<Option<f64>>,
    pub singles: Vec<(f32, f64)>,
    pub by_number: BTreeMap<i128, Vec<f64>>,
    pub by_byte: BTreeMap<u8, u128>,
    pub by_name: BTreeMap<String, BTreeMap<u128, f32>>,
}

/// The forms of an enum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "their types say it")]
pub enum Kind {
    Unit,
    Newtype(f64),
    Tuple(f32, i128),
    Struct { double: f64, text: String },
}

/// Any float of 64 bits that JSON has, by its bits.
pub fn double() -> impl Strategy<Value = f64> {
    prop_oneof![any::<u64>().prop_map(f64::from_bits), any::<f64>(), any::<f32>().prop_map(f64::from)]
        .prop_filter("JSON has no others", |double| double.is_finite())
}

/// Any float of 32 bits that JSON has, by its bits.
pub fn single() -> impl Strategy<Value = f32> {
    prop_oneof![any::<u32>().prop_map(f32::from_bits), any::<f32>()]
        .prop_filter("JSON has no others", |single| single.is_finite())
}

/// Values of every kind.
pub fn values() -> impl Strategy<Value = Values> {
    let kind = prop_oneof![
        Just(Kind::Unit),
        double().prop_map(Kind::Newtype),
        (single(), any::<i128>()).prop_map(|(single, signed)| Kind::Tuple(single, signed)),
        (double(), text()).prop_map(|(double, text)| Kind::Struct { double, text }),
    ];
    let plain = (double(), single(), any::<i128>(), any::<u128>(), any::<i64>(), text(), any::<char>(), kind);
    let nested = (
        vec(proptest::option::of(double()), 0..6),
        vec((single(), double()), 0..6),
        btree_map(any::<i128>(), vec(double(), 0..3), 0..4),
        btree_map(any::<u8>(), any::<u128>(), 0..4),
        btree_map(text(), btree_map(any::<u128>(), single(), 0..3), 0..4),
    );
    (plain, nested).prop_map(|(plain, nested)| {
        let (double, single, signed, unsigned, long, text, letter, kind) = plain;
        let (doubles, singles, by_number, by_byte, by_name) = nested;
        Values {
            double,
            single,
            signed,
            unsigned,
            long,
            text,
            letter,
            kind,
            doubles,
            singles,
            by_number,
            by_byte,
            by_name,
        }
    })
}

/// The values with each float by its bits: `-0.0` and `0.0` are equal otherwise.
#[must_use]
pub fn bits(values: &Values) -> String {
    // The shortest text of a float that reads back as it is, which has a sign: the standard library's own.
    format!("{values:?}")
}
