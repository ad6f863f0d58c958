//! What a database's refusal means for the rows. Errors of the client crate may quote statements and values, so that none
//! of their texts is used.

use crate::brokers::connection::BrokerFault;
use crate::brokers::row::SqlTable;
use crate::dispatch::DispatchError;

/// What the database said, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(super) kind: RefusalKind,
    /// Goes on from the database's name.
    pub(super) what: &'static str,
    /// The database's own code.
    pub(super) code: [u8; 5],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalKind {
    /// It may be different soon.
    Unavailable,
    /// The same, but whether a commit was carried out is not known.
    Unsent,
    /// It stays as it is.
    Rejected,
    /// A table or a column isn't there.
    Missing,
    /// A right on a table isn't.
    Denied,
    /// The connection ends with it: whether a commit was carried out before is not known.
    Ending,
}

impl Refusal {
    /// Whether it depends on the schemas in which a table is looked for.
    pub(super) fn is_of_schemas(self) -> bool {
        matches!(self.kind, RefusalKind::Missing | RefusalKind::Denied)
    }

    /// As an error about the place, which looks for tables in these schemas.
    pub(super) fn at(self, place: &str, table: Option<&SqlTable>, schemas: Option<&str>) -> DispatchError {
        let Self { kind, what, code } = self;
        let code = String::from_utf8_lossy(&code).trim().to_owned();
        let code = if code.is_empty() { code } else { format!(" ({code})") };
        let what = match (kind, table) {
            (RefusalKind::Missing, Some(table)) => {
                let (name, remedy) = (table.name, table.remedy);
                format!("{place} has no table `{name}` as it should be{code}; {remedy}")
            }
            // The code stands before the remedy, if there is one.
            _ => match what.split_once(';') {
                Some((what, remedy)) => format!("{place} {what}{code};{remedy}"),
                None => format!("{place} {what}{code}"),
            },
        };
        let seen = schemas.map(|schemas| format!("; it was looked for in {schemas}")).unwrap_or_default();
        let fault = BrokerFault::new(what + &seen);
        match kind {
            RefusalKind::Unavailable | RefusalKind::Unsent | RefusalKind::Ending => DispatchError::unavailable(fault),
            RefusalKind::Rejected | RefusalKind::Missing | RefusalKind::Denied => DispatchError::rejected(fault),
        }
    }
}

pub(super) fn no_connection(place: &str, why: &str) -> DispatchError {
    DispatchError::unavailable(BrokerFault::new(format!("no connection to {place}: {why}")))
}

pub(super) fn rejected(what: &str) -> DispatchError {
    DispatchError::rejected(BrokerFault::new(what))
}

pub(super) fn unavailable(place: &str, what: &str) -> DispatchError {
    DispatchError::unavailable(BrokerFault::new(format!("{place} {what}")))
}

pub(super) fn unconfirmed(place: &str, what: &str) -> DispatchError {
    DispatchError::unconfirmed(BrokerFault::new(format!("{place} {what}")))
}
