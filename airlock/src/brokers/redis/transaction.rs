//! What the answers to transactions say about each command in them. A command may be refused by itself, by a proxy or
//! with `MULTI` refused before, and the others are done all the same: only their own answers tell.

use redis::{Cmd, ServerError, Value};

use crate::brokers::message::RedisMessage;

/// How many answers one gets: to `MULTI`, to the two writes, to `EXEC`.
pub(super) const ANSWERS: usize = 4;

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fate {
    Done,
    Refused(ServerError),
    /// It waits for an `EXEC` that was refused.
    Open,
    /// The answer is none of Redis's.
    Unknown,
}

impl Fate {
    fn refusal(&self) -> Option<&ServerError> {
        match self {
            Self::Refused(error) => Some(error),
            _ => None,
        }
    }
}

/// What became of the two writes of one transaction, and what `MULTI` and `EXEC` were answered if they were refused.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) stored: Fate,
    pub(super) pushed: Fate,
    around: [Option<ServerError>; 2],
}

impl Pair {
    /// The refusal that says most: of a write itself, before what only tells that there was one.
    pub(super) fn cause(&self) -> Option<&ServerError> {
        let writes = [self.stored.refusal(), self.pushed.refusal()];
        let all = || writes.into_iter().chain(self.around.each_ref().map(Option::as_ref)).flatten();
        all().find(|error| error.code() != "EXECABORT").or_else(|| all().next())
    }
}

/// Reads the answers to transactions that were sent one after the other.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) pairs: Vec<Pair>,
    /// The writes that wait for an `EXEC`: of which pair, and whether it is the push.
    queued: Vec<(usize, bool)>,
}

impl Reader {
    /// Those to one.
    pub(super) fn read(&mut self, answers: &[Value]) {
        let [begin, store, push, end] = [0, 1, 2, 3].map(|at| answers.get(at).unwrap_or(&Value::Nil));
        let around = [begin, end].map(|answer| match answer {
            Value::ServerError(error) => Some(error.clone()),
            _ => None,
        });
        let place = self.pairs.len();
        for (answer, is_push) in [(store, false), (push, true)] {
            if matches!(answer, Value::SimpleString(word) if word == "QUEUED") {
                self.queued.push((place, is_push));
            }
        }
        self.pairs.push(Pair { stored: fate(store), pushed: fate(push), around });
        match end {
            // With those of an earlier transaction before, if its `EXEC` was refused.
            Value::Array(answers) => {
                let before = answers.len().saturating_sub(self.queued.len());
                let mut answers = answers.iter().skip(before);
                self.settle(|| answers.next().map_or(Fate::Unknown, fate));
            }
            Value::ServerError(error) if error.code() == "EXECABORT" => self.settle(|| Fate::Refused(error.clone())),
            _ => {}
        }
    }

    /// Gives what is queued its fate.
    fn settle(&mut self, mut next: impl FnMut() -> Fate) {
        for (place, is_push) in self.queued.drain(..) {
            if let Some(pair) = self.pairs.get_mut(place) {
                *(if is_push { &mut pair.pushed } else { &mut pair.stored }) = next();
            }
        }
    }
}

fn fate(answer: &Value) -> Fate {
    match answer {
        Value::Int(_) => Fate::Done,
        Value::ServerError(error) => Fate::Refused(error.clone()),
        Value::SimpleString(word) if word == "QUEUED" => Fate::Open,
        _ => Fate::Unknown,
    }
}

/// What takes back the one write of a run that was done without the other.
pub(super) fn take_back(run: &[RedisMessage], is_stored: bool) -> Vec<Cmd> {
    let pairs = run.iter().filter_map(|message| match message {
        RedisMessage::StoreAndPush { hash, field, list, .. } => Some((hash, field, list)),
        _ => None,
    });
    let commands = pairs.map(|(hash, field, list)| {
        let mut command = Cmd::new();
        if is_stored {
            command.arg("HDEL").arg(hash).arg(field);
        } else {
            // The last ones are the newest.
            command.arg("LREM").arg(list).arg(-1).arg(field);
        }
        command
    });
    commands.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued() -> Value {
        Value::SimpleString("QUEUED".to_owned())
    }

    fn error(text: &str) -> Value {
        let parsed = redis::parse_redis_value(format!("-{text}\r\n").as_bytes());
        parsed.unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_later_exec_does_what_an_earlier_one_was_refused() {
        let mut reader = Reader::default();
        reader.read(&[Value::Okay, queued(), queued(), error("ERR refused")]);
        assert_eq!([&reader.pairs[0].stored, &reader.pairs[0].pushed], [&Fate::Open; 2]);
        let done = Value::Array(vec![Value::Int(1); 4]);
        reader.read(&[error("ERR MULTI calls can not be nested"), queued(), queued(), done]);
        assert!(reader.pairs.iter().all(|pair| pair.stored == Fate::Done && pair.pushed == Fate::Done));
    }

    #[test]
    fn what_an_earlier_pipeline_left_open_is_not_taken_for_the_own() {
        let mut reader = Reader::default();
        let all = Value::Array(vec![Value::Int(1), Value::Int(1), error("WRONGTYPE no hash"), Value::Int(1)]);
        reader.read(&[error("ERR MULTI calls can not be nested"), queued(), queued(), all]);
        assert_eq!(reader.pairs[0].pushed, Fate::Done);
        assert_eq!(reader.pairs[0].cause().map(ServerError::code), Some("WRONGTYPE"));
    }

    #[test]
    fn a_write_that_was_refused_says_more_than_the_transaction_that_was_therefore() {
        let mut reader = Reader::default();
        reader.read(&[Value::Okay, queued(), error("NOPERM no rpush"), error("EXECABORT because of errors")]);
        assert!(matches!(reader.pairs[0].stored, Fate::Refused(_)));
        assert_eq!(reader.pairs[0].cause().map(ServerError::code), Some("NOPERM"));
    }
}
