//! By what statements name a row, and how its run ended.

use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use crate::brokers::{SqlMessage, Transport};
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

    /// Whether another row ends in the same way, of a claim with the same number.
    fn is_like(&self, other: &Self) -> bool {
        let of = |end: &Self| (end.key.lease, end.state, end.counts, end.pause);
        of(self) == of(other) && self.error.is_none() && other.error.is_none()
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

/// The ends in the same way, each as an object in the place of the lease or of the empty object; a run that ended well has
/// its key alone. On SQLite, rows that follow one another and end alike share the end of the first, which says their last.
pub(super) fn ends_json<'a>(transport: Transport, ends: impl Iterator<Item = &'a RowEnd>) -> String {
    let mut ends = ends.peekable();
    let ranges = iter::from_fn(|| {
        let first = ends.next()?;
        let mut last = first.key.seq;
        while transport == Transport::Sqlite
            && ends.next_if(|next| next.key.seq == last + 1 && next.is_like(first)).is_some()
        {
            last += 1;
        }
        Some((first, last))
    });
    object(ranges, |json, (first, last)| {
        let is_one = last == first.key.seq;
        if is_one && first.is_plain() {
            return push_plain(json, transport, &first.key);
        }
        push_name(json, transport, &first.key);
        push_end(json, first, last);
    })
}

/// The longest pause in milliseconds, 100 years: every database has the time after it.
const LONGEST: u64 = 100 * 365 * 24 * 3600 * 1000;

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
        let millis = u64::try_from(pause.as_millis()).unwrap_or(LONGEST).min(LONGEST);
        push(json, format_args!(",\"pause\":{millis}"));
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
    // Text is always JSON. Postgres has no NUL in a text.
    json.push_str(&serde_json::to_string(&text.replace('\0', " ")).unwrap_or_default());
}
