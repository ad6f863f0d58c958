//! Where the assertions must fail, and what they say then: see `golden`.

use airlock::testing::{Expected, capture, capture_in};
use airlock::{
    DropAll, Options, assert_enqueued, assert_enqueued_in_order, assert_not_enqueued, assert_nothing_enqueued,
};

use crate::golden::assert_fails;
use crate::shop::{charge, notify, process, restock, send_email};

#[test]
fn enqueued_fails_on_another_value_and_tells_the_near_misses() {
    let captured = capture(|| process(42));
    assert_fails("value", || assert_enqueued!(captured, send_email { order_id: 41, subject: "thanks", .. }));
    assert_fails("value_all_named", || {
        assert_enqueued!(captured, charge { order_id: 42, amount: 9.25 });
    });
    assert_fails("value_redacted", || assert_enqueued!(captured, send_email { order_id: 42, token: "canary 2", .. }));
    let captured = capture(|| restock::enqueue([("x".repeat(500), 1)].into(), None).is_ok());
    assert_fails("value_long", || assert_enqueued!(captured, restock { r#type: 5, .. }));
}

#[test]
fn enqueued_fails_if_there_is_none_and_tells_what_there_was() {
    assert_fails("none_at_all", || assert_enqueued!(capture(|| ()), send_email));
    let captured = capture(|| process(42));
    assert_fails("none_of_this_task", || assert_enqueued!(captured, notify { order_id: 42 }));
    let captured = capture(|| (0..8).all(|n| charge::enqueue(n, 1.0).is_ok()));
    assert_fails("none_of_many", || assert_enqueued!(captured, charge { order_id: 9, .. }));
    let captured = capture_in(airlock::scope().policy(DropAll), || process(42).is_ok());
    assert_fails("none_since_dropped", || assert_enqueued!(captured, charge));
}

#[test]
fn enqueued_fails_on_another_number_of_times() {
    let captured = capture(|| process(42));
    assert_fails("times_too_few", || assert_enqueued!(captured, send_email, times 3));
    assert_fails("times_too_many", || assert_enqueued!(captured, send_email, times 1));
    assert_fails("times_zero", || assert_enqueued!(captured, charge, times 0));
    assert_fails("times_of_none", || assert_enqueued!(captured, charge { order_id: 1, .. }, times 2));
}

#[test]
fn enqueued_fails_on_another_option_and_shows_no_header() {
    let captured = capture(|| process(42));
    assert_fails("option", || assert_enqueued!(captured, charge, queue "slow", priority 9));
    assert_fails("option_header", || {
        assert_enqueued!(captured, send_email { order_id: 43, .. }, options Options::new().header("tenant", "canary 2"));
    });
    assert_fails("option_extra", || {
        assert_enqueued!(captured, send_email { order_id: 42, .. }, options Options::new().extra("celery", "key", 1));
    });
    let minute = std::time::Duration::from_secs(60);
    assert_fails("option_delay", || assert_enqueued!(captured, charge, delay minute, label "first"));
}

#[test]
fn an_assertion_that_can_never_hold_is_told_as_such_and_never_passes() {
    let captured = capture(|| process(42));
    assert_fails("wrong_name", || assert_enqueued!(captured, send_email { ordr_id: 42, .. }));
    assert_fails("wrong_name_not", || assert_not_enqueued!(captured, send_email { id: 42, .. }));
    assert_fails("wrong_name_in_order", || {
        assert_enqueued_in_order!(captured, [charge, send_email { sbject: 42, .. }]);
    });
    assert_fails("wrong_unnamed", || assert_enqueued!(captured, send_email { order_id: 42 }));
    assert_fails("wrong_unnamed_one", || assert_not_enqueued!(captured, charge { order_id: 42 }));
    assert_fails("wrong_value", || assert_not_enqueued!(captured, charge { amount: f64::NAN, .. }));
    assert_fails("wrong_type", || assert_enqueued!(captured, charge { order_id: "42", .. }));
    assert_fails("wrong_type_not", || assert_not_enqueued!(captured, charge { order_id: 42, amount: "9.5" }));
    assert_fails("wrong_type_redacted", || assert_not_enqueued!(captured, send_email { token: ["canary"], .. }));
    assert_fails("wrong_options", || {
        let options = Options::new().delay(std::time::Duration::ZERO).eta(std::time::SystemTime::UNIX_EPOCH);
        assert_not_enqueued!(captured, charge, options options);
    });
    assert_fails("wrong_twice", || {
        let expected = Expected::of::<charge>().field("order_id", &1).field("order_id", &2);
        airlock::testing::assert_enqueued(&captured, &expected);
    });
}

#[test]
fn not_enqueued_fails_if_there_is_one() {
    let captured = capture(|| process(42));
    assert_fails("not_any", || assert_not_enqueued!(captured, send_email));
    assert_fails("not_one", || assert_not_enqueued!(captured, send_email { order_id: 43, .. }, queue "slow"));
}

#[test]
fn in_order_fails_on_another_order_and_on_a_missing_one() {
    let captured = capture(|| process(42));
    assert_fails("order", || assert_enqueued_in_order!(captured, [send_email { order_id: 43, .. }, charge]));
    assert_fails("order_missing", || assert_enqueued_in_order!(captured, [charge, notify, send_email]));
    assert_fails("order_once_too_often", || assert_enqueued_in_order!(captured, [charge, charge]));
}

#[test]
fn nothing_enqueued_fails_on_anything() {
    let captured = capture(|| charge::enqueue(1, 1.0).is_ok());
    assert_fails("nothing", || assert_nothing_enqueued!(captured));
}
