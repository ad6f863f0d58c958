//! A broker, an executor for it, and a worker, for each combination.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::{
    BrokerMessage, CeleryExecutor, DjangoQExecutor, DjangoTasksExecutor, DramatiqExecutor, EnqueueError, Executor,
    FlushError, HueyExecutor, Intent, IntentId, Rejection, SecretKey,
};
use airlock_tests::exact::Exact;
use airlock_tests::python::{Run, Worker, huey2, python};
use airlock_tests::servers::{DjangoDatabase, RabbitServer, RedisServer};

/// Which library's worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Celery,
    DjangoTasks,
    Dramatiq,
    Huey,
    /// With a `RedisExpireHuey`.
    HueyExpire,
    /// With a `PriorityRedisHuey`.
    HueyPriority,
    /// With a `PriorityRedisExpireHuey`.
    HueyPriorityExpire,
    /// Signed, and compressed with gzip.
    HueySigned,
    /// Compressed with gzip.
    HueyGzip,
    /// Compressed with zlib.
    HueyZlib,
    /// Of Huey 2.
    Huey2,
    DjangoQ,
    /// Compressed.
    DjangoQCompressed,
}

/// What signs messages, here and there.
pub(crate) const SECRET: &str = "tests-secret-ünï";

pub(crate) fn secret() -> SecretKey {
    SecretKey::new(SECRET).unwrap()
}

/// A running broker.
pub(crate) enum Server {
    Redis(RedisServer),
    /// Shared by the tests, which use queues of their own.
    Rabbit(Arc<RabbitServer>),
    /// With the tables of a Django project.
    Database(DjangoDatabase),
}

impl Server {
    pub(crate) fn redis() -> Self {
        // Workers write several times for each message; what survives a crash is not the question here.
        Self::Redis(RedisServer::start_with(&["--appendfsync", "no"]))
    }

    pub(crate) fn rabbit() -> Self {
        Self::Rabbit(RabbitServer::shared())
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Redis(server) => server.url(),
            Self::Rabbit(server) => server.url(),
            Self::Database(database) => database.url().to_owned(),
        }
    }

    pub(crate) fn sqlite() -> Self {
        Self::Database(DjangoDatabase::sqlite())
    }

    pub(crate) fn postgres() -> Self {
        Self::Database(DjangoDatabase::postgres())
    }

    pub(crate) fn django_tasks(&self) -> DjangoTasksExecutor {
        DjangoTasksExecutor::new(self.url()).unwrap()
    }

    /// Whether arguments are kept as `jsonb`, which has no NUL and no notation of numbers.
    pub(crate) fn keeps_jsonb(&self, system: System) -> bool {
        system == System::DjangoTasks && self.url().starts_with("postgres:")
    }

    /// The worker's record is the list sent. Postgres keeps numbers as numbers, and objects without an order: what it
    /// makes of the arguments is what it is asked to make of them here.
    #[track_caller]
    pub(crate) fn assert_ran(&self, system: System, runs: &[Run], sent: &[Intent]) {
        let runs = self.in_order(system, runs, sent);
        match self {
            Self::Database(database) if self.keeps_jsonb(system) => {
                let mut database = database.open();
                let kept = |json: &str| database.column(&format!("SELECT ($json${json}$json$::jsonb)::text")).remove(0);
                assert_ran_as(runs, sent, kept);
            }
            _ => assert_ran(runs, sent),
        }
    }

    /// The runs in the order of what was sent, where a cluster takes rows in no order of its own: as they lie in the
    /// table, and Postgres puts a small one where there is room between larger ones.
    pub(crate) fn in_order<'r>(&self, system: System, runs: &'r [Run], sent: &[Intent]) -> Vec<&'r Run> {
        let mut runs: Vec<&Run> = runs.iter().collect();
        if system == System::DjangoQ && self.url().starts_with("postgres:") {
            let places: HashMap<String, usize> = sent.iter().map(|intent| intent.id().to_string()).zip(0..).collect();
            runs.sort_by_key(|run| places.get(&run.id));
        }
        runs
    }

    pub(crate) fn celery(&self) -> CeleryExecutor {
        CeleryExecutor::new(self.url()).unwrap().declare()
    }

    pub(crate) fn dramatiq(&self) -> DramatiqExecutor {
        DramatiqExecutor::new(self.url()).unwrap().declare()
    }

    pub(crate) fn huey(&self) -> HueyExecutor {
        HueyExecutor::new(self.url()).unwrap().consumer(3)
    }

    pub(crate) fn django_q(&self) -> DjangoQExecutor {
        DjangoQExecutor::new(self.url(), secret()).unwrap()
    }

    /// What would be sent, or why it isn't.
    pub(crate) fn message(&self, system: System, intent: &Intent) -> Result<BrokerMessage, Rejection> {
        let now = SystemTime::now();
        match system {
            System::Celery => self.celery().message(intent, now),
            System::DjangoTasks => self.django_tasks().message(intent, now),
            System::DjangoQ | System::DjangoQCompressed => self.django_q().message(intent, now),
            System::Dramatiq => self.dramatiq().message(intent, now),
            _ => self.huey_for(system).0.message(intent, now),
        }
    }

    /// An executor for the queue and a worker that reads it.
    pub(crate) fn staffed(&self, system: System, queue: &'static str) -> (Arc<dyn Executor>, Worker) {
        match system {
            System::Celery => {
                (Arc::new(self.celery().default_queue(queue)), Worker::celery(&self.url(), queue, &[], &[]))
            }
            System::DjangoTasks => {
                (Arc::new(self.django_tasks().default_queue(queue)), Worker::django_tasks(&self.url(), queue, &[]))
            }
            System::Dramatiq => {
                (Arc::new(self.dramatiq().default_queue(queue)), Worker::dramatiq(&self.url(), &[queue], &[], &[]))
            }
            System::DjangoQ | System::DjangoQCompressed => {
                let executor = self.django_q().cluster(queue);
                let executor = if system == System::DjangoQ { executor } else { executor.compressed() };
                (Arc::new(executor), Worker::django_q(&self.url(), queue, &[("SECRET_KEY", SECRET)]))
            }
            _ => {
                let (executor, of, config) = self.huey_for(system);
                let worker = Worker::huey(of, &self.url(), queue, &[("CONFIG", &config)], &[]);
                (Arc::new(executor.default_queue(queue)), worker)
            }
        }
    }
}

