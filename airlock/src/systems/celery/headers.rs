//! The options of an intent as Celery has them, and the headers of its message.

use std::borrow::Cow;
use std::time::SystemTime;

use super::extras::EXTRAS;
use super::message::CeleryFormat;
use super::repr::repr;
use super::time::iso;
use crate::brokers::AmqpValue;
use crate::dispatch::Rejection;
use crate::executors::times;
use crate::intent::Intent;
use crate::options::Options;
use crate::systems::json;

/// RabbitMQ closes the channel for an `expiration` beyond ten years.
const LONGEST_EXPIRATION_MS: i64 = 315_360_000_000;

/// What is sent, and when it may run.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) queue: String,
    /// 0 to 9, higher is sooner.
    pub(super) priority: Option<u8>,
    /// `None` if it may start at once.
    pub(super) eta: Option<String>,
    pub(super) expires: Option<String>,
    /// Milliseconds left until it expires, as the property of the same name has them.
    pub(super) expiration: Option<String>,
    /// Seconds.
    pub(super) time_limit: Option<i64>,
    pub(super) soft_time_limit: Option<i64>,
    pub(super) reply_to: String,
}

impl Delivery {
    pub(super) fn of(format: &CeleryFormat, intent: &Intent, now: SystemTime) -> Result<Self, Rejection> {
        let options = intent.options();
        let expires = intent.expires_at(now);
        let (time_limit, soft_time_limit) = time_limits(options)?;
        Ok(Self {
            queue: format.common.queue(intent).to_owned(),
            priority: format.common.priority(intent),
            eta: times::starts_later(intent, now).map(|start| written("eta", start)).transpose()?,
            expires: expires.map(|expiry| written("expires", expiry)).transpose()?,
            expiration: expires.and_then(|expiry| expiration(expiry, now)),
            time_limit,
            soft_time_limit,
            reply_to: EXTRAS.text(options, "reply_to").unwrap_or_default(),
        })
    }
}

fn written(option: &str, time: SystemTime) -> Result<String, Rejection> {
    iso(time).ok_or_else(|| {
        Rejection::new(format!("`{option}` is after the year 9998, where Python's calendar ends; leave it out"))
    })
}

fn expiration(expiry: SystemTime, now: SystemTime) -> Option<String> {
    // Rounded up: RabbitMQ drops what has 0 unless a worker waits for it.
    let left = times::whole_millis(expiry.duration_since(now).unwrap_or_default()).max(1);
    // The worker goes by the header in any case.
    (left < LONGEST_EXPIRATION_MS).then(|| left.to_string())
}

/// The hard and the soft limit, in seconds: Celery's are whole.
fn time_limits(options: &Options) -> Result<(Option<i64>, Option<i64>), Rejection> {
    let soft = EXTRAS.whole(options, "soft_time_limit").and_then(|seconds| i64::try_from(seconds).ok());
    let Some(timeout) = options.get_timeout() else { return Ok((None, soft)) };
    let hard = i64::try_from(timeout.as_secs()).ok().filter(|hard| *hard > 0 && timeout.subsec_nanos() == 0);
    let Some(hard) = hard else {
        return Err(Rejection::new(
            "Celery's time limits are whole seconds; give `timeout` at least one, and no fraction",
        ));
    };
    if soft.is_some_and(|soft| soft > hard) {
        return Err(Rejection::new("`soft_time_limit` is longer than `timeout`; the soft limit has to come first"));
    }
    Ok((Some(hard), soft))
}

/// Where headers are written to, one by one and in order. Names are the protocol's own and need no escapes, except those
/// of [`own`](Self::own).
pub(super) trait Headers {
    fn value(&mut self, name: &'static str, value: HeaderValue<'_>);
    fn own(&mut self, name: &str, value: &str);
}

/// What a header of the protocol can be.
#[derive(Debug, Clone, Copy)]
pub(super) enum HeaderValue<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    Pair([Option<i64>; 2]),
    /// An empty table.
    Empty,
}

impl<'a> HeaderValue<'a> {
    fn text(text: Option<&'a str>) -> Self {
        text.map_or(HeaderValue::Null, HeaderValue::Text)
    }
}

