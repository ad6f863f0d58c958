//! Postgres.
//!
//! `statement_timestamp()` is compared with and `clock_timestamp()` stored: an index can be searched for the first alone.
//!
//! Rows are changed by an array of ids, and how is looked up in an object. As a join, a planner whose statistics say that
//! the table is empty, as they do while the first large transaction is open, goes through all of it. `|| ''` after a
//! state keeps the index of that from being used where that of the id is to be.

use std::sync::Arc;

use super::{EndsStatement, Statements};

/// From kind to kind of row (queue, task, priority), whatever lies between, then the first rows of each that are known
/// here. The rows are chosen before anything is changed, so that no planner can have it change more.
const CLAIM: &str = "WITH RECURSIVE heads AS (
    (SELECT queue, task, priority FROM {table} WHERE state = 'waiting' ORDER BY queue, task, priority LIMIT 1)
    UNION ALL
    SELECT next.* FROM heads h CROSS JOIN LATERAL (
        SELECT r.queue, r.task, r.priority FROM {table} r
        WHERE r.state = 'waiting' AND (r.queue, r.task, r.priority) > (h.queue, h.task, h.priority)
        ORDER BY r.queue, r.task, r.priority LIMIT 1
    ) next
), kinds AS MATERIALIZED (
    SELECT h.* FROM heads h WHERE h.task IN (SELECT json_array_elements_text($1::json))
        AND ($2::json IS NULL OR h.queue IN (SELECT json_array_elements_text($2::json)))
), candidates AS MATERIALIZED (
    SELECT row.* FROM kinds k CROSS JOIN LATERAL (
        SELECT r.id, r.priority, r.due, r.seq FROM {table} r
        WHERE r.state = 'waiting' AND r.queue = k.queue AND r.task = k.task AND r.priority = k.priority
            AND r.due <= statement_timestamp() AND r.rescues < $6::bigint
        ORDER BY r.due, r.seq LIMIT $3::bigint FOR UPDATE SKIP LOCKED
    ) row
), chosen AS MATERIALIZED (
    SELECT id FROM candidates ORDER BY priority DESC, due, seq LIMIT $3::bigint
)
{take}";

const CLAIM_ALONE: &str = "WITH chosen AS MATERIALIZED (
    SELECT r.id FROM {table} r
    WHERE r.state = 'waiting' AND r.rescues >= 2 AND r.due <= statement_timestamp()
        AND r.task IN (SELECT json_array_elements_text($1::json))
        AND ($2::json IS NULL OR r.queue IN (SELECT json_array_elements_text($2::json)))
    ORDER BY r.due, r.seq LIMIT $3::bigint FOR UPDATE SKIP LOCKED
)
{take}";

/// What both do with the rows.
const TAKE: &str = "UPDATE {table} t SET
    state = CASE WHEN t.expires <= statement_timestamp() THEN 'expired' ELSE 'running' END,
    ended = CASE WHEN t.expires <= statement_timestamp() THEN clock_timestamp() END,
    leased_until = clock_timestamp() + $4::bigint * interval '1 millisecond',
    lease = t.lease + 1, started = clock_timestamp(), worker = $5::text
WHERE t.id = ANY (ARRAY(SELECT id FROM chosen)) AND t.state || '' = 'waiting'
RETURNING concat(
    format('%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|', t.seq, t.lease, t.state, t.attempts, t.priority,
        ({due:t} * 1000000)::bigint, t.max_retries, t.timeout_ms, (({expires:t} - {now}) * 1000)::bigint,
        length(t.task), length(t.id::text), length(t.queue), length(t.options)),
    t.task, t.id, t.queue, t.options, t.arguments)";

const FIND_ALONE: &str = "SELECT 1::bigint FROM {table} r
    WHERE r.state = 'waiting' AND r.rescues >= 2 AND r.due <= statement_timestamp()
        AND r.task IN (SELECT json_array_elements_text($1::json))
        AND ($2::json IS NULL OR r.queue IN (SELECT json_array_elements_text($2::json)))
    LIMIT 1";

/// Ends by the names of their keys.
const GIVEN: &str = "WITH given AS MATERIALIZED (SELECT $1::jsonb AS ends)";
const NAMED: &str = "t.id = ANY (ARRAY(SELECT split_part(jsonb_object_keys(ends), ' ', 1)::uuid FROM given))";
const END: &str = "((SELECT ends FROM given) -> (t.id || ' ' || t.seq || ' ' || t.lease))";

/// Of a run that ended well, the end is empty.
const FINISH: &str = "{given}
UPDATE {table} t SET
    state = coalesce({end} ->> 'state', 'done'), leased_until = NULL,
    attempts = t.attempts + coalesce(({end} ->> 'counts')::integer, 1),
    due = coalesce(clock_timestamp() + ({end} ->> 'pause')::bigint * interval '1 millisecond', t.due),
    ended = CASE WHEN {end} ->> 'state' = 'waiting' THEN NULL ELSE clock_timestamp() END,
    error = CASE WHEN {end} ->> 'state' <> 'done' THEN coalesce({end} ->> 'error', t.error) END
WHERE {named} AND {end} IS NOT NULL AND t.state || '' = 'running'";

/// Which rows it has ended.
const ENDED: &str = " RETURNING t.id::text, t.seq, t.lease";

const FINISHED: &str = "{given}
SELECT t.id::text, t.seq, t.lease FROM {table} t WHERE {named} AND coalesce({end} ->> 'state', 'done') = t.state || ''
    AND {end} IS NOT NULL";

