//! Messages as commands, each by itself done as a whole or not at all: what refuses one, a server or a proxy, refuses
//! all that it would have written, and its answer is the whole truth about it. Neighbours that go to the same place share
//! one.

use redis::{Cmd, Pipeline};

use crate::brokers::message::RedisMessage;

/// How many messages share a command, at most, and how many bytes they have then: the server does nothing else
/// meanwhile.
const SHARED: usize = 64;
const SHARED_BYTES: usize = 256 * 1024;

/// Stores the fields with their values in the first key, and pushes the fields to the second.
///
/// Not `MULTI`: what follows a `MULTI` that is refused is done all the same, and a proxy that refuses one command lets the
/// others pass. A script isn't undone when it fails half-way, so it looks first whether it may push, and takes back what
/// it has stored. Servers ask for memory, replicas and the like before the first write of a script and not again.
const STORE_AND_PUSH: &str = "\
local ids, may = {}, redis.acl_check_cmd
for at = 1, #ARGV, 2 do ids[#ids + 1] = ARGV[at] end
if may and not may('RPUSH', KEYS[2], '') then return redis.error_reply('NOPERM RPUSH') end
local answer = redis.pcall('HSET', KEYS[1], unpack(ARGV))
if type(answer) == 'table' then return answer end
answer = redis.pcall('RPUSH', KEYS[2], unpack(ids))
if type(answer) == 'table' and type(redis.pcall('HDEL', KEYS[1], unpack(ids))) == 'table' then
answer.err = answer.err .. ' LEFT_IN_HASH' end
return answer";

/// What the script says if it could not take back what it had stored.
pub(super) const LEFT: &str = "LEFT_IN_HASH";

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
                let mut both = command("EVAL", STORE_AND_PUSH);
                both.arg(2).arg(hash).arg(list);
                for message in run {
                    if let RedisMessage::StoreAndPush { field, body, .. } = message {
                        both.arg(field).arg(body.as_slice());
                    }
                }
                packed.add(both);
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

/// What a user must be allowed for a run of messages.
pub(super) fn needs(run: &[RedisMessage]) -> &'static str {
    match run {
        [RedisMessage::PushLeft { .. }, ..] => "LPUSH",
        [RedisMessage::PushRight { .. }, ..] => "RPUSH",
        [RedisMessage::AddScored { .. }, ..] => "ZADD",
        [RedisMessage::StoreAndPush { .. }, ..] => "EVAL, HSET, RPUSH and HDEL",
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
