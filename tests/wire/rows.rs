//! Rows beside those that the real libraries insert for the same call, column by column.

use airlock::{BrokerMessage, Rejection, SqlMessage};
use airlock_tests::servers::DjangoDatabase;

use crate::golden::File;

pub(crate) fn row(message: Result<BrokerMessage, Rejection>) -> SqlMessage {
    match message.unwrap() {
        BrokerMessage::Sql(row) => row,
        other => panic!("{other:?}"),
    }
}

/// Inserts it with the statement that goes with it, and compares every column, as the database itself writes it, with what
/// the library wrote; `is_alike` says of texts that differ whether they mean the same.
#[track_caller]
pub(crate) fn compare(
    database: &DjangoDatabase,
    row: &SqlMessage,
    file: &File,
    is_alike: impl Fn(&str, &str, &str) -> bool,
) {
    let on_sqlite = database.url().starts_with("sqlite:");
    let mut open = database.open();
    if !on_sqlite {
        open.run("SET TIME ZONE 'UTC'");
    }
    open.insert(row);
    let table = row.table();
    for (column, theirs) in file.columns.iter().filter(|(column, _)| !file.is_volatile(column)) {
        let text = format!("CAST(\"{column}\" AS text)");
        let text = match on_sqlite {
            true => {
                format!("CASE typeof(\"{column}\") WHEN 'blob' THEN '\\x' || lower(hex(\"{column}\")) ELSE {text} END")
            }
            false => text,
        };
        let ours = open.rows(&format!("SELECT {text} FROM {table}")).remove(0).remove(0);
        let is_same = match (&ours, theirs) {
            (Some(ours), Some(theirs)) => ours == theirs || is_alike(column, ours, theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        assert!(is_same, "`{column}`, {}:\n ours {ours:?}\ntheirs {theirs:?}", file.lib);
    }
    let all = open.rows(&format!("SELECT * FROM {table}")).remove(0).len();
    assert_eq!(all, file.columns.len(), "{:?}", file.columns.keys());
    open.run(&format!("DELETE FROM {table}"));
}
