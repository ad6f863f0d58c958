//! RabbitMQ at its worst: what is known then, and what is not.

use std::net::TcpListener;
use std::time::Duration;

use airlock::{CeleryExecutor, DramatiqExecutor};
use airlock_tests::servers::RabbitServer;

use crate::proxy::Proxy;
use crate::rabbit::{bodies, declare, declare_for, delete, drain, ids, queue_of_its_own};
use crate::tasks::{Account, flush, note};

/// Of flushes that don't end before.
const DEADLINE: Duration = Duration::from_secs(2);

/// Of those that do.
const PATIENT: Duration = Duration::from_secs(60);

/// What a refusal takes, however busy the machine: it waits for no deadline.
const AT_ONCE: Duration = Duration::from_secs(10);

fn celery(url: &str) -> CeleryExecutor {
    CeleryExecutor::new(url).expect("a URL")
}

/// One that waits for a connection as long as its flush does.
fn patient(url: &str) -> CeleryExecutor {
    celery(url).connect_timeout(PATIENT)
}

fn notes_until(executor: impl airlock::Executor, queue: &str, deadline: Duration, count: u64) -> Account {
    flush(airlock::scope().executor(executor).deadline(deadline), || {
        for number in 0..count {
            note::enqueue_with(airlock::Options::new().queue(queue.to_owned()), number).expect("there is a scope");
        }
    })
}

#[test]
fn a_server_that_is_down_killed_restarted_and_stopped() {
    let (mut server, queue) = (RabbitServer::start(), queue_of_its_own());
    let executor = patient(&server.url()).declare();
    notes_until(executor.clone(), &queue, PATIENT, 100).expect(&[("dispatched", 100)]);

    server.kill();
    let account = notes_until(executor.clone(), &queue, DEADLINE, 1_000);
    assert_eq!(account.count("dispatched") + account.count("unconfirmed"), 0, "{account:?}");
    account.took_at_most(DEADLINE);
    let account = notes_until(executor.clone(), &queue, DEADLINE, 1_000);
    account.expect(&[("unavailable", 1), ("unattempted", 999)]);
    account.says("no connection to 127.0.0.1");
    account.took_at_most(DEADLINE);

    server.restart();
    notes_until(executor.clone(), &queue, PATIENT, 100).expect(&[("dispatched", 100)]);

    server.signal("STOP");
    let account = notes_until(executor.clone(), &queue, DEADLINE, 10_000);
    account.took_at_most(DEADLINE);
    assert_eq!(account.count("dispatched"), 0);
    assert!(account.count("unconfirmed") > 0, "{:?}", account.texts);
    let account = notes_until(executor.clone(), &queue, DEADLINE, 100);
    account.took_at_most(DEADLINE);
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);
    server.signal("CONT");
    notes_until(executor, &queue, PATIENT, 100).expect(&[("dispatched", 100)]);
    assert!(drain(&server.url(), &queue).len() >= 300);
}

#[test]
fn a_wrong_password_and_a_wrong_virtual_host_are_rejected_and_told_apart() {
    let server = RabbitServer::shared();
    let port = server.port();
    let account = notes_until(patient(&format!("amqp://guest:wr0ng@127.0.0.1:{port}")), "q", PATIENT, 3);
    account.expect(&[("rejected", 3)]);
    account.took_at_most(AT_ONCE);
    account.says("user and password");
    assert!(!account.texts.concat().contains("wr0ng"), "{:?}", account.texts);

    let account = notes_until(patient(&format!("amqp://127.0.0.1:{port}/nowhere")), "q", PATIENT, 3);
    account.expect(&[("rejected", 3)]);
    account.took_at_most(AT_ONCE);
    account.says("no virtual host `nowhere`");
}

#[test]
fn a_queue_that_is_missing_is_rejected_and_the_others_are_sent() {
    let (server, there, missing) = (RabbitServer::shared(), queue_of_its_own(), queue_of_its_own());
    declare(&server.url(), &there);
    let executor = patient(&server.url());
    let account = flush(airlock::scope().executor(executor.clone()).deadline(PATIENT), || {
        for queue in [&there, &missing, &there, &missing] {
            note::enqueue_with(airlock::Options::new().queue(queue.clone()), 1).expect("there is a scope");
        }
    });
    account.expect(&[("dispatched", 2), ("rejected", 2)]);
    account.took_at_most(AT_ONCE);
    account.says(&format!("there is no queue `{missing}`"));
    assert_eq!(drain(&server.url(), &there).len(), 2);

    // It is there from now on.
    declare(&server.url(), &missing);
    notes_until(executor, &missing, PATIENT, 2).expect(&[("dispatched", 2)]);
}

