//! By what statements name a row, and how its run ended.

use std::sync::Arc;
use std::time::Duration;

use crate::brokers::SqlMessage;
use crate::outbox::state::OutboxState;

/// A row as the one who claimed it knows it: what touches the row says both, so that a claim which was lost can record
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RowKey {
    pub(crate) id: Arc<str>,
    /// Another row with the id, inserted after this one was pruned, has another.
    pub(crate) seq: i64,
    /// Each claim raises it.
    pub(crate) lease: i64,
}

/// How a claim ends.
#[derive(Debug, Clone)]
pub(crate) struct RowEnd {
    pub(crate) key: RowKey,
    pub(crate) state: OutboxState,
    /// How long it waits for its next run; unless that is said, it waits as it did before.
    pub(crate) pause: Option<Duration>,
    /// Whether it counts as an attempt.
    pub(crate) counts: bool,
    pub(crate) error: Option<String>,
    /// What its task left, written if and only if the row ends so.
    pub(crate) follow_ups: Vec<SqlMessage>,
}

impl RowEnd {
    pub(crate) fn new(key: RowKey, state: OutboxState) -> Self {
        Self { key, state, pause: None, counts: true, error: None, follow_ups: Vec::new() }
    }

    /// A row that did not run is handed back.
    pub(crate) fn released(key: RowKey) -> Self {
        Self { counts: false, ..Self::new(key, OutboxState::Waiting) }
    }
}

/// The keys as a statement reads them.
pub(super) fn keys_json(keys: &[RowKey]) -> String {
    let mut json = String::from("[");
    for key in keys {
        separate(&mut json);
        push_key(&mut json, key);
        json.push('}');
    }
    json.push(']');
    json
}

/// The ends as a statement reads them.
pub(super) fn ends_json<'a>(ends: impl Iterator<Item = &'a RowEnd>) -> String {
    let mut json = String::from("[");
    for end in ends {
        separate(&mut json);
        push_key(&mut json, &end.key);
        json.push_str(&format!(",\"state\":\"{}\"", end.state));
        json.push_str(if end.counts { ",\"counts\":1" } else { ",\"counts\":0" });
        if let Some(pause) = end.pause {
            json.push_str(&format!(",\"pause\":{}", u64::try_from(pause.as_millis()).unwrap_or(LONGEST).min(LONGEST)));
        }
        if let Some(error) = &end.error {
            json.push_str(",\"error\":");
            push_text(&mut json, error);
        }
        json.push('}');
    }
    json.push(']');
    json
}

/// The longest pause in milliseconds, 100 years: every database has the time after it.
const LONGEST: u64 = 100 * 365 * 24 * 3600 * 1000;

fn separate(json: &mut String) {
    if json.len() > 1 {
        json.push(',');
    }
}

fn push_key(json: &mut String, key: &RowKey) {
    json.push_str("{\"id\":");
    push_text(json, &key.id);
    json.push_str(&format!(",\"seq\":{},\"lease\":{}", key.seq, key.lease));
}

fn push_text(json: &mut String, text: &str) {
    // Text is always JSON. Postgres has no NUL in a text.
    json.push_str(&serde_json::to_string(&text.replace('\0', " ")).unwrap_or_default());
}
