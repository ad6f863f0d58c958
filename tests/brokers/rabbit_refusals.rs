//! One message that RabbitMQ can't take costs itself, and nothing that is sent beside it.

use std::time::Duration;

use airlock::{CeleryExecutor, DramatiqExecutor, Options};
use airlock_tests::servers::RabbitServer;

use crate::rabbit::{declare, drain, ids, queue_of_its_own};
use crate::tasks::{Account, flush, heavy, note};

/// Of flushes that end before.
const PATIENT: Duration = Duration::from_secs(60);

/// What a refusal takes, however busy the machine: it waits for no deadline.
const AT_ONCE: Duration = Duration::from_secs(10);

fn celery(server: &RabbitServer) -> CeleryExecutor {
    CeleryExecutor::new(server.url()).expect("a URL").connect_timeout(PATIENT).declare()
}

/// What a text is made of that must show nowhere.
const CONTENT: &str = "zq";

/// Messages whose texts have these sizes.
fn of_sizes(executor: impl airlock::Executor, queue: &str, sizes: &[usize]) -> Account {
    let account = flush(airlock::scope().executor(executor).deadline(PATIENT), || {
        for size in sizes {
            let options = Options::new().queue(queue.to_owned());
            heavy::enqueue_with(options, 1, CONTENT.repeat(size / CONTENT.len())).expect("there is a scope");
        }
    });
    account.took_at_most(AT_ONCE);
    account
}

fn ends(account: &Account) -> Vec<&'static str> {
    account.ends.iter().map(|(_, end)| *end).collect()
}

/// That what is there is what was dispatched.
#[track_caller]
fn agrees(server: &RabbitServer, queue: &str, account: &Account) {
    let there = ids(&server.url(), queue);
    account.agrees_with(&there, account.ends.len());
    assert_eq!(there.len(), account.count("dispatched"));
}

#[test]
fn a_message_above_the_servers_limit_is_rejected_alone() {
    let (server, queue) = (RabbitServer::start_with("max_message_size = 65536\n"), queue_of_its_own());
    // A connection that knows nothing yet, and one that has sent small ones.
    for has_sent in [false, true] {
        let executor = celery(&server);
        if has_sent {
            of_sizes(executor.clone(), &queue, &[10, 60_000]).expect(&[("dispatched", 2)]);
            let _ = drain(&server.url(), &queue);
        }
        let account = of_sizes(executor.clone(), &queue, &[10, 100_000, 10]);
        assert_eq!(ends(&account), ["dispatched", "rejected", "dispatched"], "{:?}", account.texts);
        account.says("allows 65536; send less, or raise `max_message_size`");
        account.says("the message takes 1000");
        assert!(!account.texts.concat().contains(CONTENT), "{:?}", account.texts);
        agrees(&server, &queue, &account);

        // Also in the middle of many, and to the byte: a body has some beside the text.
        let mut sizes = vec![10; 3_000];
        (sizes[7], sizes[1_500], sizes[2_999]) = (65_536, 70_000, 200_000);
        let account = of_sizes(executor, &queue, &sizes);
        account.expect(&[("dispatched", 2_997), ("rejected", 3)]);
        agrees(&server, &queue, &account);
    }
}

#[test]
fn flushes_beside_one_with_a_message_that_is_too_large_lose_nothing() {
    let (server, queue) = (RabbitServer::start_with("max_message_size = 65536\n"), queue_of_its_own());
    let executor = celery(&server);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (executor, queue) = (executor.clone(), &queue);
            scope.spawn(move || {
                for _ in 0..5 {
                    let large = if number % 2 == 0 { 100_000 } else { 50_000 };
                    let account = of_sizes(executor.clone(), queue, &[10, large, 10]);
                    let middle = if number % 2 == 0 { "rejected" } else { "dispatched" };
                    assert_eq!(ends(&account), ["dispatched", middle, "dispatched"], "{:?}", account.texts);
                }
            });
        }
    });
    assert_eq!(drain(&server.url(), &queue).len(), 8 * 5 * 2 + 4 * 5);
}

#[test]
fn a_limit_below_the_size_that_is_asked_about_first_is_kept_to_the_byte() {
    let (server, queue) = (RabbitServer::start_with("max_message_size = 300\n"), queue_of_its_own());
    let sizes: Vec<_> = (0..400).step_by(2).collect();
    let account = of_sizes(celery(&server), &queue, &sizes);
    let dispatched = account.count("dispatched");
    assert!((50..150).contains(&dispatched), "{:?}", account.texts);
    assert!(account.ends[..dispatched].iter().all(|(_, end)| *end == "dispatched"), "{:?}", account.ends);
    assert!(account.ends[dispatched..].iter().all(|(_, end)| *end == "rejected"), "{:?}", account.ends);
    let largest = drain(&server.url(), &queue).iter().map(|message| message.delivery.data.len()).max();
    assert!(largest.is_some_and(|largest| (299..=300).contains(&largest)), "{largest:?}");
}

