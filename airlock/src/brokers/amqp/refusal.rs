//! What RabbitMQ's refusals mean, and what to do about them.

use lapin::ErrorKind;

use super::answer::{
    ACCESS_REFUSED, AmqpPhase, AnswerNames, MISSING, NOT_ALLOWED, NOT_FOUND, PRECONDITION_FAILED, meaning, said,
};
use crate::brokers::connection::BrokerFault;
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

/// Why there is no connection.
pub(super) fn of_open(url: &BrokerUrl, error: &lapin::Error) -> DispatchError {
    let place = url.place();
    let names = AnswerNames { place: &place, vhost: &url.path, queue: "" };
    meaning(AmqpPhase::Opening, names, error).unwrap_or_else(|| match said(error) {
        Some((_, text)) => rejected(format!("{place} refuses the connection: {text}")),
        None => {
            let what = format!("no connection to {place}: {}", of_client(error));
            // A certificate that isn't trusted now isn't trusted in a second either.
            if is_of_tls(error) { rejected(what) } else { DispatchError::unavailable(BrokerFault::new(what)) }
        }
    })
}

fn is_of_tls(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::IOError(error) if error.kind() == std::io::ErrorKind::InvalidData)
}

/// Why a queue can't be published to: `None` if that is not about the queue.
pub(super) fn of_queue(phase: AmqpPhase, place: &str, queue: &str, error: &lapin::Error) -> Option<DispatchError> {
    // A limit of channels ends the connection, and is one for all queues.
    let is_about_it = said(error)?.0 != NOT_ALLOWED;
    is_about_it.then(|| meaning(phase, AnswerNames { place, queue, vhost: "" }, error))?
}

/// Why no queue can be asked about, if it is for a limit of the server's: another connection would end the same way.
pub(super) fn of_limit(place: &str, error: &lapin::Error) -> Option<DispatchError> {
    let is_limit = said(error)?.0 == NOT_ALLOWED;
    is_limit.then(|| meaning(AmqpPhase::ProbeChannel, AnswerNames { place, ..AnswerNames::default() }, error))?
}

/// Why an exchange can't be used: `None` if that is about something else.
pub(super) fn of_exchange(place: &str, error: &lapin::Error) -> Option<DispatchError> {
    let (code, text) = said(error).filter(|(_, text)| text.contains(" exchange '"))?;
    let what = match code {
        NOT_FOUND => format!(
            "the exchanges for delays are not there on {place} ({text}); start a worker of Celery 5.5 or later that has a \
             quorum queue, or use `declare()`"
        ),
        PRECONDITION_FAILED => format!("an exchange for delays on {place} is declared otherwise ({text}); remove it"),
        ACCESS_REFUSED => {
            format!("this user may not use the exchanges for delays on {place} ({text}); allow it there")
        }
        _ => return None,
    };
    Some(DispatchError::rejected(BrokerFault::new(what)))
}

/// The queue was there, and is not any more.
pub(super) fn unroutable(place: &str, queue: &str) -> DispatchError {
    rejected(AnswerNames { place, queue, vhost: "" }.fill(MISSING, ""))
}

fn rejected(what: String) -> DispatchError {
    DispatchError::rejected(BrokerFault::new(what))
}

/// Why this user can't publish anything: `None` if that is not about the user.
pub(super) fn of_user(place: &str, error: &lapin::Error) -> Option<DispatchError> {
    let (_, text) = said(error).filter(|(code, _)| *code == ACCESS_REFUSED)?;
    let what = format!("this user may not publish on {place}: {ACCESS_REFUSED} {text}; allow this user to write there");
    Some(DispatchError::rejected(BrokerFault::new(what)))
}

