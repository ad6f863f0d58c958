//! SQLite. `{now}` is the time in milliseconds since 1970: that at which a statement has the lock it waited for.
//!
//! A `+` before a column keeps the index of its own from being used where that of the id is to be. One before a parameter of
//! `LIMIT` keeps the statement from being planned anew for each value.

use std::sync::Arc;

use super::{EndsStatement, Statements};

const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// From kind to kind of row (queue, task, priority), whatever lies between, then the first rows of each that are known here.
/// Compared as a row value, the three would be looked for from the first row of the kind before, through all of its rows.
const CLAIM: &str = "WITH RECURSIVE heads(seq) AS (
    SELECT (SELECT seq FROM {table} WHERE state = 'waiting' ORDER BY queue, task, priority LIMIT 1)
    UNION ALL
    SELECT coalesce((
        SELECT r.seq FROM {table} r
        WHERE r.state = 'waiting' AND r.queue = l.queue AND r.task = l.task AND r.priority > l.priority
        ORDER BY r.priority LIMIT 1
    ), (
        SELECT r.seq FROM {table} r
        WHERE r.state = 'waiting' AND r.queue = l.queue AND r.task > l.task ORDER BY r.task, r.priority LIMIT 1
    ), (
        SELECT r.seq FROM {table} r
        WHERE r.state = 'waiting' AND r.queue > l.queue ORDER BY r.queue, r.task, r.priority LIMIT 1
    )) FROM heads h CROSS JOIN {table} l WHERE l.seq = h.seq
), kinds AS MATERIALIZED (
    SELECT l.queue, l.task, l.priority FROM heads h CROSS JOIN {table} l
    WHERE l.seq = h.seq AND l.task IN (SELECT value FROM json_each(?1))
        AND (?2 IS NULL OR l.queue IN (SELECT value FROM json_each(?2)))
)
SELECT {row} FROM {table} WHERE seq IN (
    SELECT c.seq FROM kinds k CROSS JOIN {table} c WHERE c.seq IN (
        SELECT r.seq FROM {table} r
        WHERE r.state = 'waiting' AND r.queue = k.queue AND r.task = k.task AND r.priority = k.priority
            AND r.due <= {now} AND r.rescues < ?4
        ORDER BY r.due, r.seq LIMIT +?3
    ) ORDER BY c.priority DESC, c.due, c.seq LIMIT +?3
)";

const CLAIM_ALONE: &str = "SELECT {row} FROM {table} WHERE seq IN (
    SELECT r.seq FROM {table} r
    WHERE r.state = 'waiting' AND r.rescues >= 2 AND r.due <= {now} AND r.task IN (SELECT value FROM json_each(?1))
        AND (?2 IS NULL OR r.queue IN (SELECT value FROM json_each(?2)))
    ORDER BY r.due, r.seq LIMIT +?3
)";

/// A row as it is once it is taken. One text: each column costs the client more than that.
const ROW: &str = "format('%d|%d|%s|%d|%d|%d|%s|%s|%s|%d|%d|%d|%s|', seq, lease + 1,
        CASE WHEN expires <= {now} THEN 'expired' ELSE 'running' END, attempts, priority, due,
        CASE WHEN typeof(max_retries) IN ('integer', 'real') THEN CAST(max_retries AS INTEGER) END,
        CASE WHEN typeof(timeout_ms) IN ('integer', 'real') THEN CAST(timeout_ms AS INTEGER) END,
        CAST(expires - {now} AS INTEGER), length(task), length(id), length(queue), length(options))
    || task || id || queue || coalesce(options, '') || arguments";

/// Rows that were chosen in the same transaction.
const TAKE: &str = "WITH {ends}
UPDATE {table} AS t SET
    state = e.state, ended = CASE e.state WHEN 'expired' THEN {now} END,
    leased_until = {now} + {lease}, lease = t.lease + 1, started = {now}, worker = {worker}
FROM ends e WHERE t.seq BETWEEN e.seq AND e.last AND +t.state = 'waiting'";

const FIND_ALONE: &str = "SELECT 1 FROM {table} r
    WHERE r.state = 'waiting' AND r.rescues >= 2 AND r.due <= {now} AND r.task IN (SELECT value FROM json_each(?1))
        AND (?2 IS NULL OR r.queue IN (SELECT value FROM json_each(?2)))
    LIMIT 1";

/// Most ends say a lease and no more, which saves most of the work with JSON: that of a run that ended well.
const ENDS: &str = "ends AS MATERIALIZED (
    SELECT CAST(key AS INTEGER) AS seq,
        CASE type WHEN 'object' THEN value ->> 'last' ELSE CAST(key AS INTEGER) END AS last,
        CASE type WHEN 'object' THEN value ->> 'lease' ELSE value END AS lease,
        CASE type WHEN 'object' THEN value ->> 'state' ELSE 'done' END AS state,
        CASE type WHEN 'object' THEN value ->> 'counts' ELSE 1 END AS counts,
        CASE type WHEN 'object' THEN value ->> 'pause' END AS pause,
        CASE type WHEN 'object' THEN value ->> 'error' END AS error
    FROM json_each(?1)
)";

