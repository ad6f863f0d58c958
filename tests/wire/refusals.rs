//! What would stop a worker, come back and stop the next one, or be lost without a word: refused before it is sent.

use std::time::{Duration, UNIX_EPOCH};

use airlock::{BrokerMessage, CeleryExecutor, DramatiqExecutor, FlushError, Intent, IntentId, Options, Rejection};
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};
use serde_json::value::RawValue;

use crate::golden::now;
use crate::tasks;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// The intent of one call, with its options.
fn of(call: impl FnOnce() -> Result<IntentId, airlock::EnqueueError>) -> Intent {
    let guard = airlock::scope().enter();
    call().unwrap();
    let intent = airlock::Scope::current().unwrap().intents().remove(0);
    let _ = guard.discard();
    intent
}

pub(crate) fn with(options: Options) -> Intent {
    of(|| tasks::none::enqueue_with(options))
}

pub(crate) fn raw(json: &str) -> Intent {
    tasks::any::intent(RawValue::from_string(json.to_owned()).unwrap())
}

fn celery(url: &str) -> CeleryExecutor {
    CeleryExecutor::new(url).unwrap()
}

fn dramatiq(url: &str) -> DramatiqExecutor {
    DramatiqExecutor::new(url).unwrap()
}

/// Asks all executors, and shows who refuses and why.
fn refusals(intent: &Intent) -> Vec<(&'static str, String)> {
    let (redis, amqp) = ("redis://localhost", "amqp://localhost");
    let asked = [
        ("celery redis", celery(redis).message(intent, now())),
        ("celery amqp", celery(amqp).message(intent, now())),
        ("dramatiq redis", dramatiq(redis).message(intent, now())),
        ("dramatiq amqp", dramatiq(amqp).message(intent, now())),
    ];
    let refused = |(who, answer): (_, Result<_, Rejection>)| Some((who, answer.err()?.reason().to_owned()));
    asked.into_iter().filter_map(refused).collect()
}

const ALL: &str = "celery redis, celery amqp, dramatiq redis, dramatiq amqp";
const CELERY: &str = "celery redis, celery amqp";
const DRAMATIQ: &str = "dramatiq redis, dramatiq amqp";

#[track_caller]
fn refused(intent: &Intent, by: &str, reason: &str) {
    let refusals = refusals(intent);
    let who: Vec<_> = refusals.iter().map(|(who, _)| *who).collect();
    assert_eq!(who.join(", "), by, "{refusals:?}");
    for (who, given) in refusals {
        assert!(given.contains(reason), "{who}: {given}");
        assert!(given.contains(';'), "{who}: no way out in: {given}");
        assert!(
            given.starts_with(|c: char| !c.is_uppercase()
                || given.starts_with("Celery")
                || given.starts_with("Dramatiq"))
                && !given.ends_with('.')
        );
    }
}

/// `Serialize` as people write it by hand, and see it work until a map is empty or a part of it fails.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
enum Slip {
    /// Closes a map before what is in it.
    Map,
    /// The same with an array.
    Array,
    Tuple,
    TupleStruct,
    TupleVariant,
    Struct,
    StructVariant,
    /// Leaves a name without a value.
    Name,
    /// Leaves out the name of a value.
    Value,
    /// Hides that a part of it failed half-way.
    Error,
    /// Hides that a part of it panicked half-way.
    Panic,
    /// Says that a text is JSON.
    Text,
    /// The same of one that ends more than it begins.
    Ends,
}

#[derive(Clone, serde::Deserialize)]
struct Slips(Slip);

/// Writes the half of an array.
struct Half {
    panics: bool,
}

impl serde::Serialize for Half {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_seq(None)?.serialize_element(&1)?;
        if self.panics {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        Err(serde::ser::Error::custom("no more"))
    }
}