#[test]
fn what_comes_back_is_told_apart_from_what_is_stored() {
    let (server, stays, goes) = (RabbitServer::shared(), queue_of_its_own(), queue_of_its_own());
    declare(&server.url(), &stays);
    declare(&server.url(), &goes);
    let executor = patient(&server.url());
    let both = |count: u64| {
        let scope = airlock::scope().executor(executor.clone()).deadline(PATIENT);
        flush(scope, || {
            for number in 0..count {
                let queue = if number % 3 == 0 { &goes } else { &stays };
                note::enqueue_with(airlock::Options::new().queue(queue.clone()), number).expect("there is a scope");
            }
        })
    };
    both(3).expect(&[("dispatched", 3)]);
    // The queue was there when it was looked for.
    delete(&server.url(), &goes);
    let account = both(3_000);
    account.expect(&[("rejected", 1_000), ("dispatched", 2_000)]);
    assert!(account.ends.iter().enumerate().all(|(at, (_, end))| (at % 3 == 0) == (*end == "rejected")));
    assert_eq!(drain(&server.url(), &stays).len(), 2_002);

    // Also where the answer is given before all confirms have come.
    for deadline in [50, 100, 200] {
        declare(&server.url(), &goes);
        both(3).expect(&[("dispatched", 3)]);
        delete(&server.url(), &goes);
        let scope = airlock::scope().executor(executor.clone()).deadline(Duration::from_millis(deadline));
        let account = flush(scope, || {
            for number in 0..3_000 {
                let queue = if number % 3 == 0 { &goes } else { &stays };
                note::enqueue_with(airlock::Options::new().queue(queue.clone()), number).expect("there is a scope");
            }
        });
        assert!(account.ends.iter().step_by(3).all(|(_, end)| *end != "dispatched"), "{:?}", account.texts);
    }
}

#[test]
fn a_queue_that_is_full_and_refuses_makes_the_rest_unavailable() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    declare_for(&server.url(), &queue, 5);
    let account = notes_until(patient(&server.url()), &queue, PATIENT, 100);
    account.says("could not store it in the queue");
    account.says("(nack)");
    assert_eq!(account.count("dispatched") + account.count("unavailable"), 100, "{:?}", account.texts);
    assert!((5..100).contains(&account.count("dispatched")));
    account.agrees_with(&ids(&server.url(), &queue), 100);
}

#[test]
fn a_user_who_may_not_publish_is_told_so_and_nothing_is_there() {
    let (server, queue) = (RabbitServer::start(), queue_of_its_own());
    declare(&server.url(), &queue);
    let _ = server.control(&["add_user", "reader", "s3cret"]);
    let _ = server.control(&["set_permissions", "reader", "", "", ".*"]);
    let executor = patient(&format!("amqp://reader:s3cret@127.0.0.1:{}", server.port()));
    for _ in 0..2 {
        let account = notes_until(executor.clone(), &queue, PATIENT, 3);
        account.took_at_most(AT_ONCE);
        account.says("ACCESS_REFUSED");
        account.says("allow this user to write there");
        assert_eq!(account.count("dispatched"), 0, "{:?}", account.texts);
        assert!(!account.texts.concat().contains("s3cret"), "{:?}", account.texts);
    }
    assert!(drain(&server.url(), &queue).is_empty());
}

#[test]
fn a_queue_that_is_declared_otherwise_is_rejected_and_explained() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    declare(&server.url(), &queue);
    let executor = DramatiqExecutor::new(server.url()).expect("a URL").declare().connect_timeout(PATIENT);
    let account = notes_until(executor, &queue, PATIENT, 3);
    account.expect(&[("rejected", 3)]);
    account.took_at_most(AT_ONCE);
    account.says("is declared otherwise");
    account.says("x-dead-letter-exchange");
}

#[test]
fn a_black_hole_costs_the_time_to_connect_and_no_more() {
    let hole = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let executor = celery(&format!("amqp://{}", hole.local_addr().expect("an address")));
    let account = notes_until(executor.connect_timeout(Duration::from_secs(60)), "q", DEADLINE, 100);
    account.took_at_most(DEADLINE);
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);
}

#[test]
fn a_server_without_memory_blocks_and_what_is_written_then_is_unconfirmed() {
    let (server, queue) = (RabbitServer::start(), queue_of_its_own());
    let executor = patient(&server.url()).declare();
    notes_until(executor.clone(), &queue, PATIENT, 1).expect(&[("dispatched", 1)]);
    let _ = server.control(&["set_vm_memory_high_watermark", "absolute", "1MB"]);
    airlock_tests::process::until("the alarm is up", || {
        let account = notes_until(executor.clone(), &queue, DEADLINE, 10);
        account.took_at_most(DEADLINE);
        account.count("unconfirmed") > 0
    });
    let account = notes_until(executor.clone(), &queue, DEADLINE, 10);
    account.says("connection.blocked");
    assert_eq!(account.count("dispatched"), 0);
    let _ = server.control(&["set_vm_memory_high_watermark", "0.4"]);
    airlock_tests::process::until("the alarm is over", || {
        notes_until(executor.clone(), &queue, DEADLINE * 5, 10).count("dispatched") == 10
    });
}

