//! Promise 27: what was accepted is decoded as it was, floats to the last bit, by every path that decodes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use airlock::{Arguments, EncodeFault, Intent, registry};
use airlock_tests::roundtrip::{Values, bits, values};
use proptest::prelude::*;

thread_local! {
    /// What the tasks here were called with.
    static RAN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn ran(values: &Values, double: f64) {
    RAN.with_borrow_mut(|ran| ran.push(format!("{} {double:?}", bits(values))));
}

#[airlock::task(name = "inverse.named")]
fn named(values: Values, double: f64) {
    ran(&values, double);
}

#[airlock::task(name = "inverse.positional", positional)]
fn positional(values: Values, double: f64) {
    ran(&values, double);
}

#[airlock::task(name = "inverse.later")]
async fn later(values: Values, double: f64) {
    ran(&values, double);
}

#[airlock::task(name = "inverse.floats")]
fn floats(double: f64, single: f32) {
    let _ = (double, single);
}

#[airlock::task(name = "inverse.keyed")]
fn keyed(by_number: BTreeMap<i64, f64>) {
    let _ = by_number;
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn arguments(intent: &Intent) -> Arguments {
    serde_json::from_str(intent.to_json().unwrap().get()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_27_every_path_that_decodes_gives_back_what_was_accepted_to_the_bit(values in values()) {
        let double = values.double;
        let expected = format!("{} {double:?}", bits(&values));
        let sent = (values.clone(), double);
        let [by_name, by_place, async_one] = [
            named::intent(values.clone(), double),
            positional::intent(values.clone(), double),
            later::intent(values, double),
        ];
        let told = |values: &Values, double: f64| format!("{} {double:?}", bits(values));

        // The text of a whole message.
        let message = serde_json::to_string(&by_name).unwrap();
        let decoded = registry().decode(&message).unwrap();
        let (values, double) = decoded.args::<named>().unwrap();
        prop_assert_eq!(&told(values, *double), &expected);
        let decoded = registry().decode(&serde_json::to_string(&by_place).unwrap()).unwrap();
        let (values, double) = decoded.args::<positional>().unwrap();
        prop_assert_eq!(&told(values, *double), &expected);

        // Arguments without a type, read or given one by one.
        let explicit = Arguments::new().positional(&sent.0).unwrap().named("double", &sent.1).unwrap();
        for arguments in [arguments(&by_name), explicit.clone()] {
            let intent = registry().intent("inverse.named", arguments).unwrap();
            let (values, double) = intent.args::<named>().unwrap();
            prop_assert_eq!(&told(values, *double), &expected);
        }

        // What runs.
        RAN.take();
        registry().invoke("inverse.named", arguments(&by_name)).unwrap();
        registry().invoke("inverse.named", explicit.clone()).unwrap();
        registry().invoke("inverse.positional", arguments(&by_place)).unwrap();
        block_on(registry().invoke_async("inverse.later", arguments(&async_one))).unwrap();
        block_on(registry().invoke_async("inverse.named", explicit)).unwrap();
        airlock::scope().executor(airlock::InlineExecutor::new().checked()).run(|| -> airlock::Result<()> {
            named::enqueue(sent.0.clone(), sent.1)?;
            positional::enqueue(sent.0.clone(), sent.1)?;
            Ok(())
        }).unwrap();
        for (intent, task, shape) in [(&by_name, "inverse.named", "kwargs"), (&by_place, "inverse.positional", "args")] {
            let event = format!(
                "{{\"id\":\"{}\",\"task\":\"{task}\",\"{shape}\":{}}}", intent.id(), intent.to_json().unwrap().get()
            );
            airlock::invoke_event(&event).unwrap();
            block_on(airlock::invoke_event_async(&event)).unwrap();
        }
        let ran = RAN.take();
        prop_assert_eq!(ran.len(), 11);
        for ran in ran {
            prop_assert_eq!(&ran, &expected);
        }
    }

    #[test]
    fn promise_27_all_bits_of_a_float_come_back_or_the_float_is_refused(double in any::<u64>(), single in any::<u32>()) {
        let (double, single) = (f64::from_bits(double), f32::from_bits(single));
        let intent = floats::intent(double, single);
        match intent.to_json() {
            Ok(_) => {
                let decoded = registry().decode(&serde_json::to_string(&intent).unwrap()).unwrap();
                let (read, read_single) = decoded.args::<floats>().unwrap();
                prop_assert_eq!((read.to_bits(), read_single.to_bits()), (double.to_bits(), single.to_bits()));
            }
            Err(error) => {
                prop_assert_eq!(error.fault(), EncodeFault::NotFinite);
                prop_assert!(!double.is_finite() || !single.is_finite());
            }
        }
    }
}

#[test]
fn promise_27_each_of_a_million_floats_comes_back() {
    // A fixed sequence of all exponents and arbitrary digits.
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        f64::from_bits(bits)
    };
    let all: BTreeMap<i64, f64> =
        (0..).zip(std::iter::repeat_with(next).filter(|double| double.is_finite()).take(1_000_000)).collect();
    for some in all.into_iter().collect::<Vec<_>>().chunks(100_000) {
        let sent: BTreeMap<i64, f64> = some.iter().copied().collect();
        let decoded = registry().decode(&serde_json::to_string(&keyed::intent(sent.clone())).unwrap()).unwrap();
        let read = &decoded.args::<keyed>().unwrap().0;
        let changed =
            sent.iter().zip(read).filter(|(sent, read)| sent.0 != read.0 || sent.1.to_bits() != read.1.to_bits());
        assert_eq!(changed.count(), 0);
    }
}
