//! Values at random, with the odd ones more often than by chance.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Texts with all that a `String` can hold, control characters and the odd planes of Unicode more often than by chance.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        vec(
            prop_oneof![any::<char>(), (0_u8..=0x1f).prop_map(char::from), Just('"'), Just('\\'), Just('\u{2028}')],
            0..40
        )
        .prop_map(String::from_iter),
        "[a-z_]{0,12}",
    ]
}

/// JSON of any shape.
pub fn json() -> impl Strategy<Value = String> {
    let finite = any::<f64>().prop_filter("JSON has no others", |float| float.is_finite());
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i128>().prop_map(|value| value.to_string()),
        any::<u128>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        finite.prop_map(|value| quoted(&value)),
        text().prop_map(|value| quoted(&value)),
    ];
    leaf.prop_recursive(40, 200, 6, |inner| {
        let list = vec(inner.clone(), 0..6).prop_map(|values| format!("[{}]", values.join(",")));
        let object = btree_map(text(), inner, 0..6).prop_map(|fields| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
            format!("{{{}}}", fields.join(","))
        });
        prop_oneof![list, object]
    })
}

fn quoted<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("it has a JSON form")
}

/// What draws values, different ones each time or those of `AIRLOCK_SEED`; and the seed, to be told when a test fails.
///
/// # Panics
/// If that is no number.
#[must_use]
pub fn runner() -> (TestRunner, u64) {
    let seed = std::env::var("AIRLOCK_SEED").map_or_else(|_| fresh_seed(), |seed| seed.parse().expect("a number"));
    (TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() }), seed)
}

fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}