/// Writes all headers of task protocol 2, in Celery's order (celery 5.7.0, `app/amqp.py`, `as_task_v2`), then the intent's
/// own.
pub(super) fn write_headers(
    out: &mut impl Headers,
    format: &CeleryFormat,
    intent: &Intent,
    arguments: &str,
    id: &str,
    delivery: &Delivery,
) {
    let (task, options) = (intent.task(), intent.options());
    let shown = repr(arguments, task.parameters);
    // Python shows no arguments as the empty tuple they are.
    let (args, kwargs) = if task.positional { (&*shown, "{}") } else { ("()", &*shown) };
    let [shadow, root, parent] = ["shadow", "root_id", "parent_id"].map(|key| EXTRAS.text(options, key));
    out.value("lang", HeaderValue::Text("py"));
    out.value("task", HeaderValue::Text(&format.common.task_name(intent)));
    out.value("id", HeaderValue::Text(id));
    out.value("shadow", HeaderValue::text(shadow.as_deref()));
    out.value("eta", HeaderValue::text(delivery.eta.as_deref()));
    out.value("expires", HeaderValue::text(delivery.expires.as_deref()));
    out.value("group", HeaderValue::Null);
    out.value("group_index", HeaderValue::Null);
    // Attempts used up, not attempts allowed.
    out.value("retries", HeaderValue::Int(0));
    out.value("timelimit", HeaderValue::Pair([delivery.time_limit, delivery.soft_time_limit]));
    out.value("root_id", HeaderValue::Text(root.as_deref().unwrap_or(id)));
    out.value("parent_id", HeaderValue::text(parent.as_deref()));
    out.value("argsrepr", HeaderValue::Text(args));
    out.value("kwargsrepr", HeaderValue::Text(kwargs));
    out.value("origin", HeaderValue::Text(options.get_origin().unwrap_or(&format.origin)));
    out.value("ignore_result", EXTRAS.bool(options, "ignore_result").map_or(HeaderValue::Null, HeaderValue::Bool));
    out.value("replaced_task_nesting", HeaderValue::Int(0));
    out.value("stamped_headers", HeaderValue::Null);
    out.value("stamps", HeaderValue::Empty);
    for (name, value) in options.get_headers() {
        out.own(name, value);
    }
}

/// As the fields of a JSON object, without its braces.
#[derive(Debug)]
pub(super) struct Json<'a>(pub(super) &'a mut Vec<u8>);

impl Json<'_> {
    fn separate(&mut self) {
        if !self.0.ends_with(b"{") {
            self.0.push(b',');
        }
    }
}

impl Headers for Json<'_> {
    fn value(&mut self, name: &'static str, value: HeaderValue<'_>) {
        self.separate();
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        let int = |out: &mut Vec<u8>, number: i64| out.extend_from_slice(number.to_string().as_bytes());
        match value {
            HeaderValue::Null => self.0.extend_from_slice(b"null"),
            HeaderValue::Bool(value) => self.0.extend_from_slice(if value { b"true" } else { b"false" }),
            HeaderValue::Int(number) => int(self.0, number),
            HeaderValue::Text(text) => json::text(self.0, text),
            HeaderValue::Pair(pair) => {
                for (number, before) in pair.into_iter().zip([b'[', b',']) {
                    self.0.push(before);
                    match number {
                        Some(number) => int(self.0, number),
                        None => self.0.extend_from_slice(b"null"),
                    }
                }
                self.0.push(b']');
            }
            HeaderValue::Empty => self.0.extend_from_slice(b"{}"),
        }
    }

    fn own(&mut self, name: &str, value: &str) {
        self.separate();
        json::text(self.0, name);
        self.0.push(b':');
        json::text(self.0, value);
    }
}

/// As a table of AMQP.
impl Headers for Vec<(Cow<'static, str>, AmqpValue)> {
    fn value(&mut self, name: &'static str, value: HeaderValue<'_>) {
        let value = match value {
            HeaderValue::Null => AmqpValue::Null,
            HeaderValue::Bool(value) => AmqpValue::Bool(value),
            HeaderValue::Int(number) => AmqpValue::Int(number),
            HeaderValue::Text(text) => AmqpValue::Text(text.to_owned().into()),
            HeaderValue::Pair(pair) => {
                AmqpValue::List(pair.map(|number| number.map_or(AmqpValue::Null, AmqpValue::Int)).to_vec())
            }
            HeaderValue::Empty => AmqpValue::Table(Vec::new()),
        };
        self.push((Cow::Borrowed(name), value));
    }

    fn own(&mut self, name: &str, value: &str) {
        self.push((Cow::Owned(name.to_owned()), AmqpValue::Text(value.to_owned().into())));
    }
}
