//! Redis at its worst: what is known then, and what is not.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use airlock::{CeleryExecutor, DramatiqExecutor};
use airlock_tests::servers::RedisServer;

use crate::proxy::Proxy;
use crate::redis_forms::Form;
use crate::tasks::{Account, flush, flush_notes, note, numbers};

const DEADLINE: Duration = Duration::from_secs(2);

/// What a refusal takes, however busy the machine: it waits for no deadline.
const AT_ONCE: Duration = Duration::from_secs(10);

/// The whole time for one form, and less for the others, of which the commands alone differ.
fn deadline(form: Form) -> Duration {
    if form == Form::Celery { DEADLINE } else { DEADLINE / 4 }
}

fn celery(url: &str) -> CeleryExecutor {
    CeleryExecutor::new(url).expect("a URL")
}

fn notes_until(executor: impl airlock::Executor, deadline: Duration, count: u64) -> Account {
    flush(airlock::scope().executor(executor).deadline(deadline), || {
        for number in 0..count {
            note::enqueue(number).expect("there is a scope");
        }
    })
}

#[test]
fn a_server_that_is_down_costs_one_attempt_and_the_rest_stays_here() {
    let mut server = RedisServer::start();
    server.kill();
    let executors = Form::ALL.map(|form| form.executor(&server.url()));
    for (form, executor) in Form::ALL.into_iter().zip(&executors) {
        let account = notes_until(Arc::clone(executor), deadline(form), 1_000);
        account.expect(&[("unavailable", 1), ("unattempted", 999)]);
        account.says("no connection to 127.0.0.1");
        account.took_at_most(deadline(form));
    }

    // It comes back, and the next flush works by itself.
    server.restart();
    for (form, executor) in Form::ALL.into_iter().zip(executors) {
        let _ = server.command(&["FLUSHDB"]);
        flush_notes(executor, 1_000).expect(&[("dispatched", 1_000)]);
        assert_eq!(form.count(&server, "notes"), Some(1_000), "{form:?}");
    }
}

#[test]
fn a_server_killed_between_two_flushes_loses_nothing_and_comes_back() {
    for form in Form::ALL {
        let mut server = RedisServer::start();
        let executor = form.executor(&server.url());
        flush_notes(Arc::clone(&executor), 100).expect(&[("dispatched", 100)]);
        server.kill();
        let account = notes_until(Arc::clone(&executor), deadline(form), 100);
        assert_eq!(account.count("dispatched") + account.count("unconfirmed"), 0, "{form:?} {account:?}");
        server.restart();
        flush_notes(executor, 100).expect(&[("dispatched", 100)]);
        assert_eq!(form.count(&server, "notes"), Some(200), "{form:?}");
    }
}

#[test]
fn a_restart_within_the_time_to_connect_is_not_even_noticed() {
    let mut server = RedisServer::start();
    let executor = celery(&server.url()).connect_timeout(Duration::from_secs(20));
    flush_notes(executor.clone(), 1).expect(&[("dispatched", 1)]);
    server.kill();
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| notes_until(executor, Duration::from_secs(30), 100));
        server.restart();
        flush.join().expect("no panic").expect(&[("dispatched", 100)]);
    });
}

#[test]
fn an_unknown_host_is_unavailable() {
    let account = notes_until(celery("redis://no-such-host.invalid:6379/0"), DEADLINE, 10);
    account.expect(&[("unavailable", 1), ("unattempted", 9)]);
    account.says("no connection to no-such-host.invalid:6379");
}

#[test]
fn a_wrong_password_is_rejected_and_told_to_nobody() {
    for form in Form::ALL {
        let server = RedisServer::start_with(&["--requirepass", "right"]);
        let right = server.url().replace("//", "//:right@");
        for url in [server.url().replace("//", "//:wr0ng@"), server.url()] {
            let account = flush_notes(form.executor(&url), 3);
            account.expect(&[("rejected", 3)]);
            account.took_at_most(AT_ONCE);
            account.says("user and password");
            assert!(!account.texts.concat().contains("wr0ng"), "{:?}", account.texts);
        }
        flush_notes(form.executor(&right), 3).expect(&[("dispatched", 3)]);
        assert!(!form.debug(&right).contains("right@"), "{form:?}");
    }
}

#[test]
fn a_database_that_does_not_exist_is_rejected() {
    let server = RedisServer::start();
    let account = flush_notes(celery(&server.url().replace("/0", "/99")), 3);
    account.expect(&[("rejected", 3)]);
    account.took_at_most(AT_ONCE);
    account.says("database 99");
}

