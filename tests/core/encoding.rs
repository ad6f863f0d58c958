//! The checking encoder: what every reader gets back as it was, or an error that names the parameter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use airlock::{Arguments, EncodeError, EncodeFault, MAX_BYTES, MAX_DEPTH};
use serde::ser::{Error as _, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// What is wrong with the value, or the JSON it becomes.
fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeFault> {
    Arguments::new().positional(value).map_err(|error| error.fault())?;
    Ok(serde_json::to_string(value).unwrap())
}

#[airlock::task(name = "encoding.floats")]
fn floats(first: f64, nested: Vec<Option<Reading>>, last: f32) {
    let _ = (first, nested, last);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reading {
    value: f64,
}

#[airlock::task(name = "encoding.wide")]
fn wide(signed: i128, unsigned: u128, by_id: BTreeMap<u128, i128>) {
    let _ = (signed, unsigned, by_id);
}

// Floats.

#[test]
fn floats_that_are_not_finite_are_refused_wherever_they_are() {
    #[derive(Serialize)]
    enum Shape {
        Newtype(f64),
        Tuple(u8, f64),
        Struct { x: f64 },
    }
    #[derive(Serialize)]
    struct Newtype(f64);
    #[derive(Serialize)]
    struct Tuple(u8, f64);

    let (nan, infinite) = (f64::NAN, f64::NEG_INFINITY);
    let refused = Err(EncodeFault::NotFinite);
    assert_eq!(encode(&nan), refused);
    assert_eq!(encode(&f32::INFINITY), refused);
    assert_eq!(encode(&infinite), refused);
    assert_eq!(encode(&Some(nan)), refused);
    assert_eq!(encode(&vec![1.0, nan]), refused);
    assert_eq!(encode(&(1, nan)), refused);
    assert_eq!(encode(&[[infinite]]), refused);
    assert_eq!(encode(&Reading { value: nan }), refused);
    assert_eq!(encode(&Newtype(nan)), refused);
    assert_eq!(encode(&Tuple(1, nan)), refused);
    assert_eq!(encode(&Shape::Newtype(nan)), refused);
    assert_eq!(encode(&Shape::Tuple(1, nan)), refused);
    assert_eq!(encode(&Shape::Struct { x: infinite }), refused);
    assert_eq!(encode(&BTreeMap::from([("x", nan)])), refused);
    assert_eq!(encode(&vec![BTreeMap::from([("x", vec![Some(infinite)])])]), refused);
}

#[test]
fn finite_floats_are_written_so_that_they_come_back_bit_for_bit() {
    for value in [0.0, -0.0, 0.1, f64::MIN_POSITIVE, f64::MAX, 1e300, 5e-324] {
        let intent = floats::intent(value, vec![Some(Reading { value })], 0.1);
        let json = serde_json::to_string(&intent).unwrap();
        let decoded = airlock::registry().decode(&json).unwrap();
        let (first, nested, last) = decoded.args::<floats>().unwrap();
        assert_eq!(first.to_bits(), value.to_bits(), "{json}");
        assert_eq!(nested[0].as_ref().unwrap().value.to_bits(), value.to_bits());
        assert_eq!(last.to_bits(), 0.1_f32.to_bits());
    }
}

#[test]
fn the_error_names_the_parameter_and_the_way_out_and_not_the_value() {
    let error = floats::intent(1.0, vec![None, Some(Reading { value: f64::NAN })], 0.5).to_json().unwrap_err();
    assert_eq!((error.parameter(), error.fault()), (Some("nested"), EncodeFault::NotFinite));
    let expected =
        "argument `nested` can't be encoded: a float that is not finite has no JSON form; send an `Option` or a string";
    assert_eq!(error.to_string(), expected);
    let error = floats::intent(1.0, vec![], f32::NAN).to_json().unwrap_err();
    assert_eq!(error.parameter(), Some("last"));

    let alone: EncodeError = Arguments::new().positional(&f64::NAN).unwrap_err();
    assert_eq!(alone.parameter(), None);
    assert!(alone.to_string().starts_with("the value can't be encoded: a float"), "{alone}");
}

// Depth.

/// Arrays in arrays.
struct Nested(usize);

impl Serialize for Nested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        if self.0 > 1 {
            seq.serialize_element(&Nested(self.0 - 1))?;
        }
        seq.end()
    }
}

#[test]
fn values_nest_as_deep_as_documented_and_no_deeper() {
    assert_eq!(encode(&Nested(MAX_DEPTH)).unwrap().matches('[').count(), MAX_DEPTH);
    assert_eq!(encode(&Nested(MAX_DEPTH + 1)), Err(EncodeFault::TooDeep));
    // A stack overflow would come long after this many.
    assert_eq!(encode(&Nested(100_000)), Err(EncodeFault::TooDeep));
}