const FINISH: &str = "WITH {ends}
UPDATE {table} AS t SET
    state = e.state, leased_until = NULL, attempts = t.attempts + e.counts, due = coalesce({now} + e.pause, t.due),
    ended = CASE WHEN e.state <> 'waiting' THEN {now} END,
    error = coalesce(e.error, CASE WHEN e.state <> 'done' THEN t.error END)
FROM ends e WHERE t.seq BETWEEN e.seq AND e.last AND +t.state = 'running' AND t.lease = e.lease";

/// Which rows it has ended.
const ENDED: &str = " RETURNING id, seq, lease";

const FINISHED: &str = "WITH {ends}
SELECT t.id, t.seq, t.lease FROM ends e CROSS JOIN {table} t
WHERE t.seq BETWEEN e.seq AND e.last AND +t.state = e.state AND t.lease = e.lease";

const RENEW: &str = "WITH held AS MATERIALIZED (
    SELECT CAST(key AS INTEGER) AS seq, value AS lease FROM json_each(?1)
)
UPDATE {table} AS t SET leased_until = {now} + ?2
FROM held h WHERE t.seq = h.seq AND +t.state = 'running' AND t.lease = h.lease
RETURNING id, seq, lease";

const RESCUE: &str = "WITH lost AS MATERIALIZED (
    SELECT r.seq, r.lease FROM {table} r WHERE r.state = 'running' AND r.leased_until < {now}
        AND r.seq NOT IN (SELECT CAST(key AS INTEGER) FROM json_each(?3))
        AND r.task IN (SELECT value FROM json_each(?4))
        AND (?5 IS NULL OR r.queue IN (SELECT value FROM json_each(?5)))
    ORDER BY r.leased_until, r.seq LIMIT +?2 OFFSET ?6
)
UPDATE {table} AS t SET
    rescues = t.rescues + 1, leased_until = NULL,
    state = CASE WHEN t.rescues >= ?1 THEN 'dead' ELSE 'waiting' END,
    ended = CASE WHEN t.rescues >= ?1 THEN {now} END,
    error = CASE WHEN t.rescues >= ?1 THEN 'too many workers were lost with it' ELSE t.error END
FROM lost WHERE t.seq = lost.seq AND +t.state = 'running' AND t.lease = lost.lease
RETURNING id, task, state";

/// That the row isn't dead says which index it is.
const PRUNE: &str = "DELETE FROM {table} WHERE seq IN (
    SELECT seq FROM (
        SELECT seq FROM {table}
        WHERE state IN ('done', 'expired', 'cancelled') AND state <> 'dead' AND ended <= {now} - ?2
        ORDER BY ended LIMIT +?3
    )
    UNION ALL
    SELECT seq FROM {table} WHERE ?1 = 1 AND state = 'dead' AND ended <= {now} - ?2
    LIMIT +?3
) RETURNING id";

const RETRY: &str = "UPDATE {table} SET
    state = 'waiting', due = {now}, expires = NULL, ended = NULL, attempts = 0, rescues = 0
WHERE id = ?1 AND +state IN ('dead', 'expired', 'cancelled') RETURNING id";

const CANCEL: &str = "UPDATE {table} SET
    state = 'cancelled', lease = lease + 1, leased_until = NULL, ended = {now}
WHERE id = ?1 AND +state IN ('waiting', 'running') RETURNING id";

const STATS: &str = "SELECT queue, state, count(*),
    max(CASE WHEN state = 'waiting' THEN {now} - due END), max(CASE WHEN state = 'running' THEN {now} - started END)
FROM {table} GROUP BY queue, state ORDER BY queue, state";

const UNKNOWN: &str = "SELECT task, count(*) FROM {table}
WHERE state = 'waiting' AND task NOT IN (SELECT value FROM json_each(?1)) GROUP BY task ORDER BY task";

const FIND: &str =
    "SELECT id, state, task, queue, priority, attempts, rescues, due, enqueued, ended, location, worker, error
FROM {table}
WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR queue = ?2) AND (?3 IS NULL OR task = ?3)
    AND (?4 IS NULL OR id = ?4)
ORDER BY seq LIMIT +?5";

const VERSION: &str = "SELECT version, oldest FROM {schema}";

