//! Commands that are refused: what is reported and what is there agree.

use airlock_tests::servers::RedisServer;
use redis::Value;

use crate::redis_forms::Form;
use crate::refusing::Refusing;
use crate::tasks::{Account, flush, flush_notes, heavy, note, random, rounds};

const REFUSED: &str = "ERR refused by proxy";

/// That what was dispatched is there, nothing else is, and nobody is in doubt.
#[track_caller]
fn agree(form: Form, server: &RedisServer, account: &Account, enqueued: usize) {
    account.agrees_with(&form.ids(server, "notes"), enqueued);
    account.says_nothing_of_doubt();
    assert_eq!(form.count(server, "notes"), Some(account.count("dispatched")), "{form:?}");
    if form == Form::Dramatiq {
        let stored = server.command(&["HLEN", "dramatiq:notes.msgs"]);
        assert_eq!(stored, server.command(&["LLEN", "dramatiq:notes"]), "messages and their ids");
    }
}

#[test]
fn promise_13_whichever_command_a_proxy_refuses_what_is_reported_and_what_is_there_agree() {
    let server = RedisServer::start();
    for form in Form::ALL {
        let _ = server.command(&["FLUSHDB"]);
        let all = Refusing::start(server.port(), |_| None);
        flush_notes(form.executor(&all.url()), 150).expect(&[("dispatched", 150)]);
        let commands = all.commands();
        assert!(commands.len() >= 4, "{commands:?}");
        for (place, name) in commands.iter().enumerate() {
            let _ = server.command(&["FLUSHDB"]);
            let one =
                Refusing::start(server.port(), move |command| (command.before == place).then(|| REFUSED.to_owned()));
            let executor = form.executor(&one.url());
            let account = flush_notes(executor.clone(), 150);
            assert!(account.count("rejected") > 0, "{form:?} without {name}: {account:?}");
            account.says("refuse");
            agree(form, &server, &account, 150);
            // The connection is none the worse for it.
            let _ = server.command(&["FLUSHDB"]);
            let account = flush_notes(executor, 150);
            account.expect(&[("dispatched", 150)]);
            agree(form, &server, &account, 150);
        }
    }
}

#[test]
fn promise_13_whatever_commands_are_refused_together_what_is_reported_and_what_is_there_agree() {
    let server = RedisServer::start();
    for form in Form::ALL {
        for round in 0..rounds(5) {
            let _ = server.command(&["FLUSHDB"]);
            let some = Refusing::start(server.port(), move |command| {
                let falls = command.name != "PING" && random(round + command.before as u64).is_multiple_of(2);
                falls.then(|| REFUSED.to_owned())
            });
            agree(form, &server, &flush_notes(form.executor(&some.url()), 640), 640);
        }
    }
}

#[test]
fn promise_13_a_message_too_large_for_the_proxy_costs_itself_alone() {
    let server = RedisServer::start();
    let limit = |command: &crate::refusing::Command<'_>| {
        (command.bytes > 1024 * 1024).then(|| "ERR request larger than 1 MB".to_owned())
    };
    for form in Form::ALL {
        let _ = server.command(&["FLUSHDB"]);
        let proxy = Refusing::start(server.port(), limit);
        let account = flush(airlock::scope().executor(form.executor(&proxy.url())), || {
            note::enqueue(1).expect("there is a scope");
            heavy::enqueue(2, "x".repeat(3_000_000)).expect("there is a scope");
            note::enqueue(3).expect("there is a scope");
        });
        account.expect(&[("dispatched", 2), ("rejected", 1)]);
        assert_eq!(account.ends[1].1, "rejected");
        if form == Form::Celery {
            assert_eq!(form.count(&server, "notes"), Some(2));
        } else {
            agree(form, &server, &account, 3);
        }
    }
}

