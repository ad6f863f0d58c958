//! What Postgres' codes and texts mean, and those of poolers before it. One table: poolers have one code for all, and the
//! server shares codes between what is missing, what isn't allowed and what is wrong.
//!
//! Texts are searched and never shown. A server that speaks another language than English falls under the last row of a code.

use crate::brokers::sql::dialect::SqlPhase::{self, Committing, Connecting, Writing};
use crate::brokers::sql::refusal::{Refusal, RefusalKind};

/// Phase, if it is but one; a code or its beginning (appendix A of Postgres' documentation); a part of the text, in small
/// letters; kind, and what is said. The first that fits.
type SqlAnswerRow = (Option<SqlPhase>, &'static str, &'static str, RefusalKind, &'static str);

const ACCOUNT: &str = "refuses user and password; give those it knows in the database's URL";
const NO_DATABASE: &str = "has no such database; look at the path of the URL";
const WANTS_TLS: &str =
    "wants TLS; write `?sslmode=verify-full` in the database's URL, or `require` where no certificate is trusted";
const TOO_MANY: &str = "has too many connections; raise `max_connections` or close some";
const NO_SERVER: &str = "has no server behind it now; look at the pooler's log";
const MORE_CLIENTS: &str = "has as many clients as it takes; raise the pooler's limit or close some";

#[rustfmt::skip]
const ROWS: &[SqlAnswerRow] = &[
    // Of poolers: all with one code, or with none that says something.
    (None, "08P01", "too many", RefusalKind::Unavailable, TOO_MANY),
    (None, "08P01", "no more connections", RefusalKind::Unavailable, MORE_CLIENTS),
    (None, "08P01", "max_client_conn", RefusalKind::Unavailable, MORE_CLIENTS),
    (None, "08P01", "slots are reserved", RefusalKind::Unavailable, TOO_MANY),
    (None, "08P01", "authentication failed", RefusalKind::Rejected, ACCOUNT),
    (None, "08P01", "auth failed", RefusalKind::Rejected, ACCOUNT),
    (None, "08P01", "no such user", RefusalKind::Rejected, ACCOUNT),
    (None, "08P01", "no such database", RefusalKind::Rejected, NO_DATABASE),
    (None, "08P01", "does not exist", RefusalKind::Rejected, NO_DATABASE),
    (None, "08P01", "ssl required", RefusalKind::Rejected, WANTS_TLS),
    (None, "08P01", "tls required", RefusalKind::Rejected, WANTS_TLS),
    (None, "08P01", "startup parameter", RefusalKind::Rejected, "takes no such settings as a connection begins; leave `options` out of the URL"),
    (None, "08P01", "not allowed", RefusalKind::Rejected, "is a pooler that doesn't let this user in; look at its settings"),
    (None, "08P01", "login", RefusalKind::Unavailable, NO_SERVER),
    (None, "08P01", "query_wait_timeout", RefusalKind::Unavailable, "has no connection of its server left in time; raise the pooler's `default_pool_size`"),
    (None, "08P01", "cannot connect", RefusalKind::Unavailable, NO_SERVER),
    (None, "XX000", "tenant or user not found", RefusalKind::Rejected, ACCOUNT),
    (None, "XX000", "max client", RefusalKind::Unavailable, MORE_CLIENTS),
    // As a connection begins.
    (None, "28000", "no encryption", RefusalKind::Rejected, WANTS_TLS),
    (None, "28000", "ssl off", RefusalKind::Rejected, WANTS_TLS),
    (None, "28000", "client certificate", RefusalKind::Rejected, "wants a certificate of the client; give `sslcert` and `sslkey` in the database's URL"),
    (None, "28000", "pg_hba.conf", RefusalKind::Rejected, "has no line in its `pg_hba.conf` that lets this user into this database from here; add one"),
    (None, "28000", "not permitted to log in", RefusalKind::Rejected, "has this user without the right to log in; grant LOGIN"),
    (None, "28000", "peer authentication", RefusalKind::Rejected, "takes the user of the system for its own (peer), and the database's URL names another; name that, or have `pg_hba.conf` ask for passwords"),
    (None, "28", "", RefusalKind::Rejected, ACCOUNT),
    (None, "3D000", "", RefusalKind::Rejected, NO_DATABASE),
    (Some(Connecting), "42501", "", RefusalKind::Rejected, "doesn't let this user into the database; grant CONNECT on it"),
    (Some(Connecting), "55000", "", RefusalKind::Unavailable, "takes no connections to this database now (`datallowconn`); look whether it is to be there"),
    (Some(Connecting), "42704", "", RefusalKind::Rejected, "doesn't know a setting that `options` of the database's URL gives; leave it out"),
    (Some(Connecting), "22", "", RefusalKind::Rejected, "refuses a setting that `options` of the database's URL gives; look at its value"),
    // What a COMMIT meets is not of our rows: a constraint that was deferred, or a trigger.
    (Some(Committing), "40003", "", RefusalKind::Ending, "can't say whether it was committed"),
    (Some(Committing), "23", "", RefusalKind::Rejected, "refuses the COMMIT by a constraint that was deferred until then"),
    (Some(Committing), "22", "", RefusalKind::Rejected, "refuses the COMMIT for a value in a trigger that was deferred until then"),
    (Some(Committing), "42", "", RefusalKind::Rejected, "refuses the COMMIT for a statement in a trigger that was deferred until then"),
    // Tables.
    (None, "42P01", "", RefusalKind::Missing, ""),
    (None, "42703", "", RefusalKind::Missing, ""),
    (None, "3F000", "", RefusalKind::Missing, ""),
    (Some(Writing), "42501", "for schema", RefusalKind::Denied, "doesn't let this user use the table's schema; grant USAGE on it"),
    (Some(Writing), "42501", "for sequence", RefusalKind::Denied, "doesn't let this user take numbers for the table; grant USAGE on its sequence"),
    (Some(Writing), "42501", "row-level security", RefusalKind::Denied, "has a row-level security that refuses the row; add a policy that lets this user insert"),
    (None, "42501", "", RefusalKind::Denied, "doesn't let this user write to the table; grant INSERT on it"),
    (None, "23505", "", RefusalKind::Rejected, "has a task of the same id already, which was accepted before"),
    // Transactions.
    (None, "25006", "", RefusalKind::Unavailable, "takes no writes here; give the URL of the primary, or begin a transaction that is not read only"),
    (None, "25P03", "", RefusalKind::Ending, "ended the transaction, which took longer than it allows; raise its timeouts"),
    (None, "25P04", "", RefusalKind::Ending, "ended the transaction, which took longer than it allows; raise its timeouts"),
    (None, "25P01", "", RefusalKind::Rejected, "has no open transaction; begin one, and commit it afterwards"),
    (None, "25P02", "", RefusalKind::Rejected, "takes nothing more after an earlier error; roll the transaction back"),
    (None, "55P03", "", RefusalKind::Unavailable, "gave up waiting for others that hold the table; try again"),
    (None, "57014", "statement timeout", RefusalKind::Unavailable, "ended a statement that took longer than `statement_timeout` allows; raise it, or look what holds the table"),
    (None, "57014", "user request", RefusalKind::Unavailable, "was asked by an administrator to cancel the statement; try again"),
    (None, "57014", "", RefusalKind::Unavailable, "gave up waiting for others that hold the table; try again"),
    // The server.
    (None, "08", "", RefusalKind::Ending, "is ending or not ready yet"),
    (None, "57P", "", RefusalKind::Ending, "is ending or not ready yet"),
    (None, "53100", "", RefusalKind::Unavailable, "has no space left on its disk"),
    (None, "53300", "for role", RefusalKind::Unavailable, "has too many connections of this user; raise the role's `CONNECTION LIMIT` or close some"),
    (None, "53300", "for database", RefusalKind::Unavailable, "has too many connections to this database; raise its `CONNECTION LIMIT` or close some"),
    (None, "53300", "", RefusalKind::Unavailable, TOO_MANY),
    (None, "53", "", RefusalKind::Unavailable, "lacks resources"),
    (None, "40", "", RefusalKind::Unavailable, "rolled the transaction back; try again"),
    (None, "58", "", RefusalKind::Unavailable, "has trouble with its system; look at its log"),
    (None, "F0", "", RefusalKind::Rejected, "has a mistake in its own settings; look at its log"),
    (None, "22", "", RefusalKind::Rejected, "refuses a value"),
    (None, "23", "", RefusalKind::Rejected, "refuses a value by a constraint of the table"),
    (None, "", "", RefusalKind::Rejected, "refuses the statement"),
];

/// What an answer of the server means.
pub(super) fn refusal(phase: SqlPhase, code: &str, text: &str) -> Refusal {
    let text = text.to_lowercase();
    let fits =
        |row: &&SqlAnswerRow| row.0.is_none_or(|only| only == phase) && code.starts_with(row.1) && text.contains(row.2);
    let (kind, what) = ROWS.iter().find(fits).map_or((RefusalKind::Rejected, ""), |row| (row.3, row.4));
    let mut own = [b' '; 5];
    own.iter_mut().zip(code.bytes()).for_each(|(place, byte)| *place = byte);
    Refusal { kind, what, code: own }
}