#[test]
fn headers_above_the_frame_that_was_negotiated_are_rejected_alone_and_to_the_byte() {
    let (server, queue) = (RabbitServer::start_with("frame_max = 8192\n"), queue_of_its_own());
    let executor = celery(&server);
    let account = flush(airlock::scope().executor(executor).deadline(PATIENT), || {
        for size in 7_000..7_800 {
            let options = Options::new().queue(queue.clone()).header("x-big", CONTENT.repeat(size)[..size].to_owned());
            note::enqueue_with(options, 1).expect("there is a scope");
            note::enqueue_with(Options::new().queue(queue.clone()), 1).expect("there is a scope");
        }
    });
    account.took_at_most(AT_ONCE);
    // Every second one is small, and there whatever became of the others.
    assert!(account.ends.iter().skip(1).step_by(2).all(|(_, end)| *end == "dispatched"), "{:?}", account.texts);
    let large: Vec<_> = account.ends.iter().step_by(2).map(|(_, end)| *end).collect();
    let taken = large.iter().take_while(|end| **end == "dispatched").count();
    assert!((1..800).contains(&taken), "{:?}", account.texts);
    assert!(large[taken..].iter().all(|end| *end == "rejected"), "{:?}", account.texts);
    // The first that is refused is one byte too large.
    account.says("take a frame of 8193 bytes and");
    account.says("raise `frame_max`");
    assert!(!account.texts.concat().contains(CONTENT), "{:?}", account.texts);
    agrees(&server, &queue, &account);
}

#[test]
fn many_small_headers_count_with_what_is_written_around_them() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    let account = flush(airlock::scope().executor(celery(&server)).deadline(PATIENT), || {
        for headers in [1, 12_000, 1] {
            let mut options = Options::new().queue(queue.clone());
            for number in 0..headers {
                options = options.header(format!("h{number}"), "");
            }
            note::enqueue_with(options, 1).expect("there is a scope");
        }
    });
    assert_eq!(ends(&account), ["dispatched", "rejected", "dispatched"], "{:?}", account.texts);
    agrees(&server, &queue, &account);
}

#[test]
fn names_at_the_limit_of_a_short_string_are_sent_and_longer_ones_end_no_connection() {
    let server = RabbitServer::shared();
    let longest = "q".repeat(255);
    let header = "h".repeat(255);
    let account = flush(airlock::scope().executor(celery(&server)).deadline(PATIENT), || {
        let options = Options::new().queue(longest.clone()).header(header.clone(), "é".repeat(300));
        note::enqueue_with(options, 1).expect("there is a scope");
    });
    account.expect(&[("dispatched", 1)]);
    assert_eq!(drain(&server.url(), &longest).len(), 1);

    // Dramatiq's worker has two more queues, whose names are longer.
    let dramatiq = DramatiqExecutor::new(server.url()).expect("a URL").connect_timeout(PATIENT).declare();
    let account = flush(airlock::scope().executor(dramatiq).deadline(PATIENT), || {
        note::enqueue_with(Options::new().queue("q".repeat(253)), 1).expect("there is a scope");
    });
    account.took_at_most(AT_ONCE);
    account.expect(&[("rejected", 1)]);
    account.says("has 256 bytes and 255 are possible");
}

#[test]
fn replies_to_a_consumer_of_the_same_channel_are_refused_before_anything_is_sent() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    declare(&server.url(), &queue);
    let executor = celery(&server);
    let account = flush(airlock::scope().executor(executor.clone()).deadline(PATIENT), || {
        let options = Options::new().queue(queue.clone());
        note::enqueue_with(options.extra("celery", "reply_to", "amq.rabbitmq.reply-to"), 1).expect("there is a scope");
    });
    account.expect(&[("rejected", 1)]);
    account.says("name a queue");
    let account = flush(airlock::scope().executor(executor).deadline(PATIENT), || {
        for to in ["replies", "amq.rabbitmq.reply-to.g2dkABByYWJiaXQ"] {
            let options = Options::new().queue(queue.clone()).extra("celery", "reply_to", to);
            note::enqueue_with(options, 1).expect("there is a scope");
        }
    });
    account.expect(&[("dispatched", 2)]);
    assert_eq!(drain(&server.url(), &queue).len(), 2);
}

#[test]
fn one_faulty_queue_among_good_ones_is_rejected_alone() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    // Reserved, a queue that is none, and one that is declared otherwise.
    let otherwise = queue_of_its_own();
    crate::rabbit::declare_for(&server.url(), &otherwise, 5);
    for faulty in ["amq.airlock", "amq.rabbitmq.reply-to", &otherwise] {
        let account = flush(airlock::scope().executor(celery(&server)).deadline(PATIENT), || {
            for queue in [&queue, faulty, &queue] {
                note::enqueue_with(Options::new().queue(queue.to_owned()), 1).expect("there is a scope");
            }
        });
        account.took_at_most(AT_ONCE);
        assert_eq!(ends(&account), ["dispatched", "rejected", "dispatched"], "{faulty}: {:?}", account.texts);
        agrees(&server, &queue, &account);
    }
}

#[test]
fn options_at_their_ends_are_taken_among_others() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    let executor = celery(&server).max_priority(9);
    let far = std::time::UNIX_EPOCH + Duration::from_secs(253_370_764_799);
    let options = [
        Options::new().priority(0),
        Options::new().priority(9),
        Options::new().expires_in(Duration::from_secs(315_359_999)),
        Options::new().expires_in(Duration::from_secs(315_360_000)),
        Options::new().expires_at(far),
        Options::new().eta(far),
        Options::new().eta(std::time::UNIX_EPOCH),
        Options::new().delay(Duration::from_nanos(1)),
        Options::new().origin("x".repeat(300)).label("y".repeat(300)),
    ];
    let count = options.len();
    let account = flush(airlock::scope().executor(executor).deadline(PATIENT), || {
        for options in options {
            note::enqueue_with(options.queue(queue.clone()), 1).expect("there is a scope");
        }
    });
    account.expect(&[("dispatched", count)]);
    agrees(&server, &queue, &account);
}