impl Server {
    /// What the class of the consumers takes for this broker.
    pub(crate) fn huey_storage(&self) -> String {
        let url = self.url();
        match url.split_once("://") {
            Some(("sqlite", file)) => serde_json::json!({"storage": "SqliteHuey", "filename": file}).to_string(),
            Some(("postgres", _)) => serde_json::json!({"storage": "PostgresHuey", "dsn": url}).to_string(),
            _ => "{}".to_owned(),
        }
    }

    /// An executor for one of the systems that are Huey, the Python of its consumers, and what their class takes.
    fn huey_for(&self, system: System) -> (HueyExecutor, PathBuf, String) {
        let class = |name: &str| serde_json::json!({ "storage": name }).to_string();
        let serializer = |arguments: serde_json::Value| serde_json::json!({ "serializer": arguments }).to_string();
        let huey = self.huey();
        let (executor, config) = match system {
            System::HueyExpire => (huey, class("RedisExpireHuey")),
            System::HueyPriority => (huey.priorities(), class("PriorityRedisHuey")),
            System::HueyPriorityExpire => (huey.priorities(), class("PriorityRedisExpireHuey")),
            System::HueySigned => (
                huey.signed(secret()).compressed(),
                serializer(serde_json::json!({ "secret": SECRET, "compression": true })),
            ),
            System::HueyGzip => (huey.compressed(), serializer(serde_json::json!({ "compression": true }))),
            System::HueyZlib => {
                (huey.use_zlib(), serializer(serde_json::json!({ "compression": true, "use_zlib": true })))
            }
            System::Huey2 => return (huey.consumer(2), huey2(), self.huey_storage()),
            _ => (huey, self.huey_storage()),
        };
        (executor, python(), config)
    }
}

/// A call that enqueues.
pub(crate) type Call = Box<dyn FnOnce() -> Result<IntentId, EnqueueError>>;

