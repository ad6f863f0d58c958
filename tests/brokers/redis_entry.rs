//! What Redis answers as a connection begins: the kind is that of what happened, in words that say what to do.

use std::time::Duration;

use airlock_tests::patience::PATIENCE;
use airlock_tests::process::until;
use airlock_tests::servers::RedisServer;

use crate::redis_forms::Form;
use crate::tasks::{Account, flush_notes};

fn flush_to(url: &str, wait: Duration) -> Account {
    flush_notes(Form::Celery.executor_within(url, wait), 2)
}

#[track_caller]
fn is_unavailable(url: &str, says: &str) {
    // It is asked again and again for so long: on a busy machine, that may be too short for an answer.
    until(says, || {
        let account = flush_to(url, Duration::from_millis(100));
        account.expect(&[("unavailable", 1), ("unattempted", 1)]);
        account.texts.concat().contains(says)
    });
}

#[track_caller]
fn is_rejected(url: &str, says: &str) {
    let account = flush_to(url, PATIENCE);
    account.expect(&[("rejected", 2)]);
    account.says(says);
    assert!(!account.texts.concat().contains("s3cret"), "{:?}", account.texts);
}

/// The URL with another account and database.
fn with(server: &RedisServer, account: &str, database: u32) -> String {
    server.url().replace("//", &format!("//{account}")).replace("/0", &format!("/{database}"))
}

#[test]
fn promise_13_a_server_with_as_many_clients_as_it_takes_says_so_with_and_without_a_password() {
    let server = RedisServer::start_with(&["--maxclients", "1"]);
    let client = redis::Client::open(server.url()).expect("a URL");
    let _place = client.get_connection().expect("a connection");
    for (account, database) in [("", 0), (":s3cret@", 0), ("web:s3cret@", 3), ("", 3)] {
        for _ in 0..2 {
            is_unavailable(&with(&server, account, database), "as many clients as it takes; raise its `maxclients`");
        }
    }
}

#[test]
fn promise_13_what_stops_a_server_is_told_of_a_connection_that_begins() {
    let server = RedisServer::start_with(&["--lua-time-limit", "20", "--save", "3600 1"]);
    std::thread::scope(|scope| {
        scope.spawn(|| server.try_command(&["EVAL", "while true do end", "0"]));
        until("it is busy", || server.try_command(&["PING"]).is_err_and(|error| error.code() == Some("BUSY")));
        is_unavailable(&with(&server, "", 0), "is busy with a script (BUSY)");
        is_unavailable(&with(&server, "", 3), "is busy with a script (BUSY)");
        let _ = server.command(&["SCRIPT", "KILL"]);
    });
    let folder: Vec<String> = redis::from_redis_value(server.command(&["CONFIG", "GET", "dir"])).expect("a path");
    std::fs::create_dir_all(format!("{}/dump.rdb/taken", folder[1])).expect("a folder");
    let _ = server.command(&["BGSAVE"]);
    until("saving has failed", || {
        let info: String = redis::from_redis_value(server.command(&["INFO", "persistence"])).expect("a text");
        info.contains("rdb_last_bgsave_status:err")
    });
    is_unavailable(&with(&server, "", 3), "MISCONF");
    let _ = server.command(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    let _ = server.command(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    let _ = server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    for database in [0, 3] {
        is_unavailable(&with(&server, "", database), "lost its primary");
    }
}

#[test]
fn promise_13_what_a_connection_may_not_is_named() {
    let server = RedisServer::start();
    let _ = server.command(&["ACL", "SETUSER", "web", "on", ">s3cret", "allkeys", "+@all", "-select"]);
    is_rejected(&with(&server, "web:s3cret@", 3), "doesn't let this user choose database 3 (NOPERM); allow SELECT");
    is_rejected(&with(&server, "web:s3cret2@", 3), "refuses user and password");
    is_rejected(&with(&server, ":s3cret@", 0), "has no password, and the broker's URL gives one");
    is_rejected(&with(&server, "", 99), "has no database 99; look at the path");
    let _ = server.command(&["CONFIG", "SET", "requirepass", "s3cret"]);
    is_rejected(&with(&server, "", 0), "wants user and password (NOAUTH); give those");
    is_rejected(&with(&server, "", 3), "wants user and password (NOAUTH); give those");
    flush_to(&with(&server, ":s3cret@", 3), PATIENCE).expect(&[("dispatched", 2)]);
    flush_to(&with(&server, "default:s3cret@", 3), PATIENCE).expect(&[("dispatched", 2)]);

    // Renamed, as some hosts do.
    let server = RedisServer::start_with(&["--rename-command", "SELECT", "", "--rename-command", "AUTH", ""]);
    is_rejected(&with(&server, "", 3), "doesn't know SELECT");
    is_rejected(&with(&server, ":s3cret@", 0), "doesn't know AUTH");
    let server = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    is_rejected(&with(&server, "", 3), "is a cluster");
}

#[test]
fn promise_13_what_is_no_redis_is_told() {
    use std::io::Write;
    for (says, greeting) in [("is no Redis", &b"220 mail.example.org ESMTP\r\n"[..]), ("ended the connection", b"")] {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let _ = (&client).write_all(greeting);
            }
        });
        flush_to(&format!("redis://127.0.0.1:{port}/3"), Duration::from_millis(500)).says(says);
    }
}