#[test]
fn every_kind_of_nesting_counts() {
    #[derive(Serialize)]
    enum Chain {
        End,
        Newtype(Box<Chain>),
        Tuple(Box<Chain>, u8),
        Struct { next: Box<Chain> },
    }
    #[derive(Serialize)]
    struct Link {
        next: Option<Box<Link>>,
    }

    let newtypes = |depth| (0..depth).fold(Chain::End, |chain, _| Chain::Newtype(Box::new(chain)));
    assert!(encode(&newtypes(MAX_DEPTH)).is_ok());
    assert_eq!(encode(&newtypes(MAX_DEPTH + 1)), Err(EncodeFault::TooDeep));
    // The object that names the variant, and what is in it: two levels each.
    for wrap in [|chain| Chain::Tuple(Box::new(chain), 0), |chain| Chain::Struct { next: Box::new(chain) }] {
        let chain = |depth| (0..depth).fold(Chain::End, |chain, _| wrap(chain));
        assert!(encode(&chain(MAX_DEPTH / 2)).is_ok());
        assert_eq!(encode(&chain(MAX_DEPTH / 2 + 1)), Err(EncodeFault::TooDeep));
    }
    let links = |depth| (1..depth).fold(Link { next: None }, |link, _| Link { next: Some(Box::new(link)) });
    assert!(encode(&links(MAX_DEPTH)).is_ok());
    assert_eq!(encode(&links(MAX_DEPTH + 1)), Err(EncodeFault::TooDeep));
    let maps = |depth| (0..depth).fold(serde_json::json!(0), |inner, _| serde_json::json!({ "k": inner }));
    assert!(encode(&maps(MAX_DEPTH)).is_ok());
    assert_eq!(encode(&maps(MAX_DEPTH + 1)), Err(EncodeFault::TooDeep));
}

#[test]
fn bytes_are_an_array_and_count_as_one() {
    struct BytesAt(usize);

    impl Serialize for BytesAt {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0 => serializer.serialize_bytes(b"b"),
                depth => [BytesAt(depth - 1)].serialize(serializer),
            }
        }
    }

    assert_eq!(encode(&BytesAt(1)), Ok("[[98]]".to_owned()));
    assert!(encode(&BytesAt(MAX_DEPTH - 1)).is_ok());
    assert_eq!(encode(&BytesAt(MAX_DEPTH)), Err(EncodeFault::TooDeep));
}

