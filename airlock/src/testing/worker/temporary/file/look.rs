//! What lies in the table that has not ended.

use sqlx::SqlitePool;

use crate::registry::runnable_names;

const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// `{now}` is the time in milliseconds since 1970, `{known}` the names of this program's tasks, and `{queues}` those of the
/// worker, unless it has all of them.
const ROWS: &str = "SELECT coalesce(sum(state = 'running'), 0),
    min(CASE WHEN state = 'waiting' AND task IN {known} THEN due END) - {now}
FROM airlock_outbox WHERE state IN ('waiting', 'running') AND {queues}";

const SKIP: &str = "UPDATE airlock_outbox SET due = due - ?1, expires = expires - ?1 WHERE state = 'waiting'";

const UNKNOWN: &str = "SELECT count(*) || ' of `' || task || '`'
FROM airlock_outbox WHERE state = 'waiting' AND task NOT IN {known} AND {queues}
GROUP BY task ORDER BY task LIMIT 20";

const UNFINISHED: &str = "SELECT * FROM (
    SELECT '`' || task || '` (enqueued at ' || coalesce(location, 'an unknown place') || '), running'
    FROM airlock_outbox WHERE state = 'running' AND {queues} AND {known} IS NOT NULL ORDER BY seq LIMIT 20
) UNION ALL SELECT * FROM (
    SELECT count(*) || ' of `' || task || '`, waiting'
    FROM airlock_outbox WHERE state = 'waiting' AND {queues} GROUP BY task ORDER BY task LIMIT 20
)";

/// What a look sees.
#[derive(Debug)]
pub(super) struct UnfinishedRows {
    pub(super) running: i64,
    /// In how many milliseconds the first row is due that this program can run.
    pub(super) next_due: Option<i64>,
}

/// Looks at the rows of a worker.
pub(super) struct TableLook<'a> {
    pool: &'a SqlitePool,
    tasks: String,
    queues: Option<String>,
}

impl<'a> TableLook<'a> {
    pub(super) fn of(pool: &'a SqlitePool, queues: Option<&Vec<String>>) -> Self {
        let queues = queues.map(|queues| serde_json::to_string(queues).unwrap_or_default());
        Self { pool, tasks: runnable_names(), queues }
    }

    pub(super) async fn rows(&self) -> Result<UnfinishedRows, sqlx::Error> {
        let statement = filled(ROWS);
        let row = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(&self.tasks).bind(&self.queues);
        let (running, next_due) = row.fetch_one(self.pool).await?;
        Ok(UnfinishedRows { running, next_due })
    }

    /// Has so many milliseconds pass for all that waits.
    pub(super) async fn skip(&self, millis: i64) -> Result<(), sqlx::Error> {
        sqlx::query(SKIP).bind(millis).execute(self.pool).await.map(drop)
    }

    /// Rows of tasks that have no body here, in words.
    pub(super) async fn unknown(&self) -> Result<Vec<String>, sqlx::Error> {
        self.words(UNKNOWN).await
    }

    /// All that has not ended, in words.
    pub(super) async fn unfinished(&self) -> Result<Vec<String>, sqlx::Error> {
        self.words(UNFINISHED).await
    }

    async fn words(&self, statement: &str) -> Result<Vec<String>, sqlx::Error> {
        let words = sqlx::query_scalar(sqlx::AssertSqlSafe(filled(statement)));
        words.bind(&self.tasks).bind(&self.queues).fetch_all(self.pool).await
    }
}

fn filled(statement: &str) -> String {
    let queues = "(?2 IS NULL OR queue IN (SELECT value FROM json_each(?2)))";
    statement.replace("{now}", NOW).replace("{known}", "(SELECT value FROM json_each(?1))").replace("{queues}", queues)
}
