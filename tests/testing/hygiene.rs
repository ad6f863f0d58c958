//! The assertions where names mean something else.

#![allow(dead_code, reason = "names that are there to be in the way")]

use airlock::testing::capture;

mod core {}
mod std {}
mod airlock_testing {}

struct Option;
struct Result;
struct String;

fn expected() {}

#[airlock::task(name = "kit.hygiene")]
fn plain(options: u8, expected: u8) {
    let _ = (options, expected);
}

#[test]
fn the_assertions_work_where_names_of_the_standard_library_mean_something_else() {
    let captured = capture(|| plain::enqueue(1, 2).is_ok());
    let (options, expected) = (1, 2);
    airlock::assert_enqueued!(captured, plain { options, expected }, times expected - 1);
    airlock::assert_enqueued!(captured, plain { expected: expected, .. });
    airlock::assert_not_enqueued!(captured, plain { expected: options, .. }, label "x");
    airlock::assert_enqueued_in_order!(captured, [plain { options: 1, expected: 2 }]);
    airlock::assert_nothing_enqueued!(capture(self::expected));
}

#[test]
fn a_future_of_the_kit_may_be_sent_whatever_it_was_made_of() {
    fn sent(_: impl Send) {}
    let captured = capture(|| ::std::rc::Rc::new(plain::enqueue(1, 2).is_ok()));
    sent(airlock::testing::drain_async(&captured));
    sent(airlock::testing::capture_async(async {}));
    sent(airlock::testing::no_leaks_async(async {}));
    sent(airlock::testing::with_settings_async(airlock::Settings::new(), async {}));
    sent(airlock::testing::perform_async::<plain>((1, 2)));
}
