//! 10,000 intents into an open transaction, beside a multi-row INSERT of the same columns made from the same arguments.

use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection};

use super::{Place, median, nothing};

const ROWS: u64 = 10_000;

/// How many rows share a statement by hand: eleven values each.
const AT_ONCE: u64 = 1000;

const ROUNDS: usize = 7;

pub(super) async fn measure(place: &Place) {
    let (mut by_hand, mut by_outbox) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        by_hand.push(insert_by_hand(place, round).await);
        place.empty();
        by_outbox.push(insert(place).await);
        place.empty();
    }
    let ratio = median(by_hand.iter().zip(&by_outbox).map(|(hand, outbox)| outbox / hand).collect());
    println!(
        "{}: inserted by hand {:.0} rows/s, by `Outbox::insert` {:.0} rows/s; {ratio:.2} x, at least 0.8 x",
        place.name,
        median(by_hand),
        median(by_outbox)
    );
}

macro_rules! in_transaction {
    ($place:expr, $transaction:ident => $work:expr) => {
        if $place.is_sqlite() {
            let mut connection = sqlx::SqliteConnection::connect(&$place.url).await.expect("it can be opened");
            let mut $transaction = connection.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
            $work;
            $transaction.commit().await.expect("it is committed");
        } else {
            let mut connection = sqlx::PgConnection::connect(&$place.url).await.expect("it can be opened");
            let mut $transaction = connection.begin().await.expect("a transaction");
            $work;
            $transaction.commit().await.expect("it is committed");
        }
    };
}

async fn insert(place: &Place) -> f64 {
    let scope = airlock::scope().executor(place.outbox.clone()).open();
    scope.run(|| (0..ROWS).try_for_each(|number| nothing::enqueue(number).map(drop))).expect("there is a scope");
    let sealed = scope.seal().expect("nothing is refused");
    let start = Instant::now();
    in_transaction!(place, transaction => place.outbox.insert(&mut *transaction, sealed).await.expect("written"));
    ROWS as f64 / start.elapsed().as_secs_f64()
}

/// What a careful application would write.
async fn insert_by_hand(place: &Place, round: usize) -> f64 {
    let row = |at: u64| {
        if place.is_sqlite() {
            return "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)".to_owned();
        }
        let place = |column: u64| format!("${}", at * 11 + column + 1);
        let due = format!("clock_timestamp() + {}::bigint * interval '1 millisecond'", place(7));
        let expires = format!("clock_timestamp() + {}::bigint * interval '1 millisecond'", place(8));
        let columns = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|column| match column {
            0 => format!("{}::uuid", place(0)),
            7 => due.clone(),
            8 => expires.clone(),
            _ => place(column),
        });
        format!("({})", columns.join(", "))
    };
    let rows: Vec<_> = (0..AT_ONCE).map(row).collect();
    let statement = format!(
        "INSERT INTO airlock_outbox (id, task, queue, priority, arguments, options, location, due, expires, max_retries,
         timeout_ms) VALUES {}",
        rows.join(", ")
    );
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let due = if place.is_sqlite() { now.as_millis() as i64 } else { 0 };
    let location = "tests/benches/outbox/insert.rs:1:1";
    let start = Instant::now();
    in_transaction!(place, transaction => {
        for first in (0..ROWS).step_by(AT_ONCE as usize) {
            let mut query = sqlx::query(AssertSqlSafe(statement.clone()));
            for number in first..first + AT_ONCE {
                let id = format!("{round:08x}-0000-4000-8000-{number:012x}");
                let arguments = serde_json::to_string(&serde_json::json!({ "_number": number })).expect("JSON");
                query = query.bind(id).bind("nothing").bind("default").bind(5_i16).bind(arguments).bind(None::<String>);
                query = query.bind(location).bind(due).bind(None::<i64>).bind(None::<i64>).bind(None::<i64>);
            }
            query.execute(&mut *transaction).await.expect("they are written");
        }
    });
    ROWS as f64 / start.elapsed().as_secs_f64()
}
