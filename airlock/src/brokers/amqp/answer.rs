//! What RabbitMQ's codes and texts mean. One table: the code alone says little, as limits, rights and what is missing share
//! them.

use lapin::ErrorKind;

use crate::brokers::connection::BrokerFault;
use crate::dispatch::{DispatchError, DispatchErrorKind};

use AmqpPhase::{Declaring, Opening, ProbeChannel};
use DispatchErrorKind::{Rejected, Unavailable};

/// What was done when the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AmqpPhase {
    /// A connection with its first channel was opened.
    Opening,
    /// A queue was asked for.
    ProbeChannel,
    /// It was declared.
    Declaring,
}

const OPENING: &[AmqpPhase] = &[Opening];
const DECLARING: &[AmqpPhase] = &[Declaring];
/// Whatever is done about a queue.
const QUEUE: &[AmqpPhase] = &[ProbeChannel, Declaring];

pub(super) const CONNECTION_FORCED: u16 = 320;
pub(super) const ACCESS_REFUSED: u16 = 403;
pub(super) const NOT_FOUND: u16 = 404;
pub(super) const RESOURCE_LOCKED: u16 = 405;
pub(super) const PRECONDITION_FAILED: u16 = 406;
pub(super) const NOT_ALLOWED: u16 = 530;
pub(super) const INTERNAL_ERROR: u16 = 541;

/// Phases, code, a part of the text, kind, and what is said: the first that fits. In braces stands what differs.
type AmqpAnswerRow = (&'static [AmqpPhase], u16, &'static str, DispatchErrorKind, &'static str);

const ROWS: [AmqpAnswerRow; 20] = [
    (
        OPENING,
        ACCESS_REFUSED,
        "",
        Rejected,
        "{place} refuses user and password; give those it knows in the broker's URL",
    ),
    (OPENING, NOT_ALLOWED, "channels opened", Unavailable, FEW_CHANNELS),
    (
        OPENING,
        NOT_ALLOWED,
        "limit",
        Unavailable,
        "{place} takes no more connections ({text}); raise the limit, or close some",
    ),
    (
        OPENING,
        NOT_ALLOWED,
        "refused for user",
        Rejected,
        "{place} doesn't let this user into the virtual host `{vhost}`; give them rights there, or look at the path of the \
         broker's URL, where `/` is written `%2F` or left out",
    ),
    (
        OPENING,
        NOT_ALLOWED,
        "",
        Rejected,
        "{place} has no virtual host `{vhost}`, or this user may not enter it; look at the path of the broker's URL, where \
         `/` is written `%2F` or left out",
    ),
    (OPENING, CONNECTION_FORCED, "", Unavailable, "{place} ended the connection: {text}"),
    (OPENING, INTERNAL_ERROR, "", Unavailable, "{place} ended the connection: {text}"),
    // A node of the cluster that is down comes back.
    (
        QUEUE,
        NOT_FOUND,
        "is down or inaccessible",
        Unavailable,
        "the queue `{queue}` on {place} can't be reached now: {text}",
    ),
    (QUEUE, NOT_FOUND, "", Rejected, MISSING),
    (
        QUEUE,
        PRECONDITION_FAILED,
        "is reached",
        Unavailable,
        "the queue `{queue}` can't be made on {place} now ({text}); raise the limit, or delete other queues",
    ),
    (QUEUE, PRECONDITION_FAILED, "inequivalent", Rejected, OTHERWISE),
    (
        QUEUE,
        PRECONDITION_FAILED,
        "x-max-priority",
        Rejected,
        "the queue `{queue}` on {place} would be of a type that takes no `x-max-priority` ({text}); leave `max_priority` \
         out, or let the workers declare a classic queue",
    ),
    (QUEUE, PRECONDITION_FAILED, "", Rejected, OTHERWISE),
    (
        QUEUE,
        ACCESS_REFUSED,
        "reserved prefix",
        Rejected,
        "names like `{queue}` are reserved on {place}; choose one that doesn't begin with `amq.`",
    ),
    // Servers before RabbitMQ 3.13 don't say which right it is.
    (DECLARING, ACCESS_REFUSED, "read access", Rejected, DEAD_LETTERS),
    (DECLARING, ACCESS_REFUSED, "write access", Rejected, DEAD_LETTERS),
    (
        DECLARING,
        ACCESS_REFUSED,
        "",
        Rejected,
        "this user may not declare the queue `{queue}` on {place}; give them the right to configure it, or leave `declare()` \
         out where the workers declare it",
    ),
    (QUEUE, ACCESS_REFUSED, "", Rejected, "this user may not use the queue `{queue}` on {place}; allow it there"),
    (
        QUEUE,
        RESOURCE_LOCKED,
        "",
        Rejected,
        "the queue `{queue}` on {place} is another connection's own; choose another",
    ),
    (QUEUE, NOT_ALLOWED, "channels opened", Unavailable, FEW_CHANNELS),
];

pub(super) const MISSING: &str =
    "there is no queue `{queue}` on {place}; start a worker that consumes it, or use `declare()`";
const DEAD_LETTERS: &str = "this user may not declare the queue `{queue}` on {place} ({text}); one with dead letters takes the \
                            right to read it, and to write where they go, or leave `declare()` out";
const OTHERWISE: &str = "the queue `{queue}` on {place} is declared otherwise ({text}); set what the workers set, or leave \
                         the declaration to them";
const FEW_CHANNELS: &str = "{place} allows this user too few channels ({text}); a connection needs two, so raise the limit \
                            of the user, or `channel_max`";

/// What differs from one failure to the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AnswerNames<'a> {
    pub(super) place: &'a str,
    pub(super) vhost: &'a str,
    pub(super) queue: &'a str,
}

