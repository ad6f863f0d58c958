use std::time::Duration;

use airlock::{Task, When};

#[airlock::task(delay = "1h30m", expires = "2d", timeout = "1m500ms")]
fn send() {}

fn main() {
    let options = &send::definition().options;
    assert_eq!(options.get_start(), Some(When::In(Duration::from_secs(5400))));
    assert_eq!(options.get_expiry(), Some(When::In(Duration::from_secs(172_800))));
    assert_eq!(options.get_timeout(), Some(Duration::from_millis(60_500)));
}