impl serde::Serialize for Slips {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Slip::Map => {
                let mut map = serializer.serialize_map(Some(0))?;
                map.serialize_entry("id", &1)?;
                map.end()
            }
            Slip::Array => {
                let mut array = serializer.serialize_seq(Some(0))?;
                array.serialize_element(&1)?;
                array.end()
            }
            Slip::Tuple => {
                let mut tuple = serializer.serialize_tuple(0)?;
                tuple.serialize_element(&1)?;
                tuple.end()
            }
            Slip::TupleStruct => {
                let mut tuple = serializer.serialize_tuple_struct("Slips", 0)?;
                tuple.serialize_field(&1)?;
                tuple.end()
            }
            Slip::TupleVariant => {
                let mut tuple = serializer.serialize_tuple_variant("Slips", 0, "Slip", 0)?;
                tuple.serialize_field(&1)?;
                tuple.end()
            }
            Slip::Struct => {
                let mut fields = serializer.serialize_struct("Slips", 0)?;
                fields.serialize_field("id", &1)?;
                fields.end()
            }
            Slip::StructVariant => {
                let mut fields = serializer.serialize_struct_variant("Slips", 0, "Slip", 0)?;
                fields.serialize_field("id", &1)?;
                fields.end()
            }
            Slip::Name => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_key("id")?;
                map.end()
            }
            Slip::Value => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_value(&1)?;
                map.end()
            }
            Slip::Error => {
                let mut array = serializer.serialize_seq(None)?;
                let _ = array.serialize_element(&Half { panics: false });
                array.end()
            }
            Slip::Panic => {
                let mut array = serializer.serialize_seq(None)?;
                let half = Half { panics: true };
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| array.serialize_element(&half)));
                array.serialize_element("broken")?;
                array.end()
            }
            Slip::Text | Slip::Ends => {
                let text = if matches!(self.0, Slip::Text) { "{" } else { "1]" };
                let mut raw = serializer.serialize_struct("$serde_json::private::RawValue", 1)?;
                raw.serialize_field("$serde_json::private::RawValue", text)?;
                raw.end()
            }
        }
    }
}

#[test]
fn what_a_type_writes_that_is_no_json() {
    #[airlock::task(name = "wire.slips")]
    fn slips(value: Slips);

    for slip in [
        Slip::Map,
        Slip::Array,
        Slip::Tuple,
        Slip::TupleStruct,
        Slip::TupleVariant,
        Slip::Struct,
        Slip::StructVariant,
        Slip::Name,
        Slip::Value,
        Slip::Error,
        Slip::Panic,
        Slip::Text,
        Slip::Ends,
    ] {
        let reason = "argument `value` can't be encoded: its `Serialize` refused it or writes no JSON";
        refused(&slips::intent(Slips(slip)), ALL, reason);
    }
}

/// Writes an array, and goes on when a part of it is refused.
#[derive(Clone, serde::Deserialize)]
enum Hides {
    /// A float that is none.
    Float,
    /// Far too deep.
    Depth,
    /// More bytes than are taken, and then few.
    Size,
}

impl serde::Serialize for Hides {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        let _ = match self {
            Self::Float => array.serialize_element(&f64::NAN),
            Self::Depth => {
                let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
                array.serialize_element(&RawValue::from_string(deep).map_err(serde::ser::Error::custom)?)
            }
            Self::Size => array.serialize_element(&"x".repeat(airlock::MAX_BYTES)),
        };
        array.end()
    }
}

#[test]
fn what_a_type_hides_of_a_part_of_it() {
    #[airlock::task(name = "wire.hides")]
    fn hides(value: Hides);

    refused(&hides::intent(Hides::Float), ALL, "a float that is not finite");
    refused(&hides::intent(Hides::Depth), ALL, "nests deeper than 64 levels");
    // Asked once: it takes a while.
    let error = hides::intent(Hides::Size).to_json().expect_err("it is too large");
    assert!(error.to_string().contains("bytes; store it"), "{error}");
}

#[test]
fn arguments_that_no_reader_of_json_takes() {
    refused(&tasks::float::intent(f64::NAN), ALL, "argument `value` can't be encoded: a float that is not finite");
    refused(&tasks::float::intent(f64::NEG_INFINITY), ALL, "a float that is not finite");
    refused(&raw(&format!("{}{}", "[".repeat(65), "]".repeat(65))), ALL, "nests deeper than 64 levels");
    refused(&raw(&format!("\"{}\"", "x".repeat(16 * 1024 * 1024))), ALL, "bytes");
}

#[test]
fn messages_above_the_limit_and_none_at_it() {
    let large = raw(&format!("\"{}\"", "x".repeat(10_000)));
    let sent = |message| match message {
        Ok(BrokerMessage::Amqp(message)) => message.body.len(),
        other => panic!("{other:?}"),
    };
    let (celery, dramatiq) = (celery("amqp://localhost"), dramatiq("amqp://localhost"));
    let size = sent(celery.message(&large, now()));
    assert_eq!(sent(celery.clone().body_limit(size).message(&large, now())), size);
    let refused = celery.body_limit(size - 1).message(&large, now()).unwrap_err();
    assert!(refused.reason().starts_with(&format!("the message takes {size} bytes and {} are allowed;", size - 1)));
    let size = sent(dramatiq.message(&large, now()));
    assert_eq!(sent(dramatiq.clone().body_limit(size).message(&large, now())), size);
    assert!(dramatiq.body_limit(size - 1).message(&large, now()).is_err());
}