const RENEW: &str = "{given}
UPDATE {table} t SET leased_until = clock_timestamp() + $2::bigint * interval '1 millisecond'
WHERE {named} AND {end} IS NOT NULL AND t.state || '' = 'running'
RETURNING t.id::text, t.seq, t.lease";

const RESCUE: &str = "WITH lost AS MATERIALIZED (
    SELECT r.id FROM {table} r WHERE r.state = 'running' AND r.leased_until < statement_timestamp()
        AND r.id NOT IN (SELECT split_part(jsonb_object_keys($3::jsonb), ' ', 1)::uuid)
        AND r.task IN (SELECT json_array_elements_text($4::json))
        AND ($5::json IS NULL OR r.queue IN (SELECT json_array_elements_text($5::json)))
    ORDER BY r.leased_until, r.seq LIMIT $2::bigint OFFSET $6::bigint FOR UPDATE SKIP LOCKED
)
UPDATE {table} t SET
    rescues = t.rescues + 1, leased_until = NULL,
    state = CASE WHEN t.rescues >= $1::bigint THEN 'dead' ELSE 'waiting' END,
    ended = CASE WHEN t.rescues >= $1::bigint THEN clock_timestamp() END,
    error = CASE WHEN t.rescues >= $1::bigint THEN 'too many workers were lost with it' ELSE t.error END
WHERE t.id = ANY (ARRAY(SELECT id FROM lost)) AND t.state || '' = 'running'
RETURNING t.id::text, t.task, t.state";

const PRUNE: &str = "WITH old AS MATERIALIZED (
    SELECT r.id FROM {table} r WHERE r.state IN ('done', 'expired', 'cancelled')
        AND r.ended <= statement_timestamp() - $2::bigint * interval '1 millisecond'
    ORDER BY r.ended LIMIT $3::bigint FOR UPDATE SKIP LOCKED
), dead AS MATERIALIZED (
    SELECT r.id FROM {table} r WHERE $1::bigint = 1 AND r.state = 'dead'
        AND r.ended <= statement_timestamp() - $2::bigint * interval '1 millisecond'
    LIMIT $3::bigint FOR UPDATE SKIP LOCKED
)
DELETE FROM {table} t
WHERE t.id = ANY (ARRAY(SELECT id FROM old UNION ALL SELECT id FROM dead)) AND t.state IN ('done', 'expired', 'cancelled', 'dead')
RETURNING t.id::text";

const RETRY: &str = "UPDATE {table} t SET
    state = 'waiting', due = clock_timestamp(), expires = NULL, ended = NULL, attempts = 0, rescues = 0
WHERE t.id = $1::uuid AND t.state IN ('dead', 'expired', 'cancelled') RETURNING t.id::text";

const CANCEL: &str = "UPDATE {table} t SET
    state = 'cancelled', lease = t.lease + 1, leased_until = NULL, ended = clock_timestamp()
WHERE t.id = $1::uuid AND t.state IN ('waiting', 'running') RETURNING t.id::text";

const STATS: &str = "SELECT queue, state, count(*),
    (({now} - min({due}) FILTER (WHERE state = 'waiting')) * 1000)::bigint,
    (({now} - min({started}) FILTER (WHERE state = 'running')) * 1000)::bigint
FROM {table} GROUP BY queue, state ORDER BY queue, state";

const UNKNOWN: &str = "SELECT task, count(*) FROM {table}
WHERE state = 'waiting' AND task NOT IN (SELECT json_array_elements_text($1::json)) GROUP BY task ORDER BY task";

const FIND: &str = "SELECT id::text, state, task, queue, priority::bigint, attempts::bigint, rescues::bigint,
    ({due} * 1000)::bigint, ({enqueued} * 1000)::bigint, ({ended} * 1000)::bigint, location, worker, error
FROM {table}
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR queue = $2) AND ($3::text IS NULL OR task = $3)
    AND ($4::text IS NULL OR id = $4::uuid)
ORDER BY seq LIMIT $5::bigint";

const VERSION: &str = "SELECT version, oldest FROM {schema}";

/// Times as seconds since 1970, for which each column stands by its name. A time may be infinite, and no number is; it stands
/// for the year 5000, or the one as far before.
fn with_seconds(text: &str) -> String {
    let mut text = text.replace("{now}", "extract(epoch FROM statement_timestamp())");
    for (name, column) in [
        ("{due:t}", "t.due"),
        ("{expires:t}", "t.expires"),
        ("{due}", "due"),
        ("{enqueued}", "enqueued"),
        ("{ended}", "ended"),
        ("{started}", "started"),
    ] {
        text = text.replace(
            name,
            &format!(
                "CASE WHEN isfinite({column}) THEN extract(epoch FROM {column})
                WHEN {column} > 'epoch' THEN 95617584000 WHEN {column} < 'epoch' THEN -95617584000 END"
            ),
        );
    }
    text
}

pub(super) fn statements(fill: impl Fn(&str) -> Arc<str>) -> Statements {
    let with_ends = |text: &str| text.replace("{given}", GIVEN).replace("{named}", NAMED).replace("{end}", END);
    let fill = |text: &str| fill(&with_seconds(&with_ends(text)));
    let fill_take = |text: &str| fill(&text.replace("{take}", TAKE));
    Statements {
        claim: fill_take(CLAIM),
        claim_alone: fill_take(CLAIM_ALONE),
        take: None,
        find_alone: fill(FIND_ALONE),
        finish: EndsStatement { all: fill(FINISH), by_range: None },
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
