//! What an error of a server says about what it was sent, or of a proxy before it. One table for all commands.
//!
//! Texts are searched and never shown: some quote the command, which holds arguments or the password.

use redis::ServerError;

use crate::brokers::connection::BrokerFault;
use crate::dispatch::{DispatchError, DispatchErrorKind};

use DispatchErrorKind::{Rejected, Unavailable, Unconfirmed};

/// What was asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// To let this user in.
    Account,
    /// To use this database.
    Database(&'a str),
    /// To write to this queue, for which the user needs these commands.
    Write { queue: &'a str, needs: &'static str },
}

/// What the server meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    kind: DispatchErrorKind,
    what: String,
    /// Whether the server has stopped being the one to write to: the name may lead to another one by now.
    pub(super) is_of_another_server: bool,
}

impl Meaning {
    /// Whether it may have been done all the same.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.kind == Unconfirmed
    }

    pub(super) fn at(self, place: &str) -> DispatchError {
        let fault = BrokerFault::new(format!("{place} {}", self.what));
        match self.kind {
            Unavailable => DispatchError::unavailable(fault),
            Unconfirmed => DispatchError::unconfirmed(fault),
            _ => DispatchError::rejected(fault),
        }
    }
}

/// Codes, and what they mean. A server does nothing of a command that it answers with one of them.
const CODES: [(&str, DispatchErrorKind, &str); 18] = [
    ("OOM", Unavailable, "has no memory left (OOM); raise its `maxmemory` or let the workers catch up"),
    ("READONLY", Unavailable, "is a read-only replica (READONLY); give the URL of the primary"),
    ("LOADING", Unavailable, "is loading its data (LOADING); try again soon"),
    ("MISCONF", Unavailable, "can't save its data and takes no writes (MISCONF); look at its log"),
    ("NOREPLICAS", Unavailable, "has too few replicas to take writes (NOREPLICAS); look at `min-replicas-to-write`"),
    ("BUSY", Unavailable, "is busy with a script (BUSY)"),
    ("MASTERDOWN", Unavailable, "is a replica that has lost its primary (MASTERDOWN); give the URL of the primary"),
    ("CLUSTERDOWN", Unavailable, "is a cluster that can't take it now (CLUSTERDOWN)"),
    ("TRYAGAIN", Unavailable, "is a cluster that can't take it now (TRYAGAIN)"),
    ("WRONGTYPE", Rejected, "has something other than a queue under the queue's key (WRONGTYPE); choose another name"),
    ("NOPERM", Rejected, "doesn't let this user do that (NOPERM)"),
    (
        "NOAUTH",
        Rejected,
        "wants user and password (NOAUTH); give those it knows in the broker's URL, or `:password@` alone",
    ),
    ("WRONGPASS", Rejected, WRONG_ACCOUNT),
    ("DENIED", Rejected, "is in protected mode (DENIED); set a password or `protected-mode no`"),
    ("MOVED", Rejected, "is a cluster (MOVED), which the workers' systems don't use either"),
    ("ASK", Rejected, "is a cluster (ASK), which the workers' systems don't use either"),
    ("CROSSSLOT", Rejected, "is a cluster (CROSSSLOT), which the workers' systems don't use either"),
    ("NOPROTO", Rejected, "speaks no version of the protocol that is known here (NOPROTO)"),
];

/// Words of texts that have no code of their own, in lower case.
const TEXTS: [(&str, DispatchErrorKind, &str); 21] = [
    // Since Redis 6, and before.
    ("without any password configured", Rejected, NO_PASSWORD),
    ("no password is set", Rejected, NO_PASSWORD),
    ("db index is out of range", Rejected, NO_DATABASE),
    ("invalid db index", Rejected, NO_DATABASE),
    ("not allowed in cluster mode", Rejected, "is a cluster, which the workers' systems don't use either"),
    ("stale replica", Unavailable, "is a replica that has lost its primary; give the URL of the primary"),
    ("max number of clients", Unavailable, "has as many clients as it takes; raise its `maxclients`"),
    ("limit exceeded", Unavailable, "takes no more than its limit allows"),
    // Of proxies, about the server behind them. Those that had a connection may have written.
    ("no upstream host", Unavailable, "has no server behind it"),
    ("no server connection", Unavailable, "has no server behind it"),
    ("connection refused", Unavailable, "has no server behind it"),
    ("upstream failure", Unconfirmed, MAY_BE_WRITTEN),
    ("upstream protocol error", Unconfirmed, MAY_BE_WRITTEN),
    ("timed out", Unconfirmed, MAY_BE_WRITTEN),
    ("timeout", Unconfirmed, MAY_BE_WRITTEN),
    ("connection reset", Unconfirmed, MAY_BE_WRITTEN),
    ("connection close", Unconfirmed, MAY_BE_WRITTEN),
    ("connection lost", Unconfirmed, MAY_BE_WRITTEN),
    ("broken pipe", Unconfirmed, MAY_BE_WRITTEN),
    ("disconnected", Unconfirmed, MAY_BE_WRITTEN),
    ("unreachable", Unconfirmed, MAY_BE_WRITTEN),
];

