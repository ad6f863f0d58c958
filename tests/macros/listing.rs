//! The listing of a registry, for people and for tools.

use airlock::Registry;

/// Where the tasks are, so that the expected texts need not know.
const FIRST_LINE: u32 = line!();

#[airlock::task(name = "listing.send", aliases = ["listing.mail"], queue = "mail", priority = 7, max_retries = 3)]
fn send(
    order_id: u64,
    #[default = vec![1, 2]] numbers: Vec<u8>,
    #[redact]
    #[default]
    token: String,
) {
    let _ = (order_id, numbers, token);
}

#[airlock::task(name = "listing.wait", delay = "90s", expires = "1h30m", timeout = "500ms")]
async fn wait(#[state] clock: &std::time::Instant) {
    let _ = clock;
}

#[airlock::task(name = "listing.elsewhere", positional)]
fn elsewhere(pair: (u8, Option<String>));

#[airlock::task(name = "listing.here", local)]
fn here() {}

fn registry() -> Registry {
    Registry::new().with::<wait>().with::<send>().with::<here>().with::<elsewhere>()
}

#[test]
fn people_read_calls_options_and_places_sorted_by_name() {
    let expected = format!(
        "\
listing.elsewhere(pair: (u8, Option<String>))
    runs elsewhere, positional
    {file}:{elsewhere} in macros::listing
listing.here()
    local
    {file}:{here} in macros::listing
listing.send(order_id: u64, numbers: Vec<u8> = vec![1, 2], #[redact] token: String = ***)
    also listing.mail
    queue mail, priority 7, max retries 3
    {file}:{send} in macros::listing
async listing.wait(#[state] clock: &std::time::Instant)
    delay 90s, expires 5400s, timeout 500ms
    {file}:{wait} in macros::listing
",
        file = file!(),
        send = FIRST_LINE + 2,
        wait = FIRST_LINE + 13,
        elsewhere = FIRST_LINE + 18,
        here = FIRST_LINE + 21,
    );
    assert_eq!(registry().listing().to_string(), expected);
}

#[test]
fn tools_read_json_of_a_documented_shape() {
    let place =
        |line: u32| format!(r#""module":"macros::listing","file":"{}","line":{}}}"#, file!(), FIRST_LINE + line);
    let expected = [
        r#"{"tasks":[{"name":"listing.elsewhere","aliases":[],"kind":"elsewhere","parameters":[{"name":"pair","type":"(u8, Option<String>)","default":null,"redacted":false}],"state":[],"options":{},"local":false,"positional":true,"#,
        &place(18),
        r#",{"name":"listing.here","aliases":[],"kind":"sync","parameters":[],"state":[],"options":{},"local":true,"positional":false,"#,
        &place(21),
        r#",{"name":"listing.send","aliases":["listing.mail"],"kind":"sync","parameters":[{"name":"order_id","type":"u64","default":null,"redacted":false},{"name":"numbers","type":"Vec<u8>","default":"vec![1, 2]","redacted":false},{"name":"token","type":"String","default":"***","redacted":true}],"state":[],"options":{"queue":"mail","priority":7,"max_retries":3},"local":false,"positional":false,"#,
        &place(2),
        r#",{"name":"listing.wait","aliases":[],"kind":"async","parameters":[],"state":[{"name":"clock","type":"std::time::Instant"}],"options":{"delay_ms":90000,"expires_in_ms":5400000,"timeout_ms":500},"local":false,"positional":false,"#,
        &place(13),
        "]}",
    ];
    assert_eq!(serde_json::to_string(&registry().listing()).unwrap(), expected.concat());
}

#[test]
fn an_empty_registry_lists_nothing() {
    assert_eq!(Registry::new().listing().to_string(), "");
    assert_eq!(serde_json::to_string(&Registry::new().listing()).unwrap(), r#"{"tasks":[]}"#);
}
