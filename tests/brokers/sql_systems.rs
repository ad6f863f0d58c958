//! The systems whose queue is a table, each asked the same.

use std::sync::Arc;
use std::time::Duration;

use airlock::{DjangoQExecutor, DjangoTasksExecutor, Executor, HueyExecutor, SecretKey};
use airlock_tests::servers::Database;

use crate::tasks::{Account, flush, note};

/// Of flushes that don't end before.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

/// Of those that do.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Huey,
    DjangoQ,
    DjangoTasks,
}

pub(crate) const SYSTEMS: [System; 3] = [System::Huey, System::DjangoQ, System::DjangoTasks];

/// Asks all of them at the same time.
pub(crate) fn each(ask: impl Fn(System) + Sync) {
    let ask = &ask;
    std::thread::scope(|scope| {
        let asked = SYSTEMS.map(|system| (system, scope.spawn(move || ask(system))));
        for (system, asked) in asked {
            assert!(asked.join().is_ok(), "see above for {system:?}");
        }
    });
}

impl System {
    pub(crate) fn executor(self, url: &str) -> Arc<dyn Executor> {
        match self {
            Self::Huey => Arc::new(HueyExecutor::new(url).expect("a URL").connect_timeout(PATIENT)),
            Self::DjangoQ => {
                let key = SecretKey::new("of the tests").expect("a key");
                Arc::new(DjangoQExecutor::new(url, key).expect("a URL").connect_timeout(PATIENT))
            }
            Self::DjangoTasks => Arc::new(DjangoTasksExecutor::new(url).expect("a URL").connect_timeout(PATIENT)),
        }
    }

    pub(crate) fn table(self, url: &str) -> &'static str {
        match self {
            Self::Huey if url.starts_with("sqlite:") => "task",
            Self::Huey => "huey_task",
            Self::DjangoQ => "django_q_ormq",
            Self::DjangoTasks => "django_tasks_database_dbtaskresult",
        }
    }

    /// How the table is made.
    pub(crate) fn remedy(self, url: &str) -> &'static str {
        match self {
            Self::Huey if url.starts_with("sqlite:") => "start a consumer with this `SqliteHuey`, which makes it",
            Self::Huey => "start a consumer with this `PostgresHuey`, which makes it",
            Self::DjangoQ => "run `manage.py migrate` of the project that has `django_q` among its apps",
            Self::DjangoTasks => {
                "run `manage.py migrate` of the project that has `django_tasks_db` 0.13 among its apps"
            }
        }
    }

    /// How many rows are in it.
    pub(crate) fn count(self, url: &str) -> u64 {
        Database::at(url).number(&format!("SELECT count(*) FROM {}", self.table(url)))
    }
}

/// Flushes so many.
pub(crate) fn notes(executor: Arc<dyn Executor>, deadline: Duration, count: u64) -> Account {
    flush(airlock::scope().executor(executor).deadline(deadline), || {
        (0..count).for_each(|number| drop(note::enqueue(number)));
    })
}

/// Nothing of it was accepted, and that is known.
#[track_caller]
pub(crate) fn nothing_left(account: &Account) {
    assert_eq!(account.count("dispatched") + account.count("unconfirmed"), 0, "{:?}", account.texts);
}

/// The table has all of it or nothing, as the account says.
#[track_caller]
pub(crate) fn agrees(account: &Account, there: u64, count: usize) {
    let (dispatched, unconfirmed) = (account.count("dispatched"), account.count("unconfirmed"));
    assert!(dispatched == 0 || dispatched == count, "{dispatched} of {count} dispatched: {:?}", account.texts);
    match (dispatched, unconfirmed) {
        (0, 0) => assert_eq!(there, 0, "{:?}", account.texts),
        (0, _) => assert!(there == 0 || there == count as u64, "{there} of {count} are there"),
        _ => assert_eq!(there, count as u64),
    }
}
