//! Commands that are refused: what is reported and what is there agree.

use airlock_tests::servers::RedisServer;
use redis::Value;

use crate::redis_forms::Form;
use crate::refusing::Refusing;
use crate::tasks::{Account, flush, flush_notes, heavy, note, random, rounds};

const REFUSED: &str = "ERR refused by proxy";

/// That what was dispatched is there, nothing else is, and none is in doubt.
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
            // Without `MULTI` the rest is done one by one, and the next `EXEC` does what one was refused before.
            let may_be_done = name == "MULTI" || name == "EXEC";
            assert!(account.count("rejected") > 0 || may_be_done, "{form:?} without {name}");
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
        for round in 0..rounds(10) {
            let _ = server.command(&["FLUSHDB"]);
            let some = Refusing::start(server.port(), move |command| {
                // What takes back is let through.
                let is_sent = ["MULTI", "EXEC", "HSET", "RPUSH", "LPUSH", "ZADD"].contains(&command.name);
                let falls = is_sent && random(round + command.before as u64).is_multiple_of(4);
                falls.then(|| REFUSED.to_owned())
            });
            let account = flush_notes(form.executor(&some.url()), 640);
            let has_halves = form == Form::Dramatiq && take_halves(&server) > 0;
            account.agrees_with(&form.ids(&server, "notes"), 640);
            let is_told = account.texts.concat().contains("one half of it stays there");
            assert!(!has_halves || is_told || account.count("unconfirmed") > 0, "{:?}", account.texts);
            if !is_told && account.count("unconfirmed") == 0 {
                agree(form, &server, &account, 640);
            }
        }
    }
}

/// Takes away ids without a message, and gives how many there were.
fn take_halves(server: &RedisServer) -> usize {
    let has_message = |id: &&String| server.command(&["HEXISTS", "dramatiq:notes.msgs", id]) == Value::Int(1);
    let ids = server.list("dramatiq:notes");
    let halves: Vec<_> = ids.iter().filter(|id| !has_message(id)).collect();
    for id in &halves {
        let _ = server.command(&["LREM", "dramatiq:notes", "0", id]);
    }
    halves.len()
}

#[test]
fn promise_13_what_can_not_be_discarded_ends_with_its_connection() {
    let server = RedisServer::start();
    let mut was_refused = false;
    let proxy = Refusing::start(server.port(), move |command| {
        let falls = command.name == "DISCARD" || (command.name == "EXEC" && !was_refused);
        was_refused |= falls;
        falls.then(|| REFUSED.to_owned())
    });
    let executor = Form::Dramatiq.executor(&proxy.url());
    flush_notes(executor.clone(), 10).expect(&[("rejected", 10)]);
    let account = flush_notes(executor, 10);
    account.expect(&[("dispatched", 10)]);
    agree(Form::Dramatiq, &server, &account, 10);
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
    for (form, rights) in [
        (Form::Celery, &["+lpush"][..]),
        (Form::Huey, &["+lpush"]),
        (Form::HueyPriority, &["+zadd"]),
        (Form::DjangoQ, &["+rpush"]),
        (Form::Dramatiq, &["+hset", "+rpush", "+exec", "+multi"]),
    ] {
        let enough = user(&server, &rights.join(" "));
        flush_notes(form.executor(&enough), 100).expect(&[("dispatched", 100)]);
        for missing in rights.iter().filter(|right| **right != "+multi") {
            for more in ["", "+discard"] {
                let kept: Vec<&str> = rights.iter().copied().filter(|right| right != missing).chain([more]).collect();
                let executor = form.executor(&user(&server, &kept.join(" ")));
                // The second finds nothing of the first.
                for _ in 0..2 {
                    let account = flush_notes(executor.clone(), 100);
                    account.expect(&[("rejected", 100)]);
                    account.says("NOPERM");
                    account.says(&missing[1..].to_uppercase());
                    assert!(!account.texts.concat().contains("secret"));
                    assert_eq!(server.command(&["DBSIZE"]), Value::Int(0), "{form:?} without {missing}");
                }
            }
        }
    }
}

#[test]
fn promise_13_without_the_right_to_transactions_the_answers_to_the_writes_decide() {
    let server = RedisServer::start();
    for rights in ["+hset +rpush", "+hset +rpush +exec"] {
        let account = flush_notes(Form::Dramatiq.executor(&user(&server, rights)), 100);
        account.expect(&[("dispatched", 100)]);
        agree(Form::Dramatiq, &server, &account, 100);
    }
    // One write without the other is taken back.
    for rights in ["+rpush +lrem", "+hset +hdel"] {
        let account = flush_notes(Form::Dramatiq.executor(&user(&server, rights)), 100);
        account.expect(&[("rejected", 100)]);
        account.says("MULTI, HSET, RPUSH and EXEC");
        assert_eq!(server.command(&["DBSIZE"]), Value::Int(0), "{rights}");
    }
}

#[test]
fn promise_13_commands_that_the_server_knows_by_another_name_leave_nothing() {
    for (renamed, forms) in [
        ("LPUSH", vec![Form::Celery, Form::Huey]),
        ("ZADD", vec![Form::HueyPriority]),
        ("RPUSH", vec![Form::DjangoQ, Form::Dramatiq]),
        ("HSET", vec![Form::Dramatiq]),
        ("EXEC", vec![Form::Dramatiq]),
    ] {
        let server = RedisServer::start_with(&["--rename-command", renamed, ""]);
        for form in forms {
            let account = flush_notes(form.executor(&server.url()), 100);
            account.expect(&[("rejected", 100)]);
            account.says(renamed);
            assert_eq!(server.command(&["DBSIZE"]), Value::Int(0), "{form:?} without {renamed}");
        }
    }
    // What makes one of two commands is not needed to send both.
    let server = RedisServer::start_with(&["--rename-command", "MULTI", "", "--rename-command", "EXEC", ""]);
    for form in Form::ALL {
        let _ = server.command(&["FLUSHDB"]);
        flush_notes(form.executor(&server.url()), 100).expect(&[("dispatched", 100)]);
    }
}

#[test]
fn promise_13_of_a_message_that_can_be_written_by_half_only_nothing_stays() {
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
    let url = user(&server, "+multi +exec +hset +rpush");
    let _ = server.command(&["SET", "dramatiq:notes", "something else"]);
    let account = flush_notes(Form::Dramatiq.executor(&url), 10);
    account.expect(&[("rejected", 10)]);
    account.says("one half of it stays there");
    assert_eq!(server.command(&["HLEN", "dramatiq:notes.msgs"]), Value::Int(10));
}
