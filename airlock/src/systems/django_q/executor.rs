//! What hands intents to Django-Q2 clusters.

use std::time::{Duration, SystemTime};

use super::message::DjangoQFormat;
use crate::brokers::{Broker, BrokerMessage, BrokerUrlError, Transport};
use crate::dispatch::Rejection;
use crate::executors::OptionReader;
use crate::intent::Intent;
use crate::systems::queue::queue_executor;
use crate::text::secret_key::SecretKey;

queue_executor! {
    #[doc = include_str!("../../../docs/django-q.md")]
    #[doc = include_str!("../../../docs/django-q-options.md")]
    #[doc = include_str!("../../../docs/django-q-operations.md")]
    pub struct DjangoQExecutor(DjangoQFormat), named "django_q";

    /// `name` of the clusters' `Q_CLUSTER`; `default` unless set. It is part of what messages are signed with, and without
    /// [`cluster_name`](Self::cluster_name) the queue of intents that have none.
    pub fn cluster(format, name: impl Into<String>) from text {
        format.set_name(name.into());
    }

    /// `cluster_name` of `Q_CLUSTER`, or what `Q_CLUSTER_NAME` says to the cluster: the queue of intents that have none.
    pub fn cluster_name(format, name: impl Into<String>) from text {
        format.cluster_name = Some(name.into());
    }

    /// What goes before every task's name, such as `shop.tasks.`: a cluster finds a function by its path.
    pub fn task_prefix(format, prefix: impl Into<String>) from text {
        format.common.task_prefix = prefix.into();
    }

    /// `ack_failures` of `Q_CLUSTER`, which producers put into every task: on the ORM, one that fails is not run again. The
    /// extra `ack_failure` of an intent comes before it.
    pub fn ack_failures(format, acknowledges: bool) from bool {
        format.ack_failures = acknowledges;
    }

    /// `cached` of `Q_CLUSTER`, which producers put into every task: its result goes into the clusters' cache, where
    /// `result(id)` of such a project looks for it, and not into the database. For so many whole seconds, none being not
    /// at all, and from 68 years on without an end, which is `True`. The extra `cached` of an intent comes before it.
    pub fn cached(format, time: Duration) from duration {
        format.cached = Some(time).filter(|time| time.as_secs() > 0);
    }

    /// `compress` of `Q_CLUSTER`; what would be no shorter is sent as it is. A cluster reads both, whatever it says itself.
    pub fn compressed(format) from flag {
        format.compressed = true;
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

impl DjangoQExecutor {
    /// For the broker at this URL, see [`BrokerUrl`](crate::BrokerUrl), and the `SECRET_KEY` of the clusters' settings.
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, Django-Q doesn't run over it, or the cargo feature of its transport (`redis`,
    /// `redis-tls`, `sqlite`, `postgres`, `postgres-tls`) is off.
    pub fn new(url: impl AsRef<str>, secret_key: SecretKey) -> Result<Self, BrokerUrlError> {
        let broker =
            Broker::for_system(url.as_ref(), "Django-Q", &[Transport::Redis, Transport::Sqlite, Transport::Postgres])?;
        Ok(Self::of(broker, DjangoQFormat::new(secret_key)))
    }

    pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
        let (url, secret_key) = (table.url(), table.needed_secret_key("secret_key"));
        Self::read_options(table, |table| {
            Self::new(url?.as_ref(), secret_key?).map_err(|error| table.refuse_url(error))
        })
    }

    /// What to compare with the clusters' side, as they drop what is signed otherwise with no more than a line in their
    /// log. It tells keys and names apart and signs nothing. Theirs is
    ///
    /// ```text
    /// python manage.py shell -c "from django.core.signing import Signer; from django_q.conf import Conf; \
    ///     print(Signer(key=Conf.SECRET_KEY, salt=Conf.PREFIX).signature('airlock')[:12])"
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.format().fingerprint()
    }

    /// The message that this executor would send for the intent now, with the place it goes to. Nothing is sent: keep it
    /// in a table of the transaction that caused it, and send it when that has committed.
    ///
    /// Every call makes a new message with the intent's id, so send one of them. A cluster doesn't notice a second.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    ///
    /// ```
    /// # #[cfg(feature = "redis")] {
    /// use std::time::SystemTime;
    /// use airlock::{BrokerMessage, DjangoQExecutor, RedisMessage, SecretKey};
    ///
    /// #[airlock::task(name = "shop.tasks.send_receipt")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let key = SecretKey::new("the SECRET_KEY of the Django project").unwrap();
    /// let django_q = DjangoQExecutor::new("redis://localhost:6379/0", key).unwrap().cluster("shop");
    /// let message = django_q.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Redis(RedisMessage::PushRight { list, body, .. }) = message else { unreachable!() };
    /// assert_eq!(list, "django_q:shop:q");
    /// assert_eq!(body.iter().filter(|byte| **byte == b':').count(), 2);
    /// # }
    /// ```
    pub fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.0.message(intent, now)
    }
}
