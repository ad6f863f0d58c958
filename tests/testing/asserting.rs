//! Where the assertions pass.

use std::time::Duration;

use airlock::testing::capture;
use airlock::{
    Intent, Options, Scope, assert_enqueued, assert_enqueued_in_order, assert_not_enqueued, assert_nothing_enqueued,
};

use crate::shop::{self, process, restock, send_email};

#[test]
fn arguments_are_named_all_of_them_or_some() {
    let captured = capture(|| process(42));
    assert_enqueued!(captured, send_email);
    assert_enqueued!(captured, send_email { .. });
    assert_enqueued!(captured, send_email { order_id: 42, .. });
    assert_enqueued!(captured, send_email { subject: "thanks", order_id: 42, .. });
    assert_enqueued!(captured, send_email { order_id: 42, subject: "thanks", token: "canary" });
    assert_enqueued!(captured, send_email { order_id: 40 + 2, subject: String::from("thanks"), token: "canary" });
    assert_enqueued!(captured, shop::charge { order_id: 42, amount: 9.5 },);
    let (order_id, token) = (43, "canary");
    assert_enqueued!(captured, send_email { order_id, token, .. });
    assert_not_enqueued!(captured, send_email { order_id, subject: "thanks", .. });
}

#[test]
fn values_are_compared_in_the_type_of_their_parameter() {
    let captured = capture(|| shop::charge::enqueue(1, 5.0).is_ok());
    assert_enqueued!(captured, shop::charge { order_id: 1_u8, amount: 5 });
    assert_enqueued!(captured, shop::charge { order_id: 1_i128, amount: 5.0_f32 });
    assert_not_enqueued!(captured, shop::charge { order_id: 1, amount: 6 });
    let stock = std::collections::BTreeMap::from([("b", 2), ("a", 1)]);
    let captured = capture(|| restock::enqueue([("a".to_owned(), 1), ("b".to_owned(), 2)].into(), None).is_ok());
    assert_enqueued!(captured, restock { stock: stock, r#type: None::<u8> });
    assert_enqueued!(captured, restock { r#type: (), .. });
}

#[test]
fn how_often_counts_those_that_match() {
    let captured = capture(|| process(42));
    assert_enqueued!(captured, send_email, times 2);
    assert_enqueued!(captured, send_email { order_id: 42, .. }, times 1);
    assert_enqueued!(captured, send_email { order_id: 44, .. }, times 0);
}

#[test]
fn options_are_those_in_force() {
    let captured = capture(|| process(42));
    assert_enqueued!(captured, shop::charge, queue "payments");
    assert_enqueued!(captured, send_email { order_id: 43, .. }, queue "slow", priority 3, times 1);
    assert_enqueued!(captured, send_email, options Options::new().queue("slow").header("tenant", "canary"));
    assert_enqueued!(captured, send_email, options Options::new().extra("celery", "key", "canary"));
    assert_not_enqueued!(captured, send_email, options Options::new().header("tenant", "other"));
    assert_not_enqueued!(captured, send_email, options Options::new().extra("celery", "key", 1));
    assert_not_enqueued!(captured, send_email, options Options::new().extra("huey", "key", "canary"));
    assert_not_enqueued!(captured, shop::charge, queue "slow");
    let captured = capture(|| {
        let options =
            Options::new().delay(Duration::from_secs(60)).timeout(Duration::from_secs(1)).label("x").origin("y");
        shop::charge::enqueue_with(options.expires_in(Duration::from_secs(90)).max_retries(2), 1, 1.0).is_ok()
    });
    assert_enqueued!(
        captured,
        shop::charge,
        delay Duration::from_secs(60),
        timeout Duration::from_secs(1),
        expires_in Duration::from_secs(90),
        max_retries 2,
        label "x",
        origin "y",
    );
    assert_not_enqueued!(captured, shop::charge, delay Duration::from_secs(61));
}

#[test]
fn order_is_that_of_the_calls_with_others_in_between() {
    let captured = capture(|| process(42));
    assert_enqueued_in_order!(
        captured,
        [shop::charge, send_email { order_id: 42, .. }, send_email { order_id: 43, .. }]
    );
    assert_enqueued_in_order!(captured, [shop::charge, send_email { order_id: 43, .. }]);
    assert_enqueued_in_order!(captured, [send_email, send_email]);
    assert_enqueued_in_order!(captured, []);
}

#[test]
fn intents_may_come_from_a_scope_or_a_list() {
    airlock::scope()
        .policy(airlock::DropAll)
        .run(|| -> airlock::Result<()> {
            process(1)?;
            let scope = Scope::current().unwrap();
            assert_enqueued!(scope, shop::charge { order_id: 1, .. });
            let intents: Vec<Intent> = scope.intents();
            assert_enqueued!(intents, shop::charge);
            assert_enqueued!(intents[1..], send_email, times 2);
            assert_nothing_enqueued!(intents[3..]);
            Ok(())
        })
        .unwrap();
}
