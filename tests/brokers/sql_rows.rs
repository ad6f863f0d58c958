//! Rows that share what they can, in the statements that they share.

use airlock::{Executor, Options};
use airlock_tests::servers::DjangoDatabase;

use crate::sql_systems::{PATIENT, SYSTEMS, System};
use crate::tasks::{flush, note};

/// Flushes a note to each of the queues, and looks that each row has its own, in order.
fn each_in_its_own(system: System, url: &str, queues: &[&'static str]) {
    let executor: std::sync::Arc<dyn Executor> = system.executor(url);
    let account = flush(airlock::scope().executor(executor).deadline(PATIENT), || {
        for (number, queue) in queues.iter().enumerate() {
            note::enqueue_with(Options::new().queue(*queue), number as u64).expect("there is a scope");
        }
    });
    account.expect(&[("dispatched", queues.len())]);
    let (column, payload, order) = match system {
        System::Huey => ("queue", "data", "id"),
        System::DjangoQ => ("key", "payload", "id"),
        System::DjangoTasks => ("queue_name", "args_kwargs", "enqueued_at"),
    };
    let table = system.table(url);
    let mut open = airlock_tests::servers::Database::at(url);
    let there = open.column(&format!("SELECT {column} FROM {table} ORDER BY {order}"));
    assert_eq!(there, queues, "{system:?}");
    let its_own = open.number(&format!("SELECT count(DISTINCT {payload}) FROM {table}"));
    assert_eq!(its_own, queues.len() as u64, "{system:?}");
    open.run(&format!("DELETE FROM {table}"));
}

fn in_any_mixture(url: &str) {
    let mixtures: [&[usize]; 6] = [&[1], &[2], &[1, 1], &[3000], &[700, 1, 1500], &[1; 40]];
    for system in SYSTEMS {
        for runs in mixtures {
            let runs = runs.iter().enumerate();
            let queues: Vec<_> = runs.flat_map(|(at, run)| vec![["one", "other"][at % 2]; *run]).collect();
            each_in_its_own(system, url, &queues);
        }
    }
}

#[test]
fn each_row_of_sqlite_has_its_own_values_in_order_however_many_share_theirs() {
    in_any_mixture(DjangoDatabase::sqlite().url());
}

#[test]
fn each_row_of_postgres_has_its_own_values_in_order_however_many_share_theirs() {
    in_any_mixture(DjangoDatabase::postgres().url());
}
