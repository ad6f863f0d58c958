//! Values whose text is that of another value, or of none: found in tests, by their types where they are compared and by
//! what they write where they are not.

use std::collections::{BTreeMap, HashMap, HashSet};

use airlock::testing::{RecordingExecutor, assert_reads_back, capture, drain, perform};
use airlock_tests::roundtrip::{Values, values};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::golden::assert_fails;

#[airlock::task(name = "read_back.change")]
fn change(order_id: u64, discount: Option<Option<u8>>, seen: Vec<Option<()>>, note: Option<Value>) {
    let _ = (order_id, discount, seen, note);
}

/// What an untagged enum reads is the first variant that takes the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Amount {
    Small(u8),
    Large(u64),
    Both(u8, u8),
    Named { amount: u64 },
}

#[airlock::task(name = "read_back.pay")]
fn pay(amounts: BTreeMap<String, Amount>) {
    let _ = amounts;
}

/// Between its text and its fields, serde has no integers of 128 bits and only texts as keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Wide { value: u128 },
    Keyed { keyed: BTreeMap<u64, u8> },
    Plain { value: i64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u64,
    #[serde(flatten)]
    wide: Wide,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wide {
    value: i128,
}

#[airlock::task(name = "read_back.tagged")]
fn tagged(value: Tagged) {
    let _ = value;
}

#[airlock::task(name = "read_back.flat")]
fn flat(value: Flat) {
    let _ = value;
}

/// The reason, if the kit finds something.
fn found(enqueue: impl FnOnce() -> Result<airlock::IntentId, airlock::EnqueueError>) -> Option<String> {
    let recorder = RecordingExecutor::new();
    let ended = airlock::scope().executor(recorder).run_reported(|| enqueue().map(drop));
    let error = ended.flush.err()?;
    let reason = error.to_string();
    drop(error.into_intents());
    Some(reason)
}

#[test]
fn promise_27_a_value_that_reads_back_as_another_of_the_same_text_is_found() {
    let nothing = || change::enqueue(1, None, vec![None], None);
    assert_eq!(found(nothing), None);
    assert_eq!(found(|| change::enqueue(1, Some(Some(5)), vec![], Some(Value::from(0.5)))), None);
    for (parameter, reason) in [
        ("discount", found(|| change::enqueue(1, Some(None), vec![], None))),
        ("seen", found(|| change::enqueue(1, None, vec![None, Some(())], None))),
        ("note", found(|| change::enqueue(1, None, vec![], Some(Value::Null)))),
    ] {
        let told = format!("argument `{parameter}` is read back as another value of the same text");
        assert!(reason.as_ref().is_some_and(|reason| reason.contains(&told)), "{parameter}: {reason:?}");
    }
    let pays = |amount: Amount| found(|| pay::enqueue([("a".to_owned(), amount)].into()));
    for fine in [Amount::Small(5), Amount::Large(500), Amount::Both(1, 2), Amount::Named { amount: 5 }] {
        assert_eq!(pays(fine.clone()), None, "{fine:?}");
        assert_reads_back(&fine);
    }
    assert!(pays(Amount::Large(5)).is_some_and(|reason| reason.contains("argument `amounts` is read back")));
    assert!(perform::<change>((1, Some(None), vec![], None)).is_err());

    assert_fails("read_back_some_none", || capture(|| change::enqueue(1, Some(None), vec![], None).is_ok()));
    assert_fails("read_back_compared", || assert_reads_back(&Amount::Large(5)));
}

#[test]
fn promise_27_wide_integers_and_number_keys_that_can_not_be_read_are_found() {
    let keyed = || BTreeMap::from([(1, 2)]);
    assert_eq!(found(|| tagged::enqueue(Tagged::Plain { value: i64::MIN })), None);
    for reason in [
        found(|| tagged::enqueue(Tagged::Wide { value: 1 })),
        found(|| tagged::enqueue(Tagged::Wide { value: u128::MAX })),
        found(|| tagged::enqueue(Tagged::Keyed { keyed: keyed() })),
        found(|| flat::enqueue(Flat { id: 1, wide: Wide { value: i128::MIN } })),
    ] {
        assert!(reason.as_ref().is_some_and(|reason| reason.contains("argument `value` is not a `")), "{reason:?}");
    }
    assert_fails("read_back_unreadable", || assert_reads_back(&Tagged::Keyed { keyed: keyed() }));
    assert_fails("read_back_not_finite", || assert_reads_back(&f64::NAN));
}

type Deep = Vec<Option<Vec<Option<(f32, i128)>>>>;

#[airlock::task(name = "read_back.kept")]
fn kept(all: HashMap<String, HashSet<u64>>, deep: Deep, values: Values) {
    let _ = (all, deep, values);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_27_nothing_is_found_where_nothing_is_wrong(
        all in proptest::collection::hash_map(any::<String>(), proptest::collection::hash_set(any::<u64>(), 0..9), 0..9),
        deep in proptest::collection::vec(
            proptest::option::of(proptest::collection::vec(proptest::option::of((-1e30_f32..1e30, any::<i128>())), 0..3)),
            0..4,
        ),
        values in values(),
    ) {
        assert_reads_back(&all);
        assert_reads_back(&values);
        let captured = capture(|| kept::enqueue(all.clone(), deep.clone(), values.clone()).is_ok());
        prop_assert_eq!(captured.of::<kept>(), [&(all, deep, values)]);
        prop_assert!(drain(&captured).is_ok());
    }
}
