//! All SQL that reads and changes rows, a file a database: the same names, the same columns, and the same
//! parameters but for those of a claim.

mod postgres;
mod sqlite;

use std::sync::Arc;

use crate::brokers::{SqlTable, Transport};

/// The statements of one table. Times are the database's own.
#[derive(Debug)]
pub(crate) struct Statements {
    /// Tasks and queues (JSON, or nothing for all queues), how many; where there is no `take`, lease in milliseconds and the
    /// worker; how many workers a row must have lost not to be taken. Gives each row as one text, which
    /// [`ChosenRow`](super::claimed::ChosenRow) reads.
    pub(super) claim: Arc<str>,
    /// The same without the last, of a row that has lost two workers or more.
    pub(super) claim_alone: Arc<str>,
    /// What those have only chosen, as ends; lease in milliseconds, the worker. None if they have taken it.
    pub(super) take: Option<EndsStatement>,
    /// Whether there is one: tasks, queues.
    pub(super) find_alone: Arc<str>,
    /// Ends (JSON, as [`ends_json`](super::keys::ends_json) writes them).
    pub(super) finish: EndsStatement,
    /// The same as JSON. Gives id, seq and lease of the rows that ended so.
    pub(super) finish_known: Arc<str>,
    /// Ends (JSON). Gives id, seq and lease of the rows that have ended so before.
    pub(super) finished: Arc<str>,
    /// Keys (JSON, as [`keys_json`](super::keys::keys_json) writes them), lease in milliseconds. Gives id, seq and lease of
    /// the rows whose lease holds.
    pub(super) renew: Arc<str>,
    /// The most rescues of a row, how many at most, keys (JSON) of those that are no others', tasks, queues, how many of the first are left
    /// out. Gives id, task and state.
    pub(super) rescue: Arc<str>,
    /// Whether dead ones too (0 or 1), age in milliseconds, how many at most. Gives the ids.
    pub(super) prune: Arc<str>,
    /// Id. Gives the id.
    pub(super) retry: Arc<str>,
    /// Id. Gives the id.
    pub(super) cancel: Arc<str>,
    /// Gives queue, state, count, oldest due age and longest run in milliseconds.
    pub(super) stats: Arc<str>,
    /// Tasks (JSON). Gives the other tasks that have rows waiting, and how many.
    pub(super) unknown: Arc<str>,
    /// State, queue, task, id (each of them may be nothing), how many.
    pub(super) find: Arc<str>,
    /// Gives version and oldest of the schema.
    pub(super) version: Arc<str>,
}

/// What changes the rows of ends.
#[derive(Debug, Clone)]
pub(crate) struct EndsStatement {
    /// For all of them, as JSON in the place of the first parameter.
    pub(super) all: Arc<str>,
    /// For rows that follow one another and end alike, with the values of [`EndRange`](super::keys::EndRange) in that place;
    /// if a few such statements are cheaper.
    pub(super) by_range: Option<Arc<str>>,
}

impl Statements {
    pub(super) fn of(transport: Transport, table: &SqlTable) -> Self {
        let place = table.place();
        let schema = SqlTable { name: "airlock_outbox_schema", ..*table }.place();
        let fill = |text: &str| -> Arc<str> { text.replace("{table}", &place).replace("{schema}", &schema).into() };
        match transport {
            Transport::Postgres => postgres::statements(fill),
            _ => sqlite::statements(fill),
        }
    }
}