pub(super) fn statements(fill: impl Fn(&str) -> Arc<str>) -> Statements {
    let fill = |text: &str| fill(&text.replace("{ends}", ENDS).replace("{row}", ROW).replace("{now}", NOW));
    Statements {
        claim: fill(CLAIM),
        claim_alone: fill(CLAIM_ALONE),
        take: Some(EndsStatement {
            all: fill(&TAKE.replace("{lease}", "?2").replace("{worker}", "?3")),
            by_range: Some(fill(&by_range(TAKE).replace("{lease}", "?8").replace("{worker}", "?9"))),
        }),
        find_alone: fill(FIND_ALONE),
        finish: EndsStatement { all: fill(FINISH), by_range: Some(fill(&by_range(FINISH))) },
        finish_known: fill(&[FINISH, ENDED].concat()),
        finished: fill(FINISHED),
        renew: fill(RENEW),
        rescue: fill(RESCUE),
        prune: fill(PRUNE),
        retry: fill(RETRY),
        cancel: fill(CANCEL),
        stats: fill(STATS),
        unknown: fill(UNKNOWN),
        find: fill(FIND),
        version: fill(VERSION),
    }
}

/// The same for rows that follow one another and end alike, without a join, which costs more than the change.
fn by_range(statement: &str) -> String {
    let columns = ["e.seq", "e.last", "e.lease", "e.state", "e.counts", "e.pause", "e.error"];
    let statement = statement.replace("WITH {ends}\n", "").replace("FROM ends e ", "");
    columns.iter().zip(1..).fold(statement, |text, (column, at)| text.replace(column, &format!("?{at}")))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

    use super::*;
    use crate::outbox::schema;

    /// A connection to a table of a million rows, and what the planner is told of them.
    async fn a_million_rows() -> SqliteConnection {
        let mut connection =
            SqliteConnection::connect("sqlite::memory:").await.unwrap_or_else(|error| panic!("{error}"));
        let migration = AssertSqlSafe(schema::migrations(crate::brokers::Transport::Sqlite, None).concat());
        sqlx::raw_sql(migration).execute(&mut connection).await.unwrap_or_else(|error| panic!("{error}"));
        let filled = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000)
            INSERT INTO airlock_outbox (id, task, queue, priority, state, due, leased_until, ended, arguments)
            SELECT n, 'task ' || (n % 50), 'queue ' || (n % 3), n % 4,
                CASE n % 5 WHEN 0 THEN 'done' WHEN 1 THEN 'dead' WHEN 2 THEN 'running' ELSE 'waiting' END,
                n, n, CASE WHEN n % 5 < 2 THEN n END, '[]' FROM n; ANALYZE";
        sqlx::raw_sql(filled).execute(&mut connection).await.unwrap_or_else(|error| panic!("{error}"));
        connection
    }

    fn of_the_table() -> Statements {
        statements(|text| text.replace("{table}", "airlock_outbox").replace("{schema}", "airlock_outbox_schema").into())
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("{error}")).block_on(test);
    }

    #[test]
    fn a_claim_goes_from_kind_to_kind_past_the_rows_of_each() {
        run(async {
            let mut connection = a_million_rows().await;
            let steps = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&steps);
            let count = move || counted.fetch_add(1, Ordering::Relaxed) < u64::MAX;
            let mut handle = connection.lock_handle().await.unwrap_or_else(|error| panic!("{error}"));
            handle.set_progress_handler(1, count);
            drop(handle);
            let claim = sqlx::query(AssertSqlSafe(of_the_table().claim))
                .bind("[\"task 3\", \"task 4\"]")
                .bind(None::<&str>)
                .bind(10)
                .bind(2);
            let rows = claim.fetch_all(&mut connection).await.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(rows.len(), 10);
            // 120 kinds of 3,333 rows each, two priorities for each task in each queue.
            let steps = steps.load(Ordering::Relaxed);
            assert!(steps < 50_000, "{steps} steps of SQLite's machine");
        });
    }

    /// What SQLite does for a statement.
    async fn plan(connection: &mut SqliteConnection, statement: &str) -> String {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let rows =
            sqlx::query(explain).fetch_all(connection).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
        rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
    }

    #[test]
    fn workers_read_no_table_of_a_million_rows_as_a_whole() {
        run(async {
            let mut connection = a_million_rows().await;
            let of = of_the_table();
            // Dead rows are looked for where people ask for it alone.
            let (done, _) = of.prune.split_once("    UNION ALL").unwrap_or_default();
            let workers_prune = format!("{done}) RETURNING id");
            let take = of.take.unwrap_or_else(|| panic!("it chooses first"));
            let asked = [
                take.all,
                take.by_range.unwrap_or_default(),
                of.finish.by_range.unwrap_or_default(),
                of.claim,
                of.claim_alone,
                of.find_alone,
                of.finish_known,
                of.finished,
                of.renew,
                of.rescue,
                workers_prune.into(),
                of.retry,
                of.cancel,
            ];
            for statement in asked {
                let plan = plan(&mut connection, &statement).await;
                let is_whole = |line: &str| {
                    let mut words = line.split(' ');
                    words.next() == Some("SCAN")
                        && ["airlock_outbox", "r", "t", "c", "l"].contains(&words.next().unwrap_or_default())
                        && !line.contains("USING")
                };
                assert!(!plan.lines().any(is_whole), "{statement}\n{plan}");
            }
        });
    }
}