#[test]
fn a_key_of_another_type_is_rejected_and_the_others_are_sent() {
    let server = RedisServer::start();
    for form in Form::ALL {
        let _ = server.command(&["FLUSHDB"]);
        let _ = server.command(&["SET", &form.key("notes"), "something else"]);
        let account = flush(airlock::scope().executor(form.executor(&server.url())), || {
            note::enqueue(1).expect("there is a scope");
            note::enqueue_with(airlock::Options::new().queue("others"), 2).expect("there is a scope");
        });
        account.expect(&[("rejected", 1), ("dispatched", 1)]);
        account.says("WRONGTYPE");
        assert_eq!(form.count(&server, "others"), Some(1), "{form:?}");
        if form == Form::Celery {
            assert_eq!(numbers(&server.list("others")), [2]);
        }
    }
}

#[test]
fn a_server_without_memory_is_unavailable_and_keeps_what_it_took() {
    for form in Form::ALL {
        let server = RedisServer::start_with(&["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"]);
        let account = flush_notes(form.executor(&server.url()), 50_000);
        account.says("OOM");
        let dispatched = account.count("dispatched");
        assert!(dispatched > 0 && account.count("unavailable") > 0 && account.count("unattempted") > 0, "{dispatched}");
        assert_eq!(account.count("unconfirmed"), 0);
        assert_eq!(form.count(&server, "notes"), Some(dispatched), "{form:?}");
    }
}

#[test]
fn a_read_only_replica_is_unavailable() {
    let server = RedisServer::start();
    let port = server.port().to_string();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port]);
    for form in Form::ALL {
        let account = flush_notes(form.executor(&replica.url()), 10);
        assert_eq!(account.count("dispatched") + account.count("unconfirmed"), 0, "{form:?} {account:?}");
        account.took_at_most(AT_ONCE);
        account.says("READONLY");
    }
}

#[test]
fn a_stopped_server_costs_the_deadline_once() {
    let server = RedisServer::start();
    let executor = celery(&server.url());
    flush_notes(executor.clone(), 1).expect(&[("dispatched", 1)]);
    server.signal("STOP");
    let account = notes_until(executor.clone(), DEADLINE, 10_000);
    account.took_at_most(DEADLINE);
    assert_eq!(account.count("dispatched"), 0);
    let (unconfirmed, unattempted) = (account.count("unconfirmed"), account.count("unattempted"));
    assert!(unconfirmed > 0, "{:?}", account.texts);

    // The next one finds no server, which is known for certain: nothing is sent.
    let account = notes_until(executor.clone(), DEADLINE, 100);
    account.took_at_most(DEADLINE);
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);
    server.signal("CONT");
    flush_notes(executor, 1).expect(&[("dispatched", 1)]);
    let there = server.list("notes").len();
    assert!(there <= 2 + unconfirmed, "{there}, and {unattempted} were not attempted");
}

#[test]
fn a_black_hole_costs_the_time_to_connect_and_no_more() {
    // It listens and never answers.
    let hole = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let executor = celery(&format!("redis://{}/0", hole.local_addr().expect("an address")));
    let short = Duration::from_millis(500);
    let account = notes_until(executor.clone().connect_timeout(Duration::from_secs(60)), DEADLINE, 100);
    account.took_at_most(DEADLINE);
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);
    let account = notes_until(executor.connect_timeout(short), DEADLINE, 100);
    account.took_at_most(short);
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);
}

/// One form has as many rounds as all others together: what differs is the command.
fn rounds(form: Form, usual: u64) -> u64 {
    crate::tasks::rounds(if form == Form::Celery { usual } else { usual.div_ceil(4) })
}

/// Those whose elements have the intent's id in them.
const WITH_IDS: [Form; 4] = [Form::Celery, Form::Huey, Form::HueyPriority, Form::DjangoQ];

#[test]
fn a_connection_cut_after_any_byte_leaves_no_doubt_about_what_was_dispatched() {
    let server = RedisServer::start();
    for form in WITH_IDS {
        let _ = server.command(&["FLUSHDB"]);
        let whole = whole(form, &server);
        for round in 0..rounds(form, 10) {
            let _ = server.command(&["DEL", &form.key("notes")]);
            let proxy = Proxy::start(server.port(), Some(crate::tasks::random(round) % whole));
            // There is no server behind the proxy any more: no use in waiting.
            let executor = form.executor_within(&proxy.redis_url(), Duration::from_millis(300));
            let account = notes_until(executor, Duration::from_secs(20), 10_000);
            account.agrees_with(&form.ids(&server, "notes"), 10_000);
        }
    }
}

