//! The forms in which messages lie in Redis, one or more for each system: how they are sent, and found again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

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
        // What is the default.
        self.executor_within(url, Duration::from_secs(3))
    }

    /// One that waits so long for a connection.
    pub(crate) fn executor_within(self, url: &str, time: Duration) -> Arc<dyn Executor> {
        let huey = || HueyExecutor::new(url).expect("a URL").connect_timeout(time);
        match self {
            Self::Celery => Arc::new(CeleryExecutor::new(url).expect("a URL").connect_timeout(time)),
            Self::Dramatiq => Arc::new(DramatiqExecutor::new(url).expect("a URL").connect_timeout(time)),
            Self::Huey => Arc::new(huey()),
            Self::HueyPriority => Arc::new(huey().priorities()),
            Self::DjangoQ => {
                let key = SecretKey::new("key").expect("a key");
                Arc::new(DjangoQExecutor::new(url, key).expect("a URL").connect_timeout(time))
            }
        }
    }

    /// The same, as `Debug` shows it.
    pub(crate) fn debug(self, url: &str) -> String {
        match self {
            Self::Celery => format!("{:?}", CeleryExecutor::new(url)),
            Self::Dramatiq => format!("{:?}", DramatiqExecutor::new(url)),
            Self::Huey | Self::HueyPriority => format!("{:?}", HueyExecutor::new(url)),
            Self::DjangoQ => format!("{:?}", DjangoQExecutor::new(url, SecretKey::new("key").expect("a key"))),
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
        self.queued(server, queue).into_iter().collect()
    }

    /// The same, in the order in which workers take them.
    pub(crate) fn queued(self, server: &RedisServer, queue: &str) -> Vec<String> {
        let key = self.key(queue);
        let texts =
            |command: &[&str]| -> Vec<Vec<u8>> { redis::from_redis_value(server.command(command)).expect("a list") };
        let mut messages = match self {
            Self::HueyPriority => texts(&["ZRANGE", &key, "0", "-1"]),
            _ => texts(&["LRANGE", &key, "0", "-1"]),
        };
        match self {
            // They are pushed at the left, and taken at the right.
            Self::Celery | Self::Huey => messages.reverse(),
            Self::Dramatiq if !messages.is_empty() => {
                let hash = format!("{key}.msgs");
                let fields = messages.iter().map(|field| std::str::from_utf8(field).expect("an id"));
                messages = texts(&["HMGET", &hash].into_iter().chain(fields).collect::<Vec<_>>());
            }
            _ => {}
        }
        messages.iter().map(|message| self.id(message)).collect()
    }

    fn id(self, message: &[u8]) -> String {
        match self {
            Self::Celery => note_of(std::str::from_utf8(message).expect("JSON")).0,
            Self::Dramatiq => {
                let message: serde_json::Value = serde_json::from_slice(message).expect("JSON");
                message["message_id"].as_str().expect("an id").to_owned()
            }
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
