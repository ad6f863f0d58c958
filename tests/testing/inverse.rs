//! What a test sees of values is what was enqueued, to the bit: the kit encodes and decodes them on the way.

use std::cell::RefCell;

use airlock::assert_enqueued;
use airlock::testing::{capture, drain, perform};
use airlock_tests::roundtrip::{Values, bits, values};
use proptest::prelude::*;

thread_local! {
    static RAN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[airlock::task(name = "inverse.measure")]
fn measure(values: Values) {
    RAN.with_borrow_mut(|ran| ran.push(bits(&values)));
}

#[airlock::task(name = "inverse.pass_on")]
fn pass_on(values: Values) -> airlock::Result<()> {
    measure::enqueue(values)?;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_27_what_is_performed_captured_and_drained_is_what_was_enqueued(values in values()) {
        let expected = bits(&values);
        RAN.take();
        assert!(perform::<measure>((values.clone(),)).is_ok());
        let captured = capture(|| measure::enqueue(values.clone()).is_ok());
        assert_enqueued!(captured, measure { values: values });
        prop_assert_eq!(&bits(&captured.of::<measure>()[0].0), &expected);
        drain(&captured).unwrap();
        let performed = capture(|| airlock::scope().run(|| pass_on(values.clone())).is_ok());
        drain(&performed).unwrap();
        prop_assert_eq!(RAN.take(), vec![expected; 3]);
    }
}
