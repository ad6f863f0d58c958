//! Servers that take no writes now, and what they say: unavailable, by their own words, and nothing is there.

use std::sync::Arc;

use airlock::Executor;
use airlock_tests::process::until;
use airlock_tests::servers::RedisServer;
use redis::Value;

use crate::redis_forms::Form;
use crate::refusing::Refusing;
use crate::tasks::{Account, flush_notes};

/// That nothing of a flush was taken, for this reason.
#[track_caller]
fn takes_nothing(form: Form, server: &RedisServer, account: &Account, why: &str) {
    let is_so = account.count("unavailable") > 0 && account.count("unavailable") + account.count("unattempted") == 100;
    assert!(is_so, "{form:?} {account:?}");
    account.says(why);
    assert_eq!(server.command(&["DBSIZE"]), Value::Int(0), "{form:?} {why}");
}

fn executors(server: &RedisServer) -> [(Form, Arc<dyn Executor>); 5] {
    let executors = Form::ALL.map(|form| (form, form.executor(&server.url())));
    for (_, executor) in &executors {
        flush_notes(Arc::clone(executor), 1).expect(&[("dispatched", 1)]);
        let _ = server.command(&["FLUSHDB"]);
    }
    executors
}

#[test]
fn promise_13_settings_that_stop_all_writes_leave_nothing_half_written() {
    let server = RedisServer::start();
    let executors = executors(&server);
    for (setting, stops, allows, code) in
        [("maxmemory", "1", "0", "OOM"), ("min-replicas-to-write", "1", "0", "NOREPLICAS")]
    {
        for (form, executor) in &executors {
            let _ = server.command(&["CONFIG", "SET", setting, stops]);
            takes_nothing(*form, &server, &flush_notes(Arc::clone(executor), 100), code);
            let _ = server.command(&["CONFIG", "SET", setting, allows]);
            flush_notes(Arc::clone(executor), 100).expect(&[("dispatched", 100)]);
            let _ = server.command(&["FLUSHDB"]);
        }
    }
}

/// A server that is stopped by this command as soon as a transaction is to be done.
fn stopped_at_exec(server: &Arc<RedisServer>, stop: Vec<String>) -> Refusing {
    let own = Arc::clone(server);
    Refusing::start(server.port(), move |command| {
        if command.name == "EXEC" {
            let _ = own.command(&stop.iter().map(String::as_str).collect::<Vec<_>>());
        }
        None
    })
}

#[test]
fn promise_13_what_stops_writes_before_a_transaction_is_done_is_told_from_its_text() {
    let primary = RedisServer::start();
    let port = primary.port().to_string();
    let stops = [
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], "OOM"),
        (
            ["CONFIG", "SET", "min-replicas-to-write", "1"],
            ["CONFIG", "SET", "min-replicas-to-write", "0"],
            "NOREPLICAS",
        ),
    ];
    let server = Arc::new(RedisServer::start());
    for (stop, go_on, code) in stops {
        let proxy = stopped_at_exec(&server, stop.map(str::to_owned).to_vec());
        let account = flush_notes(Form::Dramatiq.executor(&proxy.url()), 100);
        takes_nothing(Form::Dramatiq, &server, &account, code);
        let _ = server.command(&go_on);
    }

    // It has become a replica: the next flush looks for the primary.
    let proxy = stopped_at_exec(&server, ["REPLICAOF", "127.0.0.1", &port].map(str::to_owned).to_vec());
    let executor = Form::Dramatiq.executor(&proxy.url());
    let account = flush_notes(executor.clone(), 100);
    takes_nothing(Form::Dramatiq, &primary, &account, "READONLY");
    let _ = server.command(&["REPLICAOF", "NO", "ONE"]);
    proxy.leads_to(primary.port());
    let account = flush_notes(executor, 1);
    assert!(account.count("rejected") == 0, "{account:?}");
    assert_eq!(Form::Dramatiq.count(&primary, "notes"), Some(account.count("dispatched")));
}

#[test]
fn promise_13_a_server_that_can_not_save_is_unavailable() {
    let server = RedisServer::start_with(&["--save", "3600 1"]);
    let executors = executors(&server);
    let folder: Vec<String> = redis::from_redis_value(server.command(&["CONFIG", "GET", "dir"])).expect("a path");
    // The place of the file is taken.
    std::fs::create_dir_all(format!("{}/dump.rdb/taken", folder[1])).expect("a folder");
    let _ = server.command(&["BGSAVE"]);
    until("saving has failed", || {
        let info: String = redis::from_redis_value(server.command(&["INFO", "persistence"])).expect("a text");
        info.contains("rdb_last_bgsave_status:err")
    });
    for (form, executor) in executors {
        takes_nothing(form, &server, &flush_notes(executor, 100), "MISCONF");
    }
}

#[test]
fn promise_13_a_server_busy_with_a_script_is_unavailable() {
    let server = RedisServer::start_with(&["--lua-time-limit", "50"]);
    let executors = executors(&server);
    std::thread::scope(|scope| {
        scope.spawn(|| server.try_command(&["EVAL", "while true do end", "0"]));
        until("it is busy", || server.try_command(&["PING"]).is_err_and(|error| error.code() == Some("BUSY")));
        let accounts = executors.map(|(form, executor)| (form, flush_notes(executor, 100)));
        let _ = server.command(&["SCRIPT", "KILL"]);
        until("it is not busy", || server.try_command(&["PING"]).is_ok());
        for (form, account) in accounts {
            takes_nothing(form, &server, &account, "BUSY");
        }
    });
}

