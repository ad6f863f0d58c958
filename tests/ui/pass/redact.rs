#[airlock::task]
fn send(to: String, #[redact] token: String) {
    let _ = (to, token);
}

fn main() {
    send(String::new(), String::new());
    let intent = send::intent("ada".to_owned(), "secret".to_owned());
    assert_eq!(intent.to_string(), r#"send(to="ada", token=***)"#);
}