const WRONG_ACCOUNT: &str = "refuses user and password; give those it knows in the broker's URL";
const NO_PASSWORD: &str = "has no password, and the broker's URL gives one; leave it out there, or give the server one";
const NO_DATABASE: &str = "has no such database; look at the path of the broker's URL, and at its `databases`";
const MAY_BE_WRITTEN: &str = "had trouble with the server behind it, which may have taken it";

/// What the error means.
pub(super) fn meaning(asked: Asked<'_>, error: &ServerError) -> Meaning {
    let (code, text) = (error.code(), error.details().unwrap_or_default());
    let (row, code) = match row(code, text) {
        Some((code, kind, what)) => (Some((kind, what)), code),
        None => (None, code),
    };
    let (mut kind, mut what) = match (row, asked) {
        (_, Asked::Write { needs, .. }) if code == "NOPERM" => {
            (Rejected, format!("doesn't let this user write to the queue (NOPERM); allow {needs} on its keys"))
        }
        (_, Asked::Database(database)) if code == "NOPERM" => {
            (Rejected, format!("doesn't let this user choose database {database} (NOPERM); allow SELECT"))
        }
        (_, Asked::Account) if code == "NOPERM" => (Rejected, WRONG_ACCOUNT.to_owned()),
        (Some((kind, NO_DATABASE)), Asked::Database(database)) => {
            (kind, NO_DATABASE.replace("such database", &format!("database {database}")))
        }
        (Some((kind, what)), _) => (kind, what.to_owned()),
        (None, Asked::Write { needs, .. }) if is_unknown_command(error) => {
            (Rejected, format!("doesn't know the command or has renamed it; writing needs {needs}"))
        }
        (None, Asked::Write { needs, .. }) => {
            (Rejected, format!("refused the command ({}); writing needs {needs}", shown(code)))
        }
        (None, Asked::Account) if is_unknown_command(error) => (
            Rejected,
            "doesn't know AUTH, or has renamed it; leave user and password out of the broker's URL".to_owned(),
        ),
        (None, Asked::Account) => (Rejected, WRONG_ACCOUNT.to_owned()),
        (None, Asked::Database(database)) if is_unknown_command(error) => {
            (Rejected, format!("doesn't know SELECT, or has renamed it, so that it has no database {database}; use 0"))
        }
        (None, Asked::Database(database)) => {
            (Rejected, format!("refuses the connection, asked for database {database} ({})", shown(code)))
        }
    };
    match asked {
        Asked::Write { queue, .. } => what = format!("{what}, queue `{}`", queue.escape_debug()),
        // Nothing was to be written yet.
        _ if kind == Unconfirmed => (kind, what) = (Unavailable, "has trouble with the server behind it".to_owned()),
        _ => {}
    }
    let is_of_another_server = matches!(code, "READONLY" | "MASTERDOWN") || text.contains("stale replica");
    Meaning { kind, what, is_of_another_server }
}

/// The line of the tables that the answer falls under: by its code, by the code that its text names as the reason, by
/// the words of its text.
fn row(code: &str, text: &str) -> Option<(&'static str, DispatchErrorKind, &'static str)> {
    let of_code = |code: &str| CODES.into_iter().find(|(own, ..)| *own == code);
    // The other words of such a text are arguments of a command.
    if tells_unknown_command(text) {
        return None;
    }
    of_code(code).or_else(|| {
        // `EXECABORT Transaction discarded because of: OOM command not allowed`.
        let gives_reason = matches!(code, "ERR" | "EXECABORT");
        let mut words = text.split(|character: char| !character.is_ascii_alphabetic());
        let of_reason = gives_reason.then(|| words.find_map(of_code)).flatten();
        of_reason.or_else(|| {
            // Some proxies give no code: what is taken for it is the first word.
            let all = format!("{code} {text}").to_ascii_lowercase();
            TEXTS.into_iter().find(|(words, ..)| all.contains(words))
        })
    })
}

/// Whether the server knows the command by no name, or by another one.
pub(super) fn is_unknown_command(error: &ServerError) -> bool {
    error.details().is_some_and(tells_unknown_command)
}

fn tells_unknown_command(text: &str) -> bool {
    text.to_ascii_lowercase().contains("unknown command")
}

/// The code, if it is one: a proxy may say anything in its place.
fn shown(code: &str) -> &str {
    let is_code = (2..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { code } else { "no code" }
}
