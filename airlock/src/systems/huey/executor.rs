//! What hands intents to Huey consumers.

use std::time::SystemTime;

use super::message::HueyFormat;
use super::signing::{Compression, SerializerSigner};
use crate::brokers::{Broker, BrokerMessage, BrokerUrlError, Transport};
use crate::dispatch::Rejection;
use crate::executors::OptionReader;
use crate::intent::Intent;
use crate::systems::queue::queue_executor;
use crate::text::secret_key::SecretKey;

queue_executor! {
    #[doc = include_str!("../../../docs/huey.md")]
    #[doc = include_str!("../../../docs/huey-options.md")]
    #[doc = include_str!("../../../docs/huey-operations.md")]
    pub struct HueyExecutor(HueyFormat), named "huey";

    /// `name` of the consumers' `Huey`: where intents without a queue go. `huey` unless set.
    pub fn default_queue(format, name: impl Into<String>) from text {
        format.common.default_queue = name.into();
    }

    /// `clean_name` of the consumers' `RedisHuey`, which leaves letters, digits and `_` of the name; true unless set.
    pub fn clean_name(format, cleans: bool) from bool {
        format.clean_name = cleans;
    }

    /// What goes before every task's name, such as `shop.tasks.`: consumers know a task by module and function.
    pub fn task_prefix(format, prefix: impl Into<String>) from text {
        format.common.task_prefix = prefix.into();
    }

    /// For consumers that are `PriorityRedisHuey` or `PriorityRedisExpireHuey`, which have another kind of queue. Without
    /// it they are `RedisHuey` or `RedisExpireHuey`, and priorities are refused. `SqliteHuey` and `PostgresHuey` always have
    /// them.
    pub fn priorities(format) from flag {
        format.priorities = true;
    }

    /// The priority of intents without one, 0 to 9, higher is sooner.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(format, priority: u8) from priority {
        format.common.set_default_priority(priority);
    }

    /// The major version of the consumers' Huey; 2 unless set, which 3 reads as well. From 3 on, messages have fields for
    /// `timeout` and the extra `retry_backoff`, and a consumer of Huey 2 loses them: say so only when all run 3.
    /// With another version every intent is refused: what those read is not known.
    pub fn consumer(format, version: u8) from small_number {
        format.consumer = version;
    }

    /// `compression=True` of the consumers: gzip.
    pub fn compressed(format) from flag {
        format.compression.get_or_insert(Compression::Gzip);
    }

    /// `compression=True, use_zlib=True` of the consumers.
    pub fn use_zlib(format) from flag {
        format.compression = Some(Compression::Zlib);
    }

    /// For consumers with a `SignedSerializer` of this secret.
    pub fn signed(format, secret: SecretKey) from secret_key {
        format.signing.set_secret(secret);
    }

    /// `salt` of the consumers' `SignedSerializer`; `huey` unless set.
    ///
    /// # Panics
    /// With an empty one: a `SignedSerializer` takes none.
    pub fn salt(format, salt: impl Into<String>) from filled_text {
        let salt = salt.into();
        assert!(
            !salt.is_empty(),
            "the salt is empty, which no `SignedSerializer` takes; give the one of the consumers"
        );
        format.signing.set_salt(salt);
    }

    /// How many bytes a message may take; 16 MiB unless set.
    pub fn body_limit(format, bytes: usize) from bytes {
        format.common.body_limit = bytes;
    }

    /// Says that its table is in another database than the transactions that this program commits: then
    /// `OpenScope::commit` hands over to it after the COMMIT. Otherwise a transaction of its kind counts as one of its
    /// database, and it writes into it.
    pub fn elsewhere(format) from flag {
        format.common.elsewhere = true;
    }
}

impl HueyExecutor {
    /// For the broker at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, Huey doesn't run over it, or the cargo feature of its transport (`redis`,
    /// `redis-tls`, `sqlite`, `postgres`, `postgres-tls`) is off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker =
            Broker::for_system(url.as_ref(), "Huey", &[Transport::Redis, Transport::Sqlite, Transport::Postgres])?;
        Ok(Self::of(broker, HueyFormat::default()))
    }

    pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
        let url = table.url();
        Self::read_options(table, |table| Self::new(url?.as_ref()).map_err(|error| table.refuse_url(error)))
    }

    /// What to compare with the consumers' side, as they drop what is signed otherwise with no more than a line in their
    /// log; `None` if messages aren't signed. It tells keys and salts apart and signs nothing. Theirs is
    ///
    /// ```text
    /// python -c "from shop import huey; print(huey.serializer._signature(b'airlock')[:12].decode())"
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.0.format().signing.signer().map(SerializerSigner::fingerprint)
    }

    /// The message that this executor would send for the intent now, with the place it goes to. Nothing is sent: keep it
    /// in a table of the transaction that caused it, and send it when that has committed.
    ///
    /// Every call makes a new message with the intent's id, so send one of them. A consumer doesn't notice a second.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    ///
    /// ```
    /// # #[cfg(feature = "redis")] {
    /// use std::time::SystemTime;
    /// use airlock::{BrokerMessage, HueyExecutor, RedisMessage};
    ///
    /// #[airlock::task(name = "shop.send_receipt")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let huey = HueyExecutor::new("redis://localhost:6379/0").unwrap().default_queue("my-shop");
    /// let message = huey.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Redis(RedisMessage::PushLeft { list, body, .. }) = message else { unreachable!() };
    /// assert_eq!(list, "huey.redis.myshop");
    /// assert!(body.starts_with(b"\x80\x04"));
    /// # }
    /// ```
    pub fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.0.message(intent, now)
    }
}
