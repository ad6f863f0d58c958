//! What publishing costs, beside the least that does the same job and beside the Python producers.
//!
//! `cargo bench -p airlock-tests --features amqp,celery,dramatiq,redis --bench publish [-- --rounds 5] [--only redis|rabbit]`
//!
//! Medians of interleaved rounds against local servers that it starts, in messages a second as the producer sees them,
//! everything acknowledged. Round trips to a local server vary by a factor with what else the cores do: only figures of
//! one run are to be compared. Nothing is asserted. The Python producers take part if `tests/run.sh`
//! has made their environment.
#![allow(clippy::print_stdout, reason = "the table is the point")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

mod limit;
mod ours;
mod python;

use std::time::{Duration, Instant};

use airlock_tests::servers::{RabbitServer, RedisServer};

/// One way to publish: a name, how many messages a round, and the round.
struct Way<'a> {
    name: &'static str,
    count: usize,
    publish: Box<dyn FnMut(usize) + 'a>,
}

/// Against what a way is compared: another one by its place, and the ratio it is to reach.
struct Budget {
    way: usize,
    against: usize,
    at_least: f64,
}

const MANY: usize = 10_000;

fn main() {
    let only = std::env::args().skip_while(|argument| argument != "--only").nth(1);
    let rounds = std::env::args().skip_while(|argument| argument != "--rounds").nth(1);
    let rounds = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    if only.as_deref().is_none_or(|only| only == "redis") {
        redis(rounds);
    }
    if only.as_deref().is_none_or(|only| only == "rabbit") {
        rabbit(rounds);
    }
}

fn redis(rounds: usize) {
    // As most are run: what is measured is the way there, and not the disk.
    let server = RedisServer::start_with(&["--appendonly", "no"]);
    let url = server.url();
    let mut pipelines = limit::RedisPipelines::new(&url);
    let mut hop = limit::RedisHop::new(&url);
    let (celery, dramatiq) = (ours::celery(&url), ours::dramatiq(&url));
    let mut python = python::Producers::start(&url, &server.url());
    let mut ways = vec![
        Way {
            name: "limit: crate redis, pipelines of 1,000 LPUSH",
            count: MANY,
            publish: Box::new(|count| pipelines.push(count)),
        },
        Way { name: "airlock, Celery, one flush", count: MANY, publish: Box::new(|count| ours::flush(&celery, count)) },
        Way {
            name: "airlock, Dramatiq, one flush",
            count: MANY,
            publish: Box::new(|count| ours::flush(&dramatiq, count)),
        },
        Way {
            name: "limit: one LPUSH at a time, through a hop",
            count: 500,
            publish: Box::new(|count| hop.push(count)),
        },
        Way {
            name: "airlock, Celery, one intent a flush",
            count: 500,
            publish: Box::new(|count| ours::flushes(&celery, count)),
        },
    ];
    let mut budgets = vec![Budget { way: 1, against: 0, at_least: 0.5 }, Budget { way: 4, against: 3, at_least: 0.8 }];
    if let Some(python) = &mut python {
        budgets.push(Budget { way: 1, against: ways.len(), at_least: 50.0 });
        budgets.push(Budget { way: 2, against: ways.len() + 1, at_least: 25.0 });
        ways.extend(python.ways());
    }
    let empty = || drop(server.command(&["FLUSHDB"]));
    print("Redis", &measure(ways, rounds, empty), &budgets);
}

fn rabbit(rounds: usize) {
    let server = RabbitServer::start();
    let url = server.url();
    let mut confirms = limit::RabbitConfirms::new(&url);
    let mut hop = limit::RabbitHop::new(&url);
    let (celery, dramatiq) = (ours::celery(&url).declare(), ours::dramatiq(&url).declare());
    let mut python = python::Producers::start(&url, &server.url());
    let mut ways = vec![
        Way {
            name: "limit: lapin, 1,000 confirms in flight",
            count: MANY,
            publish: Box::new(|count| confirms.publish(count)),
        },
        Way { name: "airlock, Celery, one flush", count: MANY, publish: Box::new(|count| ours::flush(&celery, count)) },
        Way {
            name: "airlock, Dramatiq, one flush",
            count: MANY,
            publish: Box::new(|count| ours::flush(&dramatiq, count)),
        },
        Way {
            name: "limit: lapin, one confirm at a time, through a hop",
            count: 300,
            publish: Box::new(|count| hop.publish(count)),
        },
        Way {
            name: "airlock, Celery, one intent a flush",
            count: 300,
            publish: Box::new(|count| ours::flushes(&celery, count)),
        },
    ];
    let mut budgets = vec![
        Budget { way: 1, against: 0, at_least: 0.8 },
        Budget { way: 2, against: 0, at_least: 0.8 },
        Budget { way: 4, against: 3, at_least: 0.8 },
    ];
    if let Some(python) = &mut python {
        budgets.push(Budget { way: 1, against: ways.len(), at_least: 15.0 });
        budgets.push(Budget { way: 2, against: ways.len() + 1, at_least: 10.0 });
        ways.extend(python.ways());
    }
    let empty = || limit::purge(&url, &["limit", "celery", "default"]);
    print("RabbitMQ, durable queues, persistent messages, publisher confirms", &measure(ways, rounds, empty), &budgets);
}

/// The messages a second of each way: the median of the rounds, which take turns.
fn measure(mut ways: Vec<Way<'_>>, rounds: usize, empty: impl Fn()) -> Vec<(&'static str, f64)> {
    let mut rates = vec![Vec::new(); ways.len()];
    for round in 0..=rounds {
        for (way, rates) in ways.iter_mut().zip(&mut rates) {
            let start = Instant::now();
            (way.publish)(way.count);
            let took = start.elapsed().max(Duration::from_nanos(1));
            // The first round makes connections and queues.
            if round > 0 {
                rates.push(way.count as f64 / took.as_secs_f64());
            }
            empty();
        }
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    ways.iter().zip(&mut rates).map(|(way, rates)| (way.name, median(rates))).collect()
}

fn print(title: &str, rates: &[(&'static str, f64)], budgets: &[Budget]) {
    println!("\n{title}: messages a second\n");
    for (at, (name, rate)) in rates.iter().enumerate() {
        println!("{name:<52} {rate:>10.0}");
        for budget in budgets.iter().filter(|budget| budget.way == at) {
            let (against, other) = rates[budget.against];
            let ratio = rate / other;
            let met = if ratio >= budget.at_least { "ok" } else { "BELOW" };
            println!("    {ratio:>7.2} x \"{against}\", at least {:.1} x: {met}", budget.at_least);
        }
    }
}