#[test]
fn arguments_that_python_reads_as_something_else() {
    refused(&raw(&"9".repeat(4301)), ALL, "more than 4300 digits");
    refused(&raw("[1e999]"), ALL, "larger than any float");
    refused(&raw(r#""\ud800""#), ALL, "half of a surrogate pair");
    let reason = "an object of just `__type__` and `__value__`";
    refused(&raw(r#"[{"a":[{"__type__":"datetime","__value__":"2030-01-01"}]}]"#), CELERY, reason);
    refused(&raw(r#"{"\u005f_type__":"unknown","__value__":null}"#), CELERY, reason);
    refused(&tasks::typed::intent("uuid".to_owned(), 1), CELERY, reason);
}

#[test]
fn options_that_the_system_has_no_place_for() {
    refused(&with(Options::new().max_retries(3)), CELERY, "`max_retries` on the task in the worker");
    refused(&with(Options::new().header("tenant", "acme")), DRAMATIQ, "no place for headers");
    let priority = with(Options::new().priority(3));
    let reasons = refusals(&priority);
    let who: Vec<_> = reasons.iter().map(|(who, _)| *who).collect();
    assert_eq!(who, ["celery amqp", "dramatiq redis", "dramatiq amqp"], "{reasons:?}");
    assert!(celery("amqp://localhost").max_priority(3).message(&priority, now()).is_ok());
    let above = celery("amqp://localhost").max_priority(2).message(&priority, now()).unwrap_err();
    assert_eq!(above.reason(), "priority 3 is above the queues' highest, 2; lower it");
}

#[test]
fn times_beyond_what_the_system_holds() {
    refused(
        &with(Options::new().delay(Duration::from_secs(3601))),
        "celery redis",
        "later than the visibility timeout of 3600 s",
    );
    let hour = with(Options::new().delay(Duration::from_secs(3600)));
    assert_eq!(refusals(&hour), []);
    let longer = celery("redis://localhost").visibility_timeout(2 * DAY);
    assert!(longer.message(&with(Options::new().delay(2 * DAY)), now()).is_ok());

    refused(&with(Options::new().eta(now() + 7 * DAY)), "celery redis", "visibility timeout");
    let beyond = with(Options::new().eta(now() + 7 * DAY + Duration::from_nanos(1)));
    assert_eq!(refusals(&beyond).len(), 3);
    let reason = dramatiq("redis://localhost").message(&beyond, now()).unwrap_err();
    assert_eq!(reason.reason(), "Dramatiq delays messages by at most 7 days; store it and enqueue it later");

    let never = with(Options::new().expires_in(Duration::MAX));
    refused(&never, CELERY, "`expires` is after the year 9998");
    refused(&with(Options::new().expires_at(UNIX_EPOCH)), "", "");
}

#[test]
fn delays_that_rabbitmq_has_no_bits_for() {
    let native = |options: Options| {
        let message = celery("amqp://localhost").native_delayed_delivery().message(&with(options), now());
        message.map(|message| match message {
            BrokerMessage::Amqp(message) => (message.exchange, message.routing_key),
            other => panic!("{other:?}"),
        })
    };
    let most = Duration::from_secs((1 << 28) - 1);
    let longest = native(Options::new().delay(most)).unwrap();
    assert_eq!(longest, ("celery_delayed_27", format!("{}celery", "1.".repeat(28))));
    let refused = native(Options::new().delay(most + Duration::from_secs(1))).unwrap_err();
    assert!(refused.reason().contains("268435456 s, and RabbitMQ can delay it for 268435455"), "{refused}");
    // A worker waits for what is left of a second, and all that may start goes straight to its queue.
    let short = native(Options::new().delay(Duration::from_millis(1_999))).unwrap();
    assert_eq!(short.1, format!("{}1.celery", "0.".repeat(27)));
    for at_once in [Options::new().delay(Duration::from_millis(999)), Options::new().eta(UNIX_EPOCH), Options::new()] {
        assert_eq!(native(at_once).unwrap(), ("", "celery".to_owned()));
    }
    let named = |length: usize| Options::new().queue("q".repeat(length));
    assert!(native(named(199).delay(DAY)).is_ok() && native(named(255)).is_ok());
    let refused = native(named(200).delay(DAY)).unwrap_err();
    assert!(refused.reason().starts_with("the queue's name has 200 bytes, and 199 are possible"), "{refused}");
    // Redis has no such exchanges.
    let redis = celery("redis://localhost").native_delayed_delivery();
    assert!(redis.message(&with(Options::new().delay(Duration::from_secs(60))), now()).is_ok());
}

#[test]
fn time_limits_that_mean_none_or_break_the_pool() {
    refused(&with(Options::new().timeout(Duration::ZERO)), ALL, "`timeout`");
    refused(&with(Options::new().timeout(Duration::from_millis(1500))), CELERY, "time limits are whole seconds");
    refused(&with(Options::new().timeout(Duration::MAX)), CELERY, "time limits are whole seconds");
    let soft = Options::new().timeout(Duration::from_secs(3)).extra("celery", "soft_time_limit", 4);
    refused(&with(soft), CELERY, "`soft_time_limit` is longer than `timeout`");
}

#[test]
fn headers_that_are_celerys_or_the_brokers_own() {
    for own in
        ["task", "id", "retries", "timelimit", "stamps", "args", "update", "__class__", "compression", "CC", "BCC"]
    {
        let headers = with(Options::new().header(own, "x"));
        let reason = celery("redis://localhost").message(&headers, now()).unwrap_err();
        assert_eq!(reason.reason(), format!("the header `{own}` is Celery's or the broker's own; rename it"));
    }
    for (name, value) in [("", "x".to_owned()), (&*"n".repeat(256), String::new()), ("large", "x".repeat(65 * 1024))] {
        let headers = with(Options::new().header(name, value));
        assert!(celery("amqp://localhost").message(&headers, now()).is_err());
    }
}

#[test]
fn extras_that_are_unknown_protected_or_of_another_kind() {
    for (system, by) in [("celery", CELERY), ("dramatiq", DRAMATIQ)] {
        let extra = |key: &'static str, value: i32| with(Options::new().extra(system, key, value));
        refused(&extra("ignore_resutl", 1), by, &format!("`{system}` has no extra `ignore_resutl`; it has `"));
        refused(&extra("retries", 1), by, "`retries` can't be set as an extra");
        refused(&extra("eta", 1), by, "use `eta`");
    }
    let extra = |system: &'static str, key: &'static str, value: &str| {
        with(Options::new().extra(system, key, RawValue::from_string(value.to_owned()).unwrap()))
    };
    refused(&extra("dramatiq", "throws", "\"ValueError\""), DRAMATIQ, "a worker's thread ends");
    refused(&extra("celery", "ignore_result", "\"yes\""), CELERY, "give it true or false");
    refused(&extra("celery", "soft_time_limit", "0"), CELERY, "a whole number of seconds, at least 1");
    refused(&extra("celery", "soft_time_limit", "[1]"), CELERY, "a whole number of seconds");
    refused(&extra("celery", "shadow", "\"\""), CELERY, "some text");
    refused(&extra("dramatiq", "min_backoff", "-1"), DRAMATIQ, "a whole number of milliseconds, at least 0");
    refused(&extra("huey", "anything", "1"), "", "");
}

#[test]
fn queues_that_no_worker_reads() {
    refused(&with(Options::new().queue("")), ALL, "the queue's name is empty");
    refused(&with(Options::new().queue("a\u{6}\u{16}3")), ALL, "a control character");
    refused(
        &with(Options::new().queue("q".repeat(256))),
        "celery amqp, dramatiq amqp",
        "256 bytes and 255 are possible",
    );
    refused(&with(Options::new().queue("unacked_index")), "celery redis", "is a key of Celery's own on Redis");
    refused(&with(Options::new().queue("_kombu.binding.mail")), "celery redis", "is a key of Celery's own on Redis");
    refused(&with(Options::new().queue("mail.msgs")), DRAMATIQ, "are keys of Dramatiq's own on Redis");
    refused(&with(Options::new().queue("__heartbeats__")), DRAMATIQ, "are keys of Dramatiq's own on Redis");
    refused(&with(Options::new().queue("mail.DQ")), DRAMATIQ, "`.DQ` and `.XQ` are Dramatiq's own");
    refused(&with(Options::new().queue("1st")), DRAMATIQ, "starts with a letter");
    refused(&with(Options::new().queue("a b")), DRAMATIQ, "letters, digits");
    refused(&with(Options::new().queue("post.büro")), DRAMATIQ, "letters, digits");
}

#[test]
fn one_refusal_keeps_the_whole_flush_in_and_nobody_is_called() {
    // No server listens there: trying would be another error.
    let flushed = airlock::scope().executor(celery("redis://127.0.0.1:1/0")).run(|| {
        tasks::none::enqueue()?;
        tasks::secret::enqueue_with(Options::new().max_retries(1), 42, "tok_4242".to_owned())?;
        tasks::none::enqueue()?;
        Ok::<(), airlock::Error>(())
    });
    let error = flushed.unwrap_err();
    let flush = FlushError::find(&error).unwrap();
    assert_eq!(flush.undispatched().len(), 3);
    let told = format!("{flush} {flush:?} {error}");
    assert!(told.contains("wire.secret") && told.contains("`max_retries`"), "{told}");
    assert!(!told.contains("tok_4242") && !error.to_string().contains("tok_4242"));
}