/// What is in the queue is in order, and once; gives how many there are.
#[track_caller]
fn in_order(form: Form, server: &RedisServer, account: &Account) -> usize {
    let mut enqueued = account.ends.iter().map(|(id, _)| id);
    let queued = form.queued(server, "notes");
    for id in &queued {
        assert!(enqueued.any(|own| own == id), "{form:?}: {id} is there twice, or behind a later one");
    }
    queued.len()
}

/// How many bytes a flush of 10,000 takes.
fn whole(form: Form, server: &RedisServer) -> u64 {
    let proxy = Proxy::start(server.port(), None);
    flush_notes(form.executor(&proxy.redis_url()), 10_000).expect(&[("dispatched", 10_000)]);
    proxy.passed()
}

#[test]
fn promise_4_order_holds_over_a_connection_that_is_lost_and_nothing_is_there_twice() {
    let (server, long) = (RedisServer::start(), Duration::from_secs(30));
    for form in Form::ALL {
        let _ = server.command(&["FLUSHDB"]);
        let whole = whole(form, &server);
        for round in 0..rounds(form, 10) {
            let _ = server.command(&["FLUSHDB"]);
            let proxy = Proxy::stumbling(server.port(), 50_000 + crate::tasks::random(round) % (whole - 50_000));
            let executor = form.executor(&proxy.redis_url());
            let account = notes_until(Arc::clone(&executor), long, 10_000);
            let there = in_order(form, &server, &account);
            assert!(there >= account.count("dispatched"), "{form:?} {:?}", account.texts);
            notes_until(executor, long, 10).expect(&[("dispatched", 10)]);
        }
    }
}

#[test]
fn promise_4_nothing_overtakes_what_a_lost_connection_still_carries() {
    for form in Form::ALL {
        let (server, long) = (RedisServer::start(), Duration::from_secs(30));
        let limit = whole(form, &server) / 8;
        let _ = server.command(&["FLUSHDB"]);
        let (proxy, let_go) = Proxy::lagging(server.port(), limit);
        let executor = form.executor(&proxy.redis_url());
        let account = notes_until(Arc::clone(&executor), long, 10_000);
        assert!(account.count("unavailable") > 0, "{form:?} {:?}", account.texts);
        let_go();
        let there = in_order(form, &server, &account);
        assert!(there >= account.count("dispatched"), "{form:?} {:?}", account.texts);
        assert!(account.count("unconfirmed") > 0, "{form:?} {:?}", account.texts);
        assert_eq!(account.ends.len(), 10_000);
        notes_until(executor, long, 10).expect(&[("dispatched", 10)]);
    }
}

#[test]
fn messages_of_dramatiq_are_there_as_a_whole_or_not_at_all() {
    let server = RedisServer::start();
    for round in 0..crate::tasks::rounds(5) {
        let _ = server.command(&["FLUSHDB"]);
        let proxy = Proxy::start(server.port(), Some(crate::tasks::random(round) % 3_000_000));
        let executor = DramatiqExecutor::new(proxy.redis_url()).expect("a URL");
        let account = notes_until(executor, Duration::from_secs(20), 5_000);
        let fields = server.list("dramatiq:notes");
        let messages = fields.iter().map(|field| {
            let redis::Value::BulkString(message) = server.command(&["HGET", "dramatiq:notes.msgs", field]) else {
                panic!("{field} is in the list and has no message")
            };
            let message: serde_json::Value = serde_json::from_slice(&message).expect("JSON");
            message["message_id"].as_str().expect("an id").to_owned()
        });
        account.agrees_with(&messages.collect(), 5_000);
        assert_eq!(server.command(&["HLEN", "dramatiq:notes.msgs"]), redis::Value::Int(fields.len() as i64));
    }
}

#[test]
fn a_server_killed_in_the_middle_of_a_flush_leaves_no_doubt_either() {
    for form in WITH_IDS {
        for round in 0..rounds(form, 10) {
            let mut server = RedisServer::start();
            let executor = form.executor(&server.url());
            flush_notes(executor.clone(), 1).expect(&[("dispatched", 1)]);
            let account = std::thread::scope(|scope| {
                let flush = scope.spawn(|| notes_until(executor, DEADLINE, 10_000));
                let some = 1 + crate::tasks::random(round) as usize % 5_000;
                airlock_tests::process::until("some have arrived", || {
                    flush.is_finished() || form.count(&server, "notes").is_some_and(|count| count > some)
                });
                server.kill();
                flush.join().expect("no panic")
            });
            server.restart();
            account.agrees_with(&form.ids(&server, "notes"), 10_000);
        }
    }
}