/// Calls with options, or none.
pub(crate) fn call(enqueue: impl FnOnce() -> Result<IntentId, EnqueueError> + 'static) -> Call {
    Box::new(enqueue)
}

/// Writes three notes into a transaction of the database, which commits; gives what was sent.
#[macro_export]
macro_rules! insert_notes {
    ($executor:expr, $server:expr) => {{
        let (executor, url) = ($executor, $server.url());
        let scope = airlock::scope().executor(executor.clone()).enter();
        for number in 1..=3 {
            $crate::tasks::note::enqueue(number).unwrap();
        }
        let sent = airlock::Scope::current().unwrap().intents();
        let sealed = scope.seal().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            use sqlx::Connection;
            macro_rules! in_transaction {
                ($connection:ty) => {{
                    let mut connection = <$connection>::connect(&url).await.unwrap();
                    let mut transaction = connection.begin().await.unwrap();
                    executor.insert(&mut *transaction, sealed).await.unwrap();
                    transaction.commit().await.unwrap();
                }};
            }
            if url.starts_with("sqlite:") {
                in_transaction!(sqlx::SqliteConnection);
            } else {
                in_transaction!(sqlx::PgConnection);
            }
        });
        sent
    }};
}

/// Flushes intents.
#[track_caller]
pub(crate) fn flush_all(executor: impl Executor, intents: &[Intent]) {
    let push = |intent: Intent| call(move || airlock::Scope::current().unwrap().push(intent));
    flush(executor, intents.iter().cloned().map(push));
}

/// Flushes what the calls enqueue, and gives it.
#[track_caller]
pub(crate) fn flush(executor: impl Executor, calls: impl IntoIterator<Item = Call>) -> Vec<Intent> {
    let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(60));
    let mut sent = Vec::new();
    let flushed = scope.run(|| {
        calls.into_iter().try_for_each(|call| call().map(drop))?;
        sent = airlock::Scope::current().unwrap().intents();
        Ok::<(), airlock::Error>(())
    });
    if let Err(error) = flushed {
        panic!("{error} {:?}", FlushError::find(&error).map(|flush| flush.failed()));
    }
    sent
}

/// The worker's record is the list sent: ids and arguments, in order.
#[track_caller]
pub(crate) fn assert_ran<'r>(runs: impl IntoIterator<Item = &'r Run>, sent: &[Intent]) {
    assert_ran_as(runs, sent, str::to_owned);
}

/// The same, of arguments that a broker keeps in another form.
#[track_caller]
pub(crate) fn assert_ran_as<'r>(
    runs: impl IntoIterator<Item = &'r Run>,
    sent: &[Intent],
    mut kept: impl FnMut(&str) -> String,
) {
    let runs: Vec<&Run> = runs.into_iter().collect();
    assert_eq!(runs.len(), sent.len(), "{} were sent", sent.len());
    for (run, intent) in runs.into_iter().zip(sent) {
        assert_eq!(run.task, intent.name());
        assert_eq!(run.id, intent.id().to_string(), "{}", intent.name());
        let (given, other) =
            if intent.task().positional { (&run.args, ("{}", &run.kwargs)) } else { (&run.kwargs, ("[]", &run.args)) };
        let json = kept(intent.to_json().unwrap().get());
        assert!(Exact::of(given.get()) == Exact::of(&json), "{} got {given}", cut(&json), given = cut(given.get()));
        assert_eq!(other.0, other.1.get());
    }
}

/// The numbers that `tests.note` was run with.
pub(crate) fn numbers(runs: &[Run]) -> Vec<u64> {
    #[derive(serde::Deserialize)]
    struct Note {
        number: u64,
    }
    runs.iter().map(|run| serde_json::from_str::<Note>(run.kwargs.get()).unwrap().number).collect()
}

/// A second, and what a worker takes to look again.
const LATE: Duration = Duration::from_secs(3);

/// It ran when it was due: never early, and not much later.
#[track_caller]
pub(crate) fn assert_on_time(run: &Run, due: SystemTime) {
    let due = due.duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let late = run.time - due;
    assert!((0.0..LATE.as_secs_f64()).contains(&late), "{late} s late");
}

fn cut(json: &str) -> String {
    json.chars().take(400).collect()
}
