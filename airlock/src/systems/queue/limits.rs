//! Names and numbers that a broker or a worker can't take.

use crate::brokers::Transport;
use crate::dispatch::Rejection;

/// A short string of AMQP 0-9-1 has its length in one byte.
const SHORT: usize = 255;

/// Whether the broker can have a queue of this name.
pub(crate) fn check_queue(queue: &str, transport: Transport) -> Result<(), Rejection> {
    if queue.is_empty() {
        return Err(Rejection::new("the queue's name is empty; leave `queue` out for the default one"));
    }
    if queue.chars().any(char::is_control) {
        return Err(Rejection::new("the queue's name has a control character; rename it"));
    }
    if transport == Transport::Amqp {
        check_short("the queue's name", Some(queue))?;
    }
    Ok(())
}

/// Whether a worker can have a task of this name.
pub(crate) fn check_task(name: &str) -> Result<(), Rejection> {
    check_short("the task's name", Some(name))
}

/// Whether the name of a task says in which module of Python it is.
pub(crate) fn check_dotted(system: &str, name: &str) -> Result<(), Rejection> {
    // In one go: every intent comes through here.
    let (mut is_dotted, mut is_sound, mut last) = (false, true, '.');
    for letter in name.chars() {
        is_dotted |= letter == '.';
        is_sound &= !letter.is_whitespace() && (letter, last) != ('.', '.');
        last = letter;
    }
    if is_dotted && is_sound && last != '.' {
        return Ok(());
    }
    Err(Rejection::new(format!(
        "{system} finds functions by module and name, as in `shop.tasks.send`; give it such a name (a task by `name` or `task_prefix`)"
    )))
}

/// Whether the text fits a short string.
pub(crate) fn check_short(what: &str, text: Option<&str>) -> Result<(), Rejection> {
    match text {
        Some(text) if text.len() > SHORT => {
            Err(Rejection::new(format!("{what} has {} bytes and {SHORT} are possible; shorten it", text.len())))
        }
        _ => Ok(()),
    }
}

/// Whether the queues on RabbitMQ, as they were declared, know this priority.
pub(crate) fn check_amqp_priority(priority: Option<u8>, most: Option<u8>) -> Result<(), Rejection> {
    match (priority, most) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Rejection::new(
            "queues on RabbitMQ have no priorities unless they are declared with `x-max-priority`; say so with \
             `.max_priority(n)` as the workers do, or leave `priority` out",
        )),
        (Some(priority), Some(most)) if priority > most => {
            Err(Rejection::new(format!("priority {priority} is above the queues' highest, {most}; lower it")))
        }
        _ => Ok(()),
    }
}
