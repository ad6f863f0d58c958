//! Relays that are killed in the middle of batches, alone and two at once.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use airlock::Outbox;
use airlock_tests::log::warnings_to_stderr;
use airlock_tests::patience::PATIENCE;
use airlock_tests::process::{Folder, Process};
use airlock_tests::servers::{RabbitServer, RedisServer};

use super::{Orders, block_on, celery, in_rabbit, in_redis, relay};
use crate::tasks::{numbers, random, rounds};

/// Database and broker of a process that relays.
const OUTBOX: &str = "AIRLOCK_TESTS_RELAY_OUTBOX";
const BROKER: &str = "AIRLOCK_TESTS_RELAY_BROKER";

/// How many rows a round brings: some batches.
const ROWS: u64 = 1500;

/// Not a test of its own: a process with a relay.
#[test]
#[ignore = "another test runs it, and kills it"]
fn relays_until_it_is_killed() {
    let (Ok(outbox), Ok(broker)) = (std::env::var(OUTBOX), std::env::var(BROKER)) else { return };
    warnings_to_stderr();
    let outbox = Outbox::new(outbox).expect("a URL");
    let _ = block_on(relay(outbox, celery(&broker)).run_until(std::future::pending()));
}

fn start(orders: &Orders, broker: &str, folder: &Folder, number: usize) -> Process {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "relay::killed::relays_until_it_is_killed", "--ignored", "--nocapture"]);
    command.env(OUTBOX, &orders.url).env(BROKER, broker);
    Process::start(&mut command, folder.path().join(format!("log-{number}")))
}

/// So many processes at once are killed so often, each time some milliseconds after the first rows were done.
fn killed(mut orders: Orders, broker: &str, relays: usize, usual: u64, there: impl Fn() -> Vec<String>) {
    let folder = Folder::fresh("relays");
    for round in 0..rounds(usual) {
        orders.place(ROWS, true);
        orders.place(10, false);
        let before = orders.done();
        let mut processes: Vec<_> = (0..relays).map(|number| start(&orders, broker, &folder, number)).collect();
        // Some rows of this round are done, and others under way.
        let some = before + random(round) % (ROWS / 2);
        let start = Instant::now();
        while orders.done() <= some {
            let said = || processes.iter().map(Process::log).collect::<String>();
            assert!(
                start.elapsed() < PATIENCE,
                "round {round}: {} of more than {some} are done: {}",
                orders.done(),
                said()
            );
            thread::park_timeout(Duration::from_millis(2));
        }
        processes.iter_mut().for_each(Process::kill);
    }
    let report = orders.drain(celery(broker));
    assert!(report.done > 0 || orders.done() > 0, "{report}");
    orders.assert_arrived(there());
}

#[test]
fn promise_26_relays_to_redis_that_are_killed_lose_nothing() {
    let server = RedisServer::start_with(&["--appendfsync", "no"]);
    killed(Orders::sqlite(), &server.url(), 1, 10, || in_redis(&server));
}

#[test]
fn promise_26_two_relays_to_rabbitmq_that_are_killed_lose_nothing() {
    let server = RabbitServer::start();
    killed(Orders::postgres(), &server.url(), 2, 10, || in_rabbit(&server));
}

#[test]
fn two_relays_of_one_process_hand_each_row_on_once() {
    let server = RedisServer::start_with(&["--appendfsync", "no"]);
    let mut orders = Orders::postgres();
    orders.place(ROWS, true);
    block_on(async {
        let done = || {
            super::until(async || orders.outbox.stats().await.expect("stats").count(airlock::OutboxState::Done) == ROWS)
        };
        let relays =
            [0, 1].map(|_| orders.relay(celery(&server.url())).lease(Duration::from_secs(30)).run_until(done()));
        let [one, two] = relays;
        let (one, two) = tokio::join!(one, two);
        assert_eq!(one.expect("it starts").done + two.expect("it starts").done, ROWS);
    });
    orders.assert_arrived(in_redis(&server));
}

#[test]
fn one_relay_to_redis_keeps_the_order_of_the_claims_over_several_batches() {
    let server = RedisServer::start_with(&["--appendfsync", "no"]);
    let mut orders = Orders::sqlite();
    orders.place(6000, true);
    orders.drain(celery(&server.url()));
    // The first is at the end of the list.
    let mut there = numbers(&server.list(super::QUEUE));
    there.reverse();
    assert_eq!(there, (0..6000).collect::<Vec<_>>());
    orders.assert_arrived(in_redis(&server));
}
