//! `positional`: arguments go by position on every wire.

use airlock::{Task, registry};

#[airlock::task(name = "positional.send", positional)]
fn send(order_id: u64, #[redact] token: String, #[default = u128::MAX] large: u128) {
    let _ = (order_id, token, large);
}

#[airlock::task(name = "positional.notify", positional)]
fn notify(order_id: u64);

#[test]
fn arguments_are_written_as_an_array_and_read_back() {
    let intent = send::intent(42, "t".to_owned(), u128::MAX - 1);
    assert_eq!(intent.to_json().unwrap().get(), r#"[42,"t",340282366920938463463374607431768211454]"#);
    let message = serde_json::to_string(&intent).unwrap();
    assert!(message.contains(r#""arguments":[42,"t","#), "{message}");
    let back = registry().decode(&message).unwrap();
    assert_eq!((back.id(), back.args::<send>()), (intent.id(), intent.args::<send>()));
    assert_eq!(notify::intent(1).to_json().unwrap().get(), "[1]");
}

#[test]
fn messages_by_name_and_shorter_ones_are_still_read() {
    let read = |json| registry().intent("positional.send", serde_json::from_str(json).unwrap()).unwrap();
    assert_eq!(read(r#"{"token": "t", "order_id": 1}"#).args::<send>(), Some(&(1, "t".to_owned(), u128::MAX)));
    assert_eq!(read(r#"[1, "t"]"#).args::<send>(), Some(&(1, "t".to_owned(), u128::MAX)));
}

#[test]
fn an_argument_without_an_encoding_is_named_here_too() {
    #[airlock::task(name = "positional.scale", positional)]
    fn scale(count: u64, factor: f64) {
        let _ = (count, factor);
    }

    let error = scale::intent(1, f64::NAN).to_json().unwrap_err();
    assert_eq!(error.parameter(), Some("factor"));
}

#[test]
fn people_still_see_names() {
    assert_eq!(send::intent(1, "t".to_owned(), 0).to_string(), "positional.send(order_id=1, token=***, large=0)");
    assert!(send::definition().positional);
}
