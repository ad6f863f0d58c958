//! Messages as commands. Neighbours that go to the same place share one: the server does it as a whole or not at all,
//! as it would do each of them.

use redis::{Cmd, Pipeline};

use super::transaction::ANSWERS;
use crate::brokers::message::RedisMessage;

/// How many messages share a command, at most, and how many bytes they have then: the server does nothing else
/// meanwhile.
const SHARED: usize = 64;
const SHARED_BYTES: usize = 256 * 1024;

/// Commands and how many bytes they are.
pub(super) struct Packed {
    pub(super) commands: Pipeline,
    pub(super) bytes: u64,
}

pub(super) fn pack(messages: &[RedisMessage]) -> Packed {
    let mut packed = Packed { commands: Pipeline::with_capacity(messages.len() / 16 + 4), bytes: 0 };
    for run in runs(messages) {
        let command = |name: &str, key: &str| {
            let mut command = Cmd::with_capacity(run.len() * 2 + 2, bytes_of(run) + 64);
            command.arg(name).arg(key);
            command
        };
        match run {
            [RedisMessage::PushLeft { list, .. }, ..] => packed.add(with_bodies(command("LPUSH", list), run)),
            [RedisMessage::PushRight { list, .. }, ..] => packed.add(with_bodies(command("RPUSH", list), run)),
            [RedisMessage::AddScored { set, .. }, ..] => {
                let mut add = command("ZADD", set);
                for message in run {
                    if let RedisMessage::AddScored { score, member, .. } = message {
                        add.arg(*score).arg(member.as_slice());
                    }
                }
                packed.add(add);
            }
            [RedisMessage::StoreAndPush { hash, list, .. }, ..] => {
                let mut store = command("HSET", hash);
                let mut push = Cmd::with_capacity(run.len() + 2, run.len() * 40 + 64);
                push.arg("RPUSH").arg(list);
                for message in run {
                    if let RedisMessage::StoreAndPush { field, body, .. } = message {
                        store.arg(field).arg(body.as_slice());
                        push.arg(field);
                    }
                }
                [redis::cmd("MULTI"), store, push, redis::cmd("EXEC")].into_iter().for_each(|cmd| packed.add(cmd));
            }
            [] => {}
        }
    }
    packed
}

fn with_bodies(mut command: Cmd, run: &[RedisMessage]) -> Cmd {
    for message in run {
        command.arg(message.body());
    }
    command
}

impl Packed {
    fn add(&mut self, command: Cmd) {
        self.bytes += length(&command);
        self.commands.add_command(command);
    }
}

/// How many replies a run of messages gets.
pub(super) fn replies(run: &[RedisMessage]) -> usize {
    match run {
        [RedisMessage::StoreAndPush { .. }, ..] => ANSWERS,
        [_, ..] => 1,
        [] => 0,
    }
}

/// What a user must be allowed for a run of messages.
pub(super) fn needs(run: &[RedisMessage]) -> &'static str {
    match run {
        [RedisMessage::PushLeft { .. }, ..] => "LPUSH",
        [RedisMessage::PushRight { .. }, ..] => "RPUSH",
        [RedisMessage::AddScored { .. }, ..] => "ZADD",
        [RedisMessage::StoreAndPush { .. }, ..] => "MULTI, HSET, RPUSH and EXEC",
        [] => "nothing",
    }
}

/// The messages in groups that share a command.
pub(super) fn runs(messages: &[RedisMessage]) -> impl Iterator<Item = &[RedisMessage]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut bytes = 0;
        let together = |message: &&RedisMessage| {
            bytes += message.body().len();
            message.destination() == first.destination() && bytes <= SHARED_BYTES
        };
        let run;
        (run, rest) = rest.split_at(rest.iter().take(SHARED).take_while(together).count().max(1));
        Some(run)
    })
}

fn bytes_of(run: &[RedisMessage]) -> usize {
    run.iter().map(|message| message.body().len() + 40).sum()
}

/// How many bytes the commands take on the wire.
pub(super) fn bytes(commands: &Pipeline) -> u64 {
    commands.cmd_iter().map(length).sum()
}

/// How many bytes the command takes on the wire.
fn length(command: &Cmd) -> u64 {
    let digits = |number: usize| number.checked_ilog10().map_or(1, |digits| u64::from(digits) + 1);
    let arguments = command.args_iter();
    let count = arguments.len();
    let each = arguments.map(|argument| match argument {
        redis::Arg::Simple(bytes) => digits(bytes.len()) + bytes.len() as u64 + 5,
        redis::Arg::Cursor => 0,
        _ => 0,
    });
    1 + digits(count) + 2 + each.sum::<u64>()
}
