//! Delays that RabbitMQ spends, as Celery 5.5 and later have it (kombu 5.7.0, `transport/native_delayed_delivery.py`): 28
//! exchanges and queues, one for each bit of a number of seconds. A message lies in the queues of the bits that are 1,
//! each for as long as its bit says, then comes to the last exchange and to its own queue.

use std::time::SystemTime;

use crate::brokers::{AmqpDeclaration, AmqpQueue, AmqpValue};
use crate::dispatch::Rejection;
use crate::executors::times;
use crate::intent::Intent;

/// How many bits a number of seconds has.
const BITS: usize = 28;

/// Where messages are published to: the exchange of the highest bit.
pub(super) const ENTRY: &str = "celery_delayed_27";

/// Where they come out.
const EXIT: &str = "celery_delayed_delivery";

/// How many bytes of a routing key stand before the queue's name: each bit, and a point after it.
pub(super) const QUEUE_AT: usize = 2 * BITS;

/// The longest name of a queue that leaves room for the bits.
const LONGEST_QUEUE: usize = 255 - QUEUE_AT;

/// The whole seconds until the intent may start, if RabbitMQ is to spend some: a worker waits for what is left of one.
pub(super) fn seconds(intent: &Intent, now: SystemTime) -> Option<u64> {
    let start = times::starts_later(intent, now)?;
    start.duration_since(now).ok().map(|wait| wait.as_secs()).filter(|seconds| *seconds > 0)
}

/// Whether the delay has a place in the routing key.
pub(super) fn check(intent: &Intent, queue: &str, now: SystemTime) -> Result<(), Rejection> {
    let Some(seconds) = seconds(intent, now) else { return Ok(()) };
    if seconds >> BITS > 0 {
        return Err(Rejection::new(format!(
            "it starts in {seconds} s, and RabbitMQ can delay it for {} (8.5 years) at most; start it sooner",
            (1_u64 << BITS) - 1
        )));
    }
    if queue.len() > LONGEST_QUEUE {
        return Err(Rejection::new(format!(
            "the queue's name has {} bytes, and {LONGEST_QUEUE} are possible with a delay that RabbitMQ spends; shorten it",
            queue.len()
        )));
    }
    Ok(())
}

/// `calculate_routing_key`
pub(super) fn routing_key(seconds: u64, queue: &str) -> String {
    let mut key = String::with_capacity(QUEUE_AT + queue.len());
    for bit in (0..BITS).rev() {
        key.push_str(if seconds >> bit & 1 == 1 { "1." } else { "0." });
    }
    key + queue
}

/// What has to be so before a delayed message for this queue is published. Only workers with quorum queues declare the
/// exchanges, and they bind no queue whose own exchange is a direct one, as Celery's are unless set: a message would have
/// nowhere to go after its delay. So the queue is bound here, by as many words as the key has; RabbitMQ gives a queue one
/// copy, whatever else binds it.
pub(super) fn declarations(queue: &str, declared: Option<Vec<AmqpQueue>>) -> Vec<AmqpDeclaration> {
    let mut all = match declared {
        Some(queues) => exchanges().chain(queues.into_iter().map(AmqpDeclaration::Queue)).collect(),
        None => vec![AmqpDeclaration::AnyExchange(ENTRY.to_owned()), AmqpDeclaration::AnyQueue(queue.to_owned())],
    };
    all.push(AmqpDeclaration::QueueBinding {
        queue: queue.to_owned(),
        exchange: EXIT.to_owned(),
        key: "*.".repeat(BITS) + queue,
    });
    all
}

/// `declare_native_delayed_delivery_exchanges_and_queues`, from the last bit to the first, so that each thing is declared
/// before another names it.
fn exchanges() -> impl Iterator<Item = AmqpDeclaration> {
    let name = |bit: usize| format!("celery_delayed_{bit}");
    let next = move |bit: usize| if bit == 0 { EXIT.to_owned() } else { name(bit - 1) };
    // The words before this bit's own.
    let key = |bit: usize, own: &str| format!("{}{own}.#", "*.".repeat(BITS - 1 - bit));
    let of_bit = move |bit: usize| {
        let arguments = vec![
            ("x-queue-type", AmqpValue::Text("quorum".into())),
            ("x-overflow", AmqpValue::Text("reject-publish".into())),
            ("x-message-ttl", AmqpValue::Int(1000 << bit)),
            ("x-dead-letter-exchange", AmqpValue::Text(next(bit).into())),
            ("x-dead-letter-strategy", AmqpValue::Text("at-least-once".into())),
        ];
        [
            AmqpDeclaration::Topic(name(bit)),
            AmqpDeclaration::ExchangeBinding { exchange: next(bit), from: name(bit), key: key(bit, "0") },
            AmqpDeclaration::Queue(AmqpQueue { name: name(bit), arguments }),
            AmqpDeclaration::QueueBinding { queue: name(bit), exchange: name(bit), key: key(bit, "1") },
        ]
    };
    std::iter::once(AmqpDeclaration::Topic(EXIT.to_owned())).chain((0..BITS).flat_map(of_bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_key_has_the_bits_of_the_seconds_and_the_queue() {
        for (seconds, first, last) in [(1, '0', '1'), ((1 << 28) - 1, '1', '1'), (1 << 27, '1', '0')] {
            let key = routing_key(seconds, "shop.mail");
            let bits: Vec<_> = key[..QUEUE_AT].split_terminator('.').collect();
            assert_eq!(bits.len(), BITS, "{key}");
            assert_eq!((&key[..1], bits[BITS - 1]), (&*first.to_string(), &*last.to_string()));
            assert_eq!(u64::from_str_radix(&bits.concat(), 2), Ok(seconds));
            assert_eq!(&key[QUEUE_AT..], "shop.mail");
        }
    }
}