/// The number and the text of what the server said, if it said something.
pub(super) fn said(error: &lapin::Error) -> Option<(u16, String)> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some((error.get_id(), error.get_message().to_string())),
        // The limit that was negotiated: the client keeps to it, and doesn't ask.
        ErrorKind::ChannelsLimitReached => Some((NOT_ALLOWED, "as many channels opened as were negotiated".to_owned())),
        _ => None,
    }
}

/// What the error means; `None` if no line of the table fits.
pub(super) fn meaning(phase: AmqpPhase, names: AnswerNames<'_>, error: &lapin::Error) -> Option<DispatchError> {
    let (code, text) = said(error)?;
    let fits = |row: &&AmqpAnswerRow| row.0.contains(&phase) && row.1 == code && text.contains(row.2);
    let (_, _, _, kind, what) = ROWS.iter().find(fits)?;
    let fault = BrokerFault::new(names.fill(what, &text));
    Some(if *kind == Rejected { DispatchError::rejected(fault) } else { DispatchError::unavailable(fault) })
}

impl AnswerNames<'_> {
    pub(super) fn fill(&self, what: &str, text: &str) -> String {
        let queue = self.queue.escape_debug().to_string();
        let named = [("place", self.place), ("vhost", self.vhost), ("queue", &queue), ("text", text)];
        let mut filled = String::new();
        for (place, part) in what.split(['{', '}']).enumerate() {
            // Every second part stood in braces.
            let value = named.iter().find(|(name, _)| place % 2 == 1 && *name == part);
            filled.push_str(value.map_or(part, |(_, value)| value));
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_channels_by_negotiation_are_told_as_those_that_the_server_counts() {
        let answer = |phase| meaning(phase, AnswerNames::default(), &ErrorKind::ChannelsLimitReached.into());
        for phase in [Opening, ProbeChannel, Declaring] {
            let error = answer(phase).unwrap_or_else(|| panic!("{phase:?} has no such line"));
            assert_eq!(error.kind(), Unavailable, "{phase:?}");
            assert!(error.get_ref().to_string().contains("too few channels"), "{error:?}");
        }
    }
}
