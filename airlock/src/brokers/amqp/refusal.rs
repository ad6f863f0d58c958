//! What RabbitMQ's refusals mean, and what to do about them.

use lapin::ErrorKind;

use crate::brokers::fault::BrokerFault;
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

const CONNECTION_FORCED: u16 = 320;
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;
const INTERNAL_ERROR: u16 = 541;

/// The number and the text of what the server said, if it said something.
fn said(error: &lapin::Error) -> Option<(u16, String)> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some((error.get_id(), error.get_message().to_string())),
        _ => None,
    }
}

/// Why there is no connection.
pub(super) fn of_open(url: &BrokerUrl, error: &lapin::Error) -> DispatchError {
    let (place, vhost) = (url.place(), &url.path);
    let (is_final, what) = match said(error) {
        Some((ACCESS_REFUSED, _)) => {
            (true, format!("{place} refuses user and password; give those it knows in the broker's URL"))
        }
        Some((NOT_ALLOWED, _)) => (
            true,
            format!(
                "{place} has no virtual host `{vhost}`, or this user may not enter it; look at the path of the broker's \
                 URL, where `/` is written `%2F` or left out"
            ),
        ),
        Some((CONNECTION_FORCED | INTERNAL_ERROR, text)) => (false, format!("{place} ended the connection: {text}")),
        Some((_, text)) => (true, format!("{place} refuses the connection: {text}")),
        // A certificate that isn't trusted now isn't trusted in a second either.
        None => (is_of_tls(error), format!("no connection to {place}: {}", of_client(error))),
    };
    let fault = BrokerFault::new(what);
    if is_final { DispatchError::rejected(fault) } else { DispatchError::unavailable(fault) }
}

fn is_of_tls(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::IOError(error) if error.kind() == std::io::ErrorKind::InvalidData)
}

/// Why a queue can't be published to: `None` if that is not about the queue.
pub(super) fn of_queue(place: &str, queue: &str, error: &lapin::Error) -> Option<DispatchError> {
    let queue = queue.escape_debug();
    let what = match said(error)? {
        // A node of the cluster that is down comes back.
        (NOT_FOUND, text) if text.contains("is down or inaccessible") => {
            let what = format!("the queue `{queue}` on {place} can't be reached now: {text}");
            return Some(DispatchError::unavailable(BrokerFault::new(what)));
        }
        (NOT_FOUND, _) => missing(place, &queue.to_string()),
        (PRECONDITION_FAILED, text) => format!(
            "the queue `{queue}` on {place} is declared otherwise ({text}); set what the workers set, or leave the \
             declaration to them"
        ),
        (ACCESS_REFUSED, _) => format!("this user may not use the queue `{queue}` on {place}; allow it there"),
        (RESOURCE_LOCKED, _) => format!("the queue `{queue}` on {place} is another connection's own; choose another"),
        _ => return None,
    };
    Some(DispatchError::rejected(BrokerFault::new(what)))
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
    DispatchError::rejected(BrokerFault::new(missing(place, &queue.escape_debug().to_string())))
}

fn missing(place: &str, queue: &str) -> String {
    format!("there is no queue `{queue}` on {place}; start a worker that consumes it, or use `declare()`")
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
            of_queue("here", "mail", &ErrorKind::ProtocolError(error).into()).map(|error| error.kind())
        };
        let down = "NOT_FOUND - home node 'rabbit@b' of durable queue 'mail' in vhost '/' is down or inaccessible";
        assert_eq!(kind(down), Some(DispatchErrorKind::Unavailable));
        assert_eq!(kind("NOT_FOUND - no queue 'mail' in vhost '/'"), Some(DispatchErrorKind::Rejected));
    }
}