#[test]
fn raw_json_is_counted_too_and_brackets_in_its_strings_are_not() {
    let raw = |text: String| RawValue::from_string(text).unwrap();
    let nested = |depth: usize| raw(format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    assert!(encode(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(encode(&nested(MAX_DEPTH + 1)), Err(EncodeFault::TooDeep));
    assert!(encode(&[nested(MAX_DEPTH - 1)]).is_ok());
    assert_eq!(encode(&[nested(MAX_DEPTH)]), Err(EncodeFault::TooDeep), "what is around it counts as well");
    let text = raw(format!(r#"{{"k": "\"{}\\"}}"#, "[{".repeat(MAX_DEPTH)));
    assert!(encode(&text).is_ok());
    let siblings = raw(format!("[{}]", vec!["[[]]"; MAX_DEPTH].join(",")));
    assert!(encode(&siblings).is_ok(), "beside each other is not in each other");
}

// Size.

#[test]
fn a_value_that_would_never_end_is_refused_while_it_is_written() {
    struct Endless(Arc<AtomicUsize>);

    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let block = "x".repeat(1 << 16);
            let mut seq = serializer.serialize_seq(None)?;
            loop {
                self.0.fetch_add(block.len(), Ordering::Relaxed);
                seq.serialize_element(&block)?;
            }
        }
    }

    let written = Arc::new(AtomicUsize::new(0));
    let refused = Arguments::new().positional(&Endless(Arc::clone(&written))).unwrap_err();
    assert_eq!(refused.fault(), EncodeFault::TooLarge);
    assert!(written.load(Ordering::Relaxed) <= MAX_BYTES + (1 << 16), "it stopped at the limit");
    assert!(refused.to_string().contains("it takes more than 16777216 bytes; store it and send its key"), "{refused}");
}

#[test]
fn the_limit_is_exact_and_holds_for_all_arguments_together() {
    #[airlock::task(name = "encoding.blobs")]
    fn blobs(a: String, b: String) {
        let _ = (a, b);
    }

    let around = r#"{"a":"","b":""}"#.len();
    let half = "x".repeat(MAX_BYTES / 2);
    let rest = "x".repeat(MAX_BYTES - MAX_BYTES / 2 - around);
    let fits = blobs::intent(half.clone(), rest.clone());
    assert_eq!(fits.to_json().unwrap().get().len(), MAX_BYTES);
    let error = blobs::intent(half, rest + "x").to_json().unwrap_err();
    assert_eq!(error.fault(), EncodeFault::TooLarge, "the closing brace is the byte too many");
    let error = blobs::intent("x".repeat(MAX_BYTES), String::new()).to_json().unwrap_err();
    assert_eq!((error.parameter(), error.fault()), (Some("a"), EncodeFault::TooLarge));
}

// What is exact.

#[test]
fn integers_of_128_bits_are_exact_there_and_back() {
    let by_id = BTreeMap::from([(u128::MAX, i128::MIN), (0, -1)]);
    let intent = wide::intent(i128::MIN, u128::MAX, by_id.clone());
    let expected = r#"{"signed":-170141183460469231731687303715884105728,"unsigned":340282366920938463463374607431768211455,"by_id":{"0":-1,"340282366920938463463374607431768211455":-170141183460469231731687303715884105728}}"#;
    assert_eq!(intent.to_json().unwrap().get(), expected);
    let decoded = airlock::registry().decode(&serde_json::to_string(&intent).unwrap()).unwrap();
    assert_eq!(decoded.args::<wide>(), Some(&(i128::MIN, u128::MAX, by_id)));
}

#[test]
fn untyped_arguments_stay_the_text_they_are() {
    let text = r#"[-170141183460469231731687303715884105728, 340282366920938463463374607431768211455, {}]"#;
    let arguments: Arguments = serde_json::from_str(text).unwrap();
    let intent = airlock::registry().intent("encoding.wide", arguments).unwrap();
    assert_eq!(intent.args::<wide>(), Some(&(i128::MIN, u128::MAX, BTreeMap::new())));
}

#[test]
fn strings_keep_every_character() {
    #[airlock::task(name = "encoding.text")]
    fn text(text: String) {
        let _ = text;
    }

    for value in ["", "\"\\/\u{8}\u{c}\n\r\t\0", "Grüße, 世界 👩‍👩‍👧", "\u{2028}\u{feff}", "</script>"]
    {
        let message = serde_json::to_string(&text::intent(value.to_owned())).unwrap();
        let decoded = airlock::registry().decode(&message).unwrap();
        assert_eq!(decoded.args::<text>(), Some(&(value.to_owned(),)));
    }
}

#[test]
fn a_raw_argument_is_passed_through_as_it_is() {
    #[airlock::task(name = "encoding.raw")]
    #[expect(clippy::boxed_local, reason = "raw JSON has no other owned form")]
    fn raw(payload: Box<RawValue>) {
        let _ = payload;
    }

    let payload = RawValue::from_string(r#"{"b": 1.10, "a":[1e2]}"#.to_owned()).unwrap();
    let json = raw::intent(payload).to_json().unwrap();
    assert_eq!(json.get(), r#"{"payload":{"b": 1.10, "a":[1e2]}}"#);
}

// Keys and refusals.

#[test]
fn map_keys_that_have_a_text_are_written_and_others_refused() {
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    enum Colour {
        Red,
    }
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Point(i32, i32);

    assert_eq!(encode(&BTreeMap::from([(Colour::Red, 1)])), Ok(r#"{"Red":1}"#.to_owned()));
    assert_eq!(encode(&BTreeMap::from([(-7, 1)])), Ok(r#"{"-7":1}"#.to_owned()));
    assert_eq!(encode(&BTreeMap::from([(true, 1)])), Ok(r#"{"true":1}"#.to_owned()));
    assert_eq!(encode(&BTreeMap::from([(Point(1, 2), 1)])), Err(EncodeFault::Refused));
    assert_eq!(encode(&BTreeMap::from([(vec![1], 1)])), Err(EncodeFault::Refused));
}

#[test]
fn a_float_as_a_key_is_looked_at_too() {
    struct Keyed(f64);

    impl Serialize for Keyed {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([(self.0, 1)])
        }
    }

    assert_eq!(encode(&Keyed(0.5)), Ok(r#"{"0.5":1}"#.to_owned()));
    assert_eq!(encode(&Keyed(f64::NAN)), Err(EncodeFault::NotFinite));
}

#[test]
fn a_type_that_refuses_is_told_without_its_words() {
    #[derive(Debug, Clone, Deserialize)]
    struct Sealed(String);

    impl Serialize for Sealed {
        fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom(format!("{} is sealed", self.0)))
        }
    }

    #[airlock::task(name = "encoding.sealed")]
    fn sealed(open: u8, letter: Sealed) {
        let _ = (open, letter);
    }

    let intent = sealed::intent(1, Sealed("top secret".to_owned()));
    let error = intent.to_json().unwrap_err();
    assert_eq!((error.parameter(), error.fault()), (Some("letter"), EncodeFault::Refused));
    let expected = "argument `letter` can't be encoded: its `Serialize` refused it or writes no JSON, or a map in it has keys that are no strings; mend the type";
    assert_eq!(error.to_string(), expected);
    assert_eq!(intent.to_string(), "encoding.sealed(open=1, letter=<not encodable>)");
    assert_eq!(serde_json::to_string(&intent).unwrap_err().to_string(), expected);
}