#[test]
fn a_connection_cut_after_any_byte_leaves_no_doubt_about_what_was_dispatched() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    let whole = {
        let proxy = Proxy::start(server.port(), None);
        let executor = celery(&proxy.amqp_url()).declare();
        notes_until(executor, &queue, PATIENT, 10_000).expect(&[("dispatched", 10_000)]);
        let _ = ids(&server.url(), &queue);
        proxy.passed()
    };
    for round in 0..crate::tasks::rounds(5) {
        let proxy = Proxy::start(server.port(), Some(crate::tasks::random(round) % whole));
        let account = notes_until(celery(&proxy.amqp_url()).declare(), &queue, PATIENT, 10_000);
        // The server may still be storing what it took.
        let there = ids(&server.url(), &queue);
        account.agrees_with(&there, 10_000);
    }
}

/// What is in the queue is in order, and once; gives how many there are.
fn in_order(server: &RabbitServer, queue: &str) -> usize {
    let number = |body: String| -> u64 {
        let digits: String = body.chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    let numbers: Vec<u64> = bodies(&server.url(), queue).into_iter().map(number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    numbers.len()
}

#[test]
fn promise_4_order_holds_over_a_connection_that_is_lost_and_nothing_is_there_twice() {
    let server = RabbitServer::shared();
    for round in 0..crate::tasks::rounds(3) {
        let queue = queue_of_its_own();
        let proxy = Proxy::stumbling(server.port(), 100_000 + crate::tasks::random(round) % 8_000_000);
        let executor = patient(&proxy.amqp_url()).declare();
        let account = notes_until(executor.clone(), &queue, PATIENT, 10_000);
        assert!(in_order(&server, &queue) >= account.count("dispatched"), "{:?}", account.texts);
        notes_until(executor, &queue, PATIENT, 10).expect(&[("dispatched", 10)]);
    }
}

#[test]
fn promise_4_nothing_overtakes_what_a_lost_connection_still_carries() {
    let server = RabbitServer::shared();
    let queue = queue_of_its_own();
    let (proxy, let_go) = Proxy::lagging(server.port(), 1_000_000);
    let executor = patient(&proxy.amqp_url()).declare();
    let account = notes_until(executor.clone(), &queue, PATIENT, 10_000);
    assert!(account.count("unavailable") > 0, "{:?}", account.texts);
    let_go();
    assert!(in_order(&server, &queue) >= account.count("dispatched"), "{:?}", account.texts);
    assert!(account.count("unconfirmed") > 0, "{:?}", account.texts);
    assert_eq!(account.ends.len(), 10_000);
    notes_until(executor, &queue, PATIENT, 10).expect(&[("dispatched", 10)]);
}

#[test]
fn a_flush_in_a_hurry_does_not_end_the_connection_of_the_others() {
    let (server, known, new) = (RabbitServer::start(), queue_of_its_own(), queue_of_its_own());
    let proxy = Proxy::start(server.port(), None);
    let executor = patient(&proxy.amqp_url()).declare();
    notes_until(executor.clone(), &known, PATIENT, 1).expect(&[("dispatched", 1)]);
    // It answers nothing for a moment, and lives.
    server.signal("STOP");
    let before = proxy.passed();
    std::thread::scope(|scope| {
        let others = scope.spawn(|| notes_until(executor.clone(), &known, PATIENT, 10));
        airlock_tests::process::until("they are under way", || proxy.passed() > before);
        let hurried = notes_until(executor.clone(), &new, Duration::from_millis(500), 1);
        server.signal("CONT");
        // The thread that says so is that of all tests here, and may come too late for this one.
        if hurried.count("unconfirmed") == 0 {
            hurried.expect(&[("unavailable", 1)]);
            hurried.says("no answer about the queue in time");
        }
        others.join().expect("no panic").expect(&[("dispatched", 10)]);
    });
}

#[test]
fn a_server_that_is_down_at_the_first_flush_costs_one_attempt() {
    let unused = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let executor = celery(&format!("amqp://{unused}")).connect_timeout(Duration::from_millis(300));
    let account = notes_until(executor, "q", DEADLINE, 100);
    account.took_at_most(Duration::from_millis(300));
    account.expect(&[("unavailable", 1), ("unattempted", 99)]);
}

#[test]
fn a_server_killed_in_the_middle_of_a_flush_leaves_no_doubt_either() {
    let (mut server, queue) = (RabbitServer::start(), queue_of_its_own());
    // A new queue is in the server's memory for a moment, whatever it answers: what is killed then forgets the queue.
    declare(&server.url(), &queue);
    let _ = server.control(&["eval", "mnesia:sync_log()."]);
    for round in 0..crate::tasks::rounds(3) {
        let executor = celery(&server.url()).declare().connect_timeout(DEADLINE);
        notes_until(executor.clone().connect_timeout(PATIENT), &queue, PATIENT, 1).expect(&[("dispatched", 1)]);
        let proxy = Proxy::start(server.port(), None);
        let through = celery(&proxy.amqp_url()).declare();
        let some = crate::tasks::random(round) % 5_000_000;
        let account = std::thread::scope(|scope| {
            let flush = scope.spawn(|| notes_until(through, &queue, PATIENT, 10_000));
            airlock_tests::process::until("some have left", || flush.is_finished() || proxy.passed() > some);
            server.kill();
            flush.join().expect("no panic")
        });
        server.restart();
        let there = ids(&server.url(), &queue);
        account.agrees_with(&there, 10_000);
    }
}