/// A user who may do that and no more, as the executor's URL names them.
fn user(server: &RedisServer, rights: &str) -> String {
    let _ = server.command(&["FLUSHDB"]);
    let rights = rights.split_whitespace();
    let command: Vec<&str> =
        ["ACL", "SETUSER", "web", "reset", "on", ">secret", "~*"].into_iter().chain(rights).collect();
    let _ = server.command(&command);
    server.url().replace("//", "//web:secret@")
}

#[test]
fn promise_13_an_account_without_a_right_leaves_nothing_and_is_told_which() {
    let server = RedisServer::start();
    let rights = |form: Form| match form {
        Form::Celery | Form::Huey => vec!["+lpush"],
        Form::HueyPriority => vec!["+zadd"],
        Form::DjangoQ => vec!["+rpush"],
        Form::Dramatiq => vec!["+eval", "+hset", "+rpush", "+hdel"],
    };
    for form in Form::ALL {
        let enough = user(&server, &rights(form).join(" "));
        flush_notes(form.executor(&enough), 100).expect(&[("dispatched", 100)]);
        for missing in rights(form) {
            // To take back is needed only if something is to be taken back.
            if missing == "+hdel" {
                continue;
            }
            for others in [rights(form), rights(form).into_iter().filter(|right| *right != "+hdel").collect()] {
                let kept: Vec<&str> = others.into_iter().filter(|right| *right != missing).collect();
                let account = flush_notes(form.executor(&user(&server, &kept.join(" "))), 100);
                account.expect(&[("rejected", 100)]);
                account.says("NOPERM");
                account.says(&missing[1..].to_uppercase());
                assert!(!account.texts.concat().contains("secret"));
                assert_eq!(server.command(&["DBSIZE"]), Value::Int(0), "{form:?} without {missing}");
            }
        }
    }
}

#[test]
fn promise_13_commands_that_the_server_knows_by_another_name_leave_nothing() {
    for (renamed, forms) in [
        ("LPUSH", vec![Form::Celery, Form::Huey]),
        ("ZADD", vec![Form::HueyPriority]),
        ("RPUSH", vec![Form::DjangoQ, Form::Dramatiq]),
        ("EVAL", vec![Form::Dramatiq]),
        ("HSET", vec![Form::Dramatiq]),
    ] {
        let server = RedisServer::start_with(&["--rename-command", renamed, ""]);
        for form in forms {
            let account = flush_notes(form.executor(&server.url()), 100);
            account.expect(&[("rejected", 100)]);
            account.says(renamed);
            assert_eq!(server.command(&["DBSIZE"]), Value::Int(0), "{form:?} without {renamed}");
        }
    }
    // What they don't need may be gone.
    let server = RedisServer::start_with(&["--rename-command", "MULTI", "", "--rename-command", "EXEC", ""]);
    for form in Form::ALL {
        let _ = server.command(&["FLUSHDB"]);
        flush_notes(form.executor(&server.url()), 100).expect(&[("dispatched", 100)]);
    }
}

#[test]
fn promise_13_of_a_message_whose_id_can_not_be_pushed_nothing_stays() {
    let server = RedisServer::start();
    let executor = Form::Dramatiq.executor(&server.url());
    for (key, other) in [("dramatiq:notes", "dramatiq:notes.msgs"), ("dramatiq:notes.msgs", "dramatiq:notes")] {
        let _ = server.command(&["FLUSHDB"]);
        let _ = server.command(&["SET", key, "something else"]);
        let account = flush_notes(executor.clone(), 100);
        account.expect(&[("rejected", 100)]);
        account.says("WRONGTYPE");
        assert_eq!(server.command(&["EXISTS", other]), Value::Int(0), "{other}");
    }

    // Without the right to take it back, it is told what is there.
    let url = user(&server, "+eval +hset +rpush");
    let _ = server.command(&["SET", "dramatiq:notes", "something else"]);
    let account = flush_notes(Form::Dramatiq.executor(&url), 10);
    account.expect(&[("rejected", 10)]);
    account.says("stays in the hash");
    assert_eq!(server.command(&["HLEN", "dramatiq:notes.msgs"]), Value::Int(10));
}
