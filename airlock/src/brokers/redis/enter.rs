//! The first commands on a connection: who this is, which database is meant, and whether a server listens at all.
//!
//! They are sent before the client has the connection. It would not tell what was answered before it had asked, as servers
//! do that take no connection now, nor why a connection ended.

use redis::{Arg, Cmd, ServerError, Value, parse_redis_value};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::answer::{Asked, is_unknown_command, meaning};
use super::tls;
use crate::brokers::connection::BrokerFault;
use crate::brokers::url::{BrokerUrl, Scheme};
use crate::dispatch::DispatchError;

/// Answers are a line each; one that is longer is of something else.
const LONGEST: usize = 64 * 1024;

/// Says who this is and which database is meant, and asks for an answer: there may be nothing to say, and what listens may
/// be no server.
pub(super) async fn enter<S>(url: &BrokerUrl, stream: &mut S) -> Result<(), DispatchError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut user = url.user.as_deref();
    loop {
        let commands = commands(url, user);
        let Some((command, error)) = ask(url, stream, &commands).await? else { return Ok(()) };
        let is = |name: &str| command.args_iter().next() == Some(Arg::Simple(name.as_bytes()));
        // Redis had no users before version 6, which shows in its answer to a name.
        let knows_no_users = || error.details().is_some_and(|text| text.contains("wrong number of arguments"));
        if is("AUTH") && user.is_some() && knows_no_users() {
            user = None;
            continue;
        }
        // It has answered, and an account that may do no more than it has to is known as well.
        if is("PING") && (error.code() == "NOPERM" || is_unknown_command(&error)) {
            return Ok(());
        }
        let asked = if is("AUTH") { Asked::Account } else { Asked::Database(&url.path) };
        return Err(meaning(asked, &error).at(&url.place()));
    }
}

fn commands(url: &BrokerUrl, user: Option<&str>) -> Vec<Cmd> {
    let mut commands = Vec::new();
    if let Some(password) = &url.password {
        let mut auth = redis::cmd("AUTH");
        auth.arg(user).arg(password);
        commands.push(auth);
    }
    if url.path.parse().is_ok_and(|database: i64| database != 0) {
        let mut select = redis::cmd("SELECT");
        select.arg(&url.path);
        commands.push(select);
    }
    commands.push(redis::cmd("PING"));
    commands
}

/// Sends the commands, and gives the first that is refused with what was answered.
async fn ask<'a, S>(
    url: &BrokerUrl,
    stream: &mut S,
    commands: &'a [Cmd],
) -> Result<Option<(&'a Cmd, ServerError)>, DispatchError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let bytes: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
    // What the server said before it ended the connection is there to be read all the same.
    let written = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    let _ = written.await;
    let (mut read, mut refused) = (Vec::new(), None);
    for command in commands {
        let doubt = match doubt(stream, &mut read).await {
            Ok(Some(doubt)) => doubt,
            Ok(None) => return refused.map_or_else(|| Err(is_none(url, &read)), |refused| Ok(Some(refused))),
            Err(error) => return refused.map_or_else(|| Err(ended(url, &error)), |refused| Ok(Some(refused))),
        };
        match parse_redis_value(&doubt) {
            Ok(Value::ServerError(error)) => refused = refused.or(Some((command, error))),
            Ok(_) => {}
            Err(_) => return Err(is_none(url, &doubt)),
        }
    }
    Ok(refused)
}

/// The next line with its end; `None` if what comes is no line.
async fn doubt<S: AsyncRead + Unpin>(stream: &mut S, read: &mut Vec<u8>) -> std::io::Result<Option<Vec<u8>>> {
    loop {
        if read.first().is_some_and(|first| !b"+-:".contains(first)) || read.len() > LONGEST {
            return Ok(None);
        }
        if let Some(end) = read.windows(2).position(|pair| pair == b"\r\n") {
            let rest = read.split_off(end + 2);
            return Ok(Some(std::mem::replace(read, rest)));
        }
        if stream.read_buf(read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// What an alert and a greeting of TLS begin with.
const TLS: [u8; 2] = [0x15, 0x16];

/// What answered is no Redis server.
fn is_none(url: &BrokerUrl, said: &[u8]) -> DispatchError {
    let place = url.place();
    let what = if said.first().is_some_and(|first| TLS.contains(first)) {
        format!("{place} speaks TLS, and nothing else; write `rediss://` in the broker's URL")
    } else {
        format!("{place} is no Redis, by its answers; look at the port")
    };
    DispatchError::rejected(BrokerFault::new(what))
}

/// There was no answer to the first commands on a connection.
fn ended(url: &BrokerUrl, error: &std::io::Error) -> DispatchError {
    if let Some(refusal) = tls::refusal(url, error) {
        return refusal;
    }
    let hint = if url.scheme == Scheme::Redis { "; if it speaks TLS at this port, write `rediss://`" } else { "" };
    let what = format!("{} ended the connection as it began{hint}", url.place());
    DispatchError::unavailable(BrokerFault::new(what))
}
