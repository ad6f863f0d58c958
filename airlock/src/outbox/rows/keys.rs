//! By what statements name a row, and how its run ended.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::brokers::{SqlMessage, SqlValue, Transport};
use crate::outbox::state::OutboxState;

/// A row as the worker knows it that claimed it: what touches the row says which claim it was, so that a claim which was
/// lost can record nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowKey {
    pub(crate) id: Arc<str>,
    /// Another row with the id, inserted after this one was pruned, has another.
    pub(crate) seq: i64,
    /// Each claim raises it.
    pub(crate) lease: i64,
}

impl Hash for RowKey {
    /// Two rows of one `seq` are rare enough.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.seq, self.lease).hash(state);
    }
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

    /// Whether its key says all of it: its run ended well.
    fn is_plain(&self) -> bool {
        self.state == OutboxState::Done && self.counts && self.pause.is_none() && self.error.is_none()
    }

    /// A row that did not run is handed back.
    pub(crate) fn released(key: RowKey) -> Self {
        Self { counts: false, ..Self::new(key, OutboxState::Waiting) }
    }
}

/// The keys as the statements of the database read them: on SQLite `{"seq": lease}`, and on Postgres, where `seq` has no
/// index, `{"id seq lease": {}}`.
pub(super) fn keys_json<'a>(transport: Transport, keys: impl Iterator<Item = &'a RowKey>) -> String {
    object(keys, |json, key| push_plain(json, transport, key))
}

/// Rows that follow one another in the table and end alike.
#[derive(Debug)]
pub(super) struct EndRange<'a> {
    first: &'a RowEnd,
    last: i64,
}

impl<'a> EndRange<'a> {
    /// The ends, those that follow one another together. Postgres, where `seq` has no index, has each for itself.
    pub(super) fn all(transport: Transport, ends: impl Iterator<Item = &'a RowEnd>) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for end in ends {
            match ranges.last_mut() {
                Some(range) if transport == Transport::Sqlite && range.is_followed_by(end) => range.last = end.key.seq,
                _ => ranges.push(Self { first: end, last: end.key.seq }),
            }
        }
        ranges
    }

    fn is_followed_by(&self, end: &RowEnd) -> bool {
        let of = |end: &RowEnd| (end.key.lease, end.state, end.counts, end.pause);
        let have_errors = self.first.error.is_some() || end.error.is_some();
        self.last.checked_add(1) == Some(end.key.seq) && of(end) == of(self.first) && !have_errors
    }

    /// The first and the last `seq`, lease, state, what each counts, pause in milliseconds, error: the parameters of
    /// [`EndsStatement`](super::statements::EndsStatement).
    pub(super) fn values(&self) -> [SqlValue; 7] {
        let RowEnd { key, state, pause, counts, error, .. } = self.first;
        let text = |text: &str| SqlValue::Text(Cow::Owned(text.to_owned()));
        [
            SqlValue::Int(key.seq),
            SqlValue::Int(self.last),
            SqlValue::Int(key.lease),
            text(state.as_str()),
            SqlValue::Int((*counts).into()),
            pause.map_or(SqlValue::Null, duration),
            error.as_deref().map_or(SqlValue::Null, |error| text(&without_nul(error))),
        ]
    }
}

/// The ends in the same way, each as an object in the place of the lease or of the empty object; a run that ended well has
/// its key alone. A range has the key of its first row, and says the last.
pub(super) fn ends_json(transport: Transport, ranges: &[EndRange<'_>]) -> String {
    object(ranges.iter(), |json, EndRange { first, last }| {
        if first.is_plain() && *last == first.key.seq {
            return push_plain(json, transport, &first.key);
        }
        push_name(json, transport, &first.key);
        push_end(json, first, *last);
    })
}

fn object<T>(items: impl Iterator<Item = T>, push: impl Fn(&mut String, T)) -> String {
    let mut json = String::from("{");
    for item in items {
        if json.len() > 1 {
            json.push(',');
        }
        push(&mut json, item);
    }
    json.push('}');
    json
}

fn push_name(json: &mut String, transport: Transport, key: &RowKey) {
    match transport {
        Transport::Sqlite => push(json, format_args!("\"{}\":", key.seq)),
        // An id that was read is a UUID.
        _ => push(json, format_args!("\"{} {} {}\":", key.id, key.seq, key.lease)),
    }
}

fn push_plain(json: &mut String, transport: Transport, key: &RowKey) {
    push_name(json, transport, key);
    match transport {
        Transport::Sqlite => push(json, format_args!("{}", key.lease)),
        _ => json.push_str("{}"),
    }
}

fn push_end(json: &mut String, end: &RowEnd, last: i64) {
    let RowKey { lease, .. } = end.key;
    push(json, format_args!("{{\"last\":{last},\"lease\":{lease},"));
    push(json, format_args!("\"state\":\"{}\",\"counts\":{}", end.state, u8::from(end.counts)));
    if let Some(pause) = end.pause {
        push(json, format_args!(",\"pause\":{}", millis(pause)));
    }
    if let Some(error) = &end.error {
        json.push_str(",\"error\":");
        push_text(json, error);
    }
    json.push('}');
}

fn push(json: &mut String, text: fmt::Arguments<'_>) {
    // A string takes all of it.
    let _ = json.write_fmt(text);
}

fn push_text(json: &mut String, text: &str) {
    // Text is always JSON.
    json.push_str(&serde_json::to_string(&without_nul(text)).unwrap_or_default());
}

/// Postgres has no NUL in a text.
fn without_nul(text: &str) -> String {
    text.replace('\0', " ")
}

/// A hundred years at the most: every database has the time that far away.
fn millis(duration: Duration) -> i64 {
    const LONGEST: u128 = 100 * 365 * 24 * 3600 * 1000;
    i64::try_from(duration.as_millis().min(LONGEST)).unwrap_or(i64::MAX)
}

/// A duration in milliseconds, as a parameter.
pub(super) fn duration(duration: Duration) -> SqlValue {
    SqlValue::Int(millis(duration))
}
