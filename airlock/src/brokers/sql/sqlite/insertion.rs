//! Rows as statements of SQLite.

use std::vec;

use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use crate::brokers::row::{SqlMessage, SqlTable, SqlValue, insert_into, on_conflict};

/// How many rows share a statement: with more, there is little left to gain. SQLite takes 32,766 values.
const ROWS: usize = 512;

/// A statement with its values.
pub(super) struct Insertion {
    pub(super) statement: String,
    pub(super) arguments: SqliteArguments,
    /// Whether it is to be kept ready: only statements of the sizes that parts have come again. The client keeps a hundred.
    pub(super) again: bool,
}

/// That of the next rows, if there are any.
pub(super) fn insertion(rows: &mut vec::IntoIter<SqlMessage>) -> Option<Result<Insertion, sqlx::error::BoxDynError>> {
    let count = rows.len().min(ROWS);
    let (first, others) = rows.as_slice().get(..count)?.split_first()?;
    let shared = shared(first, others);
    let (statement, again) = (insert_many(first.table, &shared, count), count.is_power_of_two());
    let mut arguments = SqliteArguments::default();
    arguments.reserve(count * first.values.len(), 0);
    let once = first.values.iter().zip(&shared).filter(|(_, is_shared)| **is_shared).map(|(value, _)| value.clone());
    let mut added = once.into_iter().try_for_each(|value| add(&mut arguments, value));
    for row in rows.take(count) {
        let own = row.values.into_iter().zip(&shared).filter(|(_, is_shared)| !**is_shared);
        for (value, _) in own {
            added = added.and_then(|()| add(&mut arguments, value));
        }
    }
    Some(added.map(|()| Insertion { statement, arguments, again }))
}

/// Which columns have the same value in all rows, as the queue's mostly has: it is given once. Never all of them.
fn shared(first: &SqlMessage, others: &[SqlMessage]) -> Vec<bool> {
    let is_shared = |(at, value)| !others.is_empty() && others.iter().all(|row| row.values.get(at) == Some(value));
    let shared: Vec<_> = first.values.iter().enumerate().map(is_shared).collect();
    if shared.iter().all(|is_shared| *is_shared) { vec![false; shared.len()] } else { shared }
}

/// Moves the value to the client: copies would take as long as all the rest.
pub(super) fn add(arguments: &mut SqliteArguments, value: SqlValue) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        SqlValue::Int(number) => arguments.add(number),
        SqlValue::Text(text) => arguments.add(text),
        SqlValue::Bytes(bytes) => arguments.add(bytes),
        SqlValue::Null => arguments.add(None::<i64>),
    }
}

/// The insertion of so many rows: first the places of values that they share, then those of each. They have no names, as
/// the client looks each of those up.
fn insert_many(table: &SqlTable, shared: &[bool], rows: usize) -> String {
    let mut own = 0;
    let columns = shared.iter().map(|is_shared| {
        if *is_shared {
            return "?".to_owned();
        }
        own += 1;
        format!("column{own}")
    });
    let literals = table.constants.iter().map(|(_, literal)| (*literal).to_owned());
    let columns: Vec<_> = columns.chain(literals).collect();
    let row = format!("({})", vec!["?"; own].join(", "));
    let statement = format!("{} SELECT {} FROM (VALUES ", insert_into(table), columns.join(", "));
    let mut statement = statement + &vec![row.as_str(); rows].join(", ");
    statement.push(')');
    let end = on_conflict(table);
    if !end.is_empty() {
        statement.push_str(" WHERE true");
        statement.push_str(&end);
    }
    statement
}
