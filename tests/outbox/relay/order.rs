//! In which order rows are handed on.

use airlock::Options;

use super::{Handed, note, notes, relay};
use crate::home::on_both;

on_both! {
    async fn one_relay_hands_rows_on_in_the_order_of_their_claims(home) {
        notes(&home, 5000);
        let handed = Handed::default();
        home.drain(relay(&home, handed.taking())).await;
        assert_eq!(handed.numbers(), (0..5000).collect::<Vec<_>>());
    }

    async fn what_is_urgent_is_handed_on_first(home) {
        home.enqueue(|| (0..10).try_for_each(|priority| {
            note::enqueue_with(Options::new().priority(priority), priority.into()).map(drop)
        }));
        let handed = Handed::default();
        home.drain(relay(&home, handed.taking())).await;
        assert_eq!(handed.numbers(), (0..10).rev().collect::<Vec<_>>());
    }

    async fn two_relays_hand_each_row_on_once(home) {
        notes(&home, 5000);
        let handed = Handed::default();
        let (one, two) = (relay(&home, handed.taking()), relay(&home, handed.taking()));
        let (one, two) = tokio::join!(home.drain(one), home.drain(two));
        let mut numbers = handed.numbers();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..5000).collect::<Vec<_>>());
        assert_eq!((one.done + two.done, one.stale + two.stale), (5000, 0));
    }
}