#[test]
fn promise_13_after_a_failover_the_next_flush_goes_to_the_new_primary() {
    for form in Form::ALL {
        let (old, new) = (RedisServer::start(), RedisServer::start());
        let name = Refusing::start(old.port(), |_| None);
        let executor = form.executor(&name.url());
        flush_notes(Arc::clone(&executor), 100).expect(&[("dispatched", 100)]);
        let _ = old.command(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
        name.leads_to(new.port());
        let account = flush_notes(Arc::clone(&executor), 100);
        account.says("READONLY");
        takes_nothing(form, &new, &account, "READONLY");
        flush_notes(executor, 100).expect(&[("dispatched", 100)]);
        assert_eq!(form.count(&new, "notes"), Some(100), "{form:?}");
    }
}

#[test]
fn promise_13_a_replica_that_has_lost_its_primary_is_given_up() {
    let server = RedisServer::start_with(&["--replica-serve-stale-data", "no", "--replica-read-only", "no"]);
    let mut primary = RedisServer::start();
    let elsewhere = RedisServer::start();
    for form in Form::ALL {
        let name = Refusing::start(server.port(), |_| None);
        let executor = form.executor(&name.url());
        flush_notes(Arc::clone(&executor), 1).expect(&[("dispatched", 1)]);
        primary.kill();
        let _ = server.command(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
        name.leads_to(elsewhere.port());
        let account = flush_notes(Arc::clone(&executor), 100);
        takes_nothing(form, &elsewhere, &account, "lost its primary");
        flush_notes(executor, 100).expect(&[("dispatched", 100)]);
        let _ = server.command(&["REPLICAOF", "NO", "ONE"]);
        let _ = (server.command(&["FLUSHDB"]), elsewhere.command(&["FLUSHDB"]));
    }
}

#[test]
fn promise_13_a_server_with_as_many_clients_as_it_takes_is_unavailable() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let full = RedisServer::start_with(&["--maxclients", "1"]);
    let client = redis::Client::open(full.url()).expect("a URL");
    let _place = client.get_connection().expect("a connection");
    let account = flush_notes(Form::Celery.executor(&full.url()), 100);
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);

    // In answer to the password, too, it is no word about the password.
    let proxy = Refusing::answering(server.port(), "AUTH", "ERR max number of clients reached");
    let account = flush_notes(Form::Celery.executor(&proxy.url().replace("//", "//:right@")), 100);
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);
    account.says("maxclients");
}

#[test]
fn promise_13_a_server_that_loads_its_data_is_unavailable_at_every_database() {
    let server = RedisServer::start();
    for (command, database) in [("PING", "/0"), ("SELECT", "/3")] {
        let proxy = Refusing::answering(server.port(), command, "LOADING Redis is loading the dataset in memory");
        let account = flush_notes(Form::Celery.executor(&proxy.url().replace("/0", database)), 100);
        account.expect(&[("unavailable", 1), ("unattempted", 99)]);
        account.says("LOADING");
    }
}

#[test]
fn promise_13_an_answer_is_judged_by_the_reason_in_its_text() {
    let server = RedisServer::start();
    for (answer, end, says) in [
        ("EXECABORT Transaction discarded because of: OOM command not allowed when used memory", "unavailable", "OOM"),
        ("EXECABORT Transaction discarded because of: READONLY You can't write", "unavailable", "READONLY"),
        ("EXECABORT Transaction discarded because of: MISCONF Redis is configured", "unavailable", "MISCONF"),
        ("EXECABORT Transaction discarded because of: NOREPLICAS Not enough good", "unavailable", "NOREPLICAS"),
        ("EXECABORT Transaction discarded because of previous errors.", "rejected", "EXECABORT"),
        ("CLUSTERDOWN The cluster is down", "unavailable", "CLUSTERDOWN"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "unavailable", "TRYAGAIN"),
        ("MOVED 3999 127.0.0.1:6381", "rejected", "cluster"),
        ("ERR unknown command 'X', with args beginning with: 'OOM'", "rejected", "doesn't know"),
        ("ERR max daily request limit exceeded", "unavailable", "limit"),
        // Of proxies whose own connection failed: before it was sent, and after.
        ("no upstream host", "unavailable", "no server behind it"),
        ("ERR Connection refused", "unavailable", "no server behind it"),
        ("upstream failure", "unconfirmed", "may have taken it"),
        ("ERR Connection timed out", "unconfirmed", "may have taken it"),
        ("ERR Connection reset by peer", "unconfirmed", "may have taken it"),
    ] {
        for (form, command) in [(Form::Celery, "LPUSH"), (Form::Dramatiq, "HSET")] {
            let proxy = Refusing::answering(server.port(), command, answer);
            let account = flush_notes(form.executor(&proxy.url()), 1);
            account.expect(&[(end, 1)]);
            account.says(says);
        }
    }
}