/// The limit that the server names when a message is too large: the last number of its text.
pub(super) fn size_limit(error: &lapin::Error) -> Option<usize> {
    let (_, text) = said(error).filter(|(code, text)| *code == PRECONDITION_FAILED && text.contains("message size"))?;
    text.rsplit(|letter: char| !letter.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

pub(super) fn too_large(place: &str, size: usize, most: usize) -> DispatchError {
    DispatchError::rejected(BrokerFault::new(format!(
        "the message takes {size} bytes and {place} allows {most}; send less, or raise `max_message_size` of the server"
    )))
}

pub(super) fn too_large_a_header(place: &str, size: usize, most: usize) -> DispatchError {
    DispatchError::rejected(BrokerFault::new(format!(
        "the message's headers take a frame of {size} bytes and {place} allows {most}; send large values as arguments, or \
         raise `frame_max` of the server"
    )))
}

pub(super) fn too_long(place: &str) -> DispatchError {
    let what = format!("a name or a property takes more than the 255 bytes that {place} allows; shorten it");
    DispatchError::rejected(BrokerFault::new(what))
}

pub(super) fn nacked(place: &str, queue: &str) -> DispatchError {
    let queue = queue.escape_debug();
    DispatchError::unavailable(BrokerFault::new(format!("{place} could not store it in the queue `{queue}` (nack)")))
}

pub(super) fn blocked(place: &str) -> DispatchError {
    DispatchError::unavailable(BrokerFault::new(format!(
        "{place} takes no messages from publishers now (connection.blocked); it lacks memory or disk space"
    )))
}

pub(super) fn unsent(place: &str, error: &lapin::Error) -> DispatchError {
    let why = said(error).map_or_else(|| of_client(error), |(code, text)| format!("{code} {text}"));
    DispatchError::unavailable(BrokerFault::new(format!("the connection to {place} ended before it was sent: {why}")))
}

/// How a message of this size fared that the server had not confirmed when the channel ended.
pub(super) fn unconfirmed(place: &str, size: usize, error: &lapin::Error) -> DispatchError {
    // It had another limit than the one it was asked for, and keeps none that is above it.
    if let Some(most) = size_limit(error).filter(|most| size > *most) {
        return too_large(place, size, most);
    }
    let why = match said(error) {
        Some((ACCESS_REFUSED, text)) => {
            format!("the channel ended before the answer: {ACCESS_REFUSED} {text}; allow this user to write there")
        }
        Some((code, text)) => format!("the channel ended before the answer: {code} {text}"),
        None => format!("the connection ended before the answer: {}", of_client(error)),
    };
    DispatchError::unconfirmed(BrokerFault::new(format!("it was sent to {place}, and {why}")))
}

pub(super) fn late(place: &str, is_blocked: bool) -> DispatchError {
    let why = if is_blocked {
        "it takes no messages from publishers now (connection.blocked); it lacks memory or disk space"
    } else {
        "no answer came in time"
    };
    DispatchError::unconfirmed(BrokerFault::new(format!("it was sent to {place}, and {why}")))
}

/// The client's own errors in a few words: their texts are for its developers.
fn of_client(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::IOError(error) => error.to_string(),
        ErrorKind::MissingHeartbeatError => "no heartbeat came".to_owned(),
        ErrorKind::InvalidConnectionState(_) | ErrorKind::InvalidChannelState(..) => "it is closed".to_owned(),
        ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_) => "what came is not AMQP 0-9-1".to_owned(),
        _ => "the client gave up".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use lapin::protocol::{AMQPError, AMQPSoftError};

    use super::*;
    use crate::dispatch::DispatchErrorKind;

    #[test]
    fn a_queue_whose_node_is_down_is_not_taken_for_one_that_is_missing() {
        let kind = |text: &str| {
            let error = AMQPError::new(AMQPSoftError::NOTFOUND.into(), text.into());
            of_queue(AmqpPhase::ProbeChannel, "here", "mail", &ErrorKind::ProtocolError(error).into())
                .map(|error| error.kind())
        };
        let down = "NOT_FOUND - home node 'rabbit@b' of durable queue 'mail' in vhost '/' is down or inaccessible";
        assert_eq!(kind(down), Some(DispatchErrorKind::Unavailable));
        assert_eq!(kind("NOT_FOUND - no queue 'mail' in vhost '/'"), Some(DispatchErrorKind::Rejected));
    }
}
