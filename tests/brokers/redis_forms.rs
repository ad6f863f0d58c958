//! The forms in which messages lie in Redis, one or more for each system: how they are sent, and found again.

use std::collections::HashSet;
use std::sync::Arc;

use airlock::{CeleryExecutor, DjangoQExecutor, DramatiqExecutor, Executor, HueyExecutor, IntentId, SecretKey};
use airlock_tests::servers::RedisServer;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::tasks::note_of;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `LPUSH`.
    Celery,
    /// `HSET` and `RPUSH`, in a transaction.
    Dramatiq,
    /// `LPUSH`, of a pickle.
    Huey,
    /// `ZADD`.
    HueyPriority,
    /// `RPUSH`.
    DjangoQ,
}

impl Form {
    pub(crate) const ALL: [Self; 5] = [Self::Celery, Self::Dramatiq, Self::Huey, Self::HueyPriority, Self::DjangoQ];

    pub(crate) fn executor(self, url: &str) -> Arc<dyn Executor> {
        let huey = || HueyExecutor::new(url).expect("a URL");
        match self {
            Self::Celery => Arc::new(CeleryExecutor::new(url).expect("a URL")),
            Self::Dramatiq => Arc::new(DramatiqExecutor::new(url).expect("a URL")),
            Self::Huey => Arc::new(huey()),
            Self::HueyPriority => Arc::new(huey().priorities()),
            Self::DjangoQ => Arc::new(DjangoQExecutor::new(url, SecretKey::new("key").expect("a key")).expect("a URL")),
        }
    }

    /// Where messages for the queue lie.
    pub(crate) fn key(self, queue: &str) -> String {
        match self {
            Self::Celery => queue.to_owned(),
            Self::Dramatiq => format!("dramatiq:{queue}"),
            Self::Huey | Self::HueyPriority => format!("huey.redis.{queue}"),
            Self::DjangoQ => format!("django_q:{queue}:q"),
        }
    }

    /// How many lie there; `None` while the server doesn't answer.
    pub(crate) fn count(self, server: &RedisServer, queue: &str) -> Option<usize> {
        let command = if self == Self::HueyPriority { "ZCARD" } else { "LLEN" };
        redis::from_redis_value(server.try_command(&[command, &self.key(queue)]).ok()?).ok()
    }

    /// The ids of the intents that lie there.
    pub(crate) fn ids(self, server: &RedisServer, queue: &str) -> HashSet<String> {
        let key = self.key(queue);
        let command = match self {
            Self::HueyPriority => vec!["ZRANGE", &key, "0", "-1"],
            _ => vec!["LRANGE", &key, "0", "-1"],
        };
        let messages: Vec<Vec<u8>> = redis::from_redis_value(server.command(&command)).expect("a list");
        messages.iter().map(|message| self.id(message)).collect()
    }

    fn id(self, message: &[u8]) -> String {
        match self {
            Self::Celery => note_of(std::str::from_utf8(message).expect("JSON")).0,
            Self::Dramatiq => panic!("the id is in the hash"),
            // Both are texts of that length in a pickle.
            Self::Huey | Self::HueyPriority => text_after(message, b"(\x8c\x24", 36),
            Self::DjangoQ => {
                let pickle = message.split(|byte| *byte == b':').next().expect("a package");
                let pickle = URL_SAFE_NO_PAD.decode(pickle).expect("base64");
                let id: IntentId = text_after(&pickle, b"\x8c\x02id\x8c\x20", 32).parse().expect("an id");
                id.to_string()
            }
        }
    }
}

fn text_after(pickle: &[u8], before: &[u8], length: usize) -> String {
    let at = pickle.windows(before.len()).position(|window| window == before).expect("it is there") + before.len();
    std::str::from_utf8(&pickle[at..at + length]).expect("a text").to_owned()
}
