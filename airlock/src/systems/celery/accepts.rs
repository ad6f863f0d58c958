//! What can't be sent to Celery: it is refused before anything else of the flush has left. A malformed message would not
//! fail alone: it stops its worker, comes back, and stops the next one.

use super::delayed;
use super::extras::{EXTRAS, is_own_header};
use super::headers::Delivery;
use super::message::CeleryFormat;
use crate::brokers::Transport;
use crate::dispatch::Rejection;
use crate::executors::{FlushContext, times};
use crate::intent::Intent;
use crate::options::Options;
use crate::systems::python::readable;
use crate::systems::queue::limits;

/// How many bytes the headers of one intent may take: RabbitMQ's have to fit one frame of 128 KiB with all the others.
const MAX_HEADERS: usize = 64 * 1024;

impl CeleryFormat {
    /// Whether a worker can take the intent as it is meant.
    pub(super) fn check(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let options = intent.options();
        if options.get_max_retries().is_some() {
            return Err(Rejection::new(
                "Celery has `max_retries` on the task in the worker, not in the message; set it there and leave it out",
            ));
        }
        limits::check_queue(self.common.queue(intent), transport)?;
        if transport == Transport::Redis {
            check_key(self.common.queue(intent))?;
        }
        limits::check_task(&self.common.task_name(intent))?;
        EXTRAS.check(options)?;
        check_reply_to(transport, EXTRAS.text(options, "reply_to").as_deref())?;
        check_headers(options)?;
        if transport == Transport::Amqp {
            limits::check_amqp_priority(self.common.priority(intent), self.common.max_priority)?;
        }
        times::check_delay(options, flush.now)?;
        if transport == Transport::Amqp && self.native_delayed_delivery {
            delayed::check(intent, self.common.queue(intent), flush.now)?;
        }
        // What can't be written is found here, the times among it.
        Delivery::of(self, intent, flush.now)?;
        if transport == Transport::Redis {
            self.check_visibility(intent, flush)?;
        }
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        readable::check(&arguments, true).map_err(|fault| Rejection::new(fault.to_string()))?;
        self.check_size(intent, &arguments)
    }

    /// A worker holds what starts later unconfirmed, and Redis gives that to the next one when the timeout is over.
    fn check_visibility(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let wait = times::starts_later(intent, flush.now).and_then(|start| start.duration_since(flush.now).ok());
        if wait.is_none_or(|wait| wait <= self.visibility_timeout) {
            return Ok(());
        }
        Err(Rejection::new(format!(
            "it starts later than the visibility timeout of {} s, so that workers on Redis would run it again and again; \
             raise `visibility_timeout` here and in every worker, or use RabbitMQ",
            self.visibility_timeout.as_secs(),
        )))
    }
}

/// A list in the place of one of these would stop every worker (kombu 5.7.0, `transport/redis.py`).
fn check_key(queue: &str) -> Result<(), Rejection> {
    let is_own = matches!(queue, "unacked" | "unacked_index" | "unacked_mutex") || queue.starts_with("_kombu.binding.");
    if is_own {
        return Err(Rejection::new(format!("`{queue}` is a key of Celery's own on Redis; name the queue otherwise")));
    }
    Ok(())
}

/// RabbitMQ closes the channel for a reply to a consumer of the same channel, of which there is none.
fn check_reply_to(transport: Transport, reply_to: Option<&str>) -> Result<(), Rejection> {
    if transport == Transport::Amqp && reply_to == Some("amq.rabbitmq.reply-to") {
        return Err(Rejection::new(
            "`reply_to` is RabbitMQ's name for a consumer of the same channel, and there is none; name a queue",
        ));
    }
    limits::check_short("`reply_to`", reply_to)
}

fn check_headers(options: &Options) -> Result<(), Rejection> {
    let mut bytes = 0;
    for (name, value) in options.get_headers() {
        if is_own_header(name) {
            return Err(Rejection::new(format!("the header `{name}` is Celery's or the broker's own; rename it")));
        }
        limits::check_short("the name of a header", Some(name))?;
        if name.is_empty() {
            return Err(Rejection::new("a header has no name; give it one"));
        }
        bytes += name.len() + value.len();
    }
    // The origin is free text and sent beside them.
    bytes += options.get_origin().map_or(0, str::len)
        + EXTRAS.of(options).map(|extra| extra.value().get().len()).sum::<usize>();
    if bytes > MAX_HEADERS {
        return Err(Rejection::new(format!(
            "the headers take {bytes} bytes and {MAX_HEADERS} are allowed; send large values as arguments"
        )));
    }
    Ok(())
}
