//! What publishing costs, beside the least that does the same job and beside the Python producers.
//!
//! `cargo bench -p airlock-tests --all-features --bench publish [-- --rounds 5] [--only redis|rabbit|sqlite|postgres]`
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
mod sql;

use std::time::{Duration, Instant, SystemTime};

use airlock::{BrokerMessage, CeleryExecutor, DramatiqExecutor, Executor, Intent};
use airlock_tests::python::has_python;
use airlock_tests::servers::{DjangoDatabase, RabbitServer, RedisServer};

/// One way to publish: a name, how many messages a round, and the round.
struct Way<'a> {
    name: String,
    count: usize,
    publish: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Way<'a> {
    fn new(name: impl Into<String>, count: usize, publish: impl FnMut(usize) + 'a) -> Self {
        Self { name: name.into(), count, publish: Box::new(publish) }
    }
}

/// Against what a way is compared: another one by its place, and the ratio it is to reach.
struct Budget {
    way: usize,
    against: usize,
    at_least: f64,
}

impl Budget {
    fn new(way: usize, against: usize, at_least: f64) -> Self {
        Self { way, against, at_least }
    }
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
    // Their tables are made by the libraries.
    if only.as_deref().is_none_or(|only| only == "sqlite") && has_python() {
        database("SQLite", rounds, &DjangoDatabase::sqlite());
    }
    if only.as_deref().is_none_or(|only| only == "postgres") && has_python() {
        database("Postgres", rounds, &DjangoDatabase::postgres());
    }
}

/// The places of the ways below.
const LIMIT: usize = 0;
const CELERY: usize = 1;
const DRAMATIQ: usize = 2;
const LIMIT_SINGLE: usize = 3;
const CELERY_SINGLE: usize = 4;
/// On RabbitMQ alone: what Celery's messages cost the client, with any client.
const HEADED: usize = 5;
/// On Redis alone.
const HUEY: usize = 5;
const DJANGO_Q: usize = 6;

/// What each system is asked: many messages at once, then `few` one at a time, with the limit before ours.
fn ways<'a>(
    limit: (&'static str, impl FnMut(usize) + 'a),
    (few, single_limit): (usize, (&'static str, impl FnMut(usize) + 'a)),
    celery: &'a CeleryExecutor,
    dramatiq: &'a DramatiqExecutor,
) -> Vec<Way<'a>> {
    vec![
        Way::new(limit.0, MANY, limit.1),
        Way::new("airlock, Celery, one flush", MANY, |count| ours::flush(celery, count)),
        Way::new("airlock, Dramatiq, one flush", MANY, |count| ours::flush(dramatiq, count)),
        Way::new(single_limit.0, few, single_limit.1),
        Way::new("airlock, Celery, one intent a flush", few, |count| ours::flushes(celery, count)),
    ]
}

fn redis(rounds: usize) {
    // As most are run: what is measured is the way there, and not the disk.
    let server = RedisServer::start_with(&["--appendonly", "no"]);
    let url = server.url();
    let mut pipelines = limit::RedisPipelines::new(&url);
    let mut hop = limit::RedisHop::new(&url);
    let (celery, dramatiq) = (ours::celery(&url), ours::dramatiq(&url));
    let (huey, django_q) = (ours::huey(&url), ours::django_q(&url));
    let mut python = python::Producers::start(&["celery", "dramatiq", "huey", "django_q"], &url);
    let mut ways = ways(
        ("limit: crate redis, pipelines of 1,000 LPUSH", |count| pipelines.push(count)),
        (500, ("limit: one LPUSH at a time, through a hop", |count| hop.push(count))),
        &celery,
        &dramatiq,
    );
    ways.push(Way::new("airlock, Huey, one flush", MANY, |count| ours::flush(&huey, count)));
    ways.push(Way::new("airlock, Django-Q, one flush", MANY, |count| ours::flush(&django_q, count)));
    let mut budgets = vec![Budget::new(CELERY, LIMIT, 0.5), Budget::new(CELERY_SINGLE, LIMIT_SINGLE, 0.8)];
    if let Some(python) = &mut python {
        budgets.push(Budget::new(CELERY, ways.len(), 50.0));
        budgets.push(Budget::new(DRAMATIQ, ways.len() + 1, 25.0));
        budgets.push(Budget::new(HUEY, ways.len() + 2, 15.0));
        budgets.push(Budget::new(DJANGO_Q, ways.len() + 3, 20.0));
        ways.extend(python.ways());
    }
    let empty = || drop(server.command(&["FLUSHDB"]));
    print("Redis", &measure(ways, rounds, empty), &budgets);
}

fn rabbit(rounds: usize) {
    let server = RabbitServer::start();
    let url = server.url();
    let (mut confirms, mut headed) = (limit::RabbitConfirms::new(&url), limit::RabbitConfirms::new(&url));
    let mut hop = limit::RabbitHop::new(&url);
    let (celery, dramatiq) = (ours::celery(&url).declare(), ours::dramatiq(&url).declare());
    let mut python = python::Producers::start(&["celery", "dramatiq"], &url);
    let mut ways = ways(
        ("limit: lapin, 1,000 confirms in flight", |count| confirms.publish(count)),
        (300, ("limit: lapin, one confirm at a time, through a hop", |count| hop.publish(count))),
        &celery,
        &dramatiq,
    );
    ways.push(Way::new("limit: the same with Celery's headers", MANY, |count| headed.publish_headed(count)));
    let mut budgets = vec![
        Budget::new(CELERY, LIMIT, 0.8),
        Budget::new(CELERY, HEADED, 0.8),
        Budget::new(DRAMATIQ, LIMIT, 0.8),
        Budget::new(CELERY_SINGLE, LIMIT_SINGLE, 0.8),
    ];
    if let Some(python) = &mut python {
        budgets.push(Budget::new(CELERY, ways.len(), 15.0));
        budgets.push(Budget::new(DRAMATIQ, ways.len() + 1, 10.0));
        ways.extend(python.ways());
    }
    let empty = || limit::purge(&url, &["limit", "celery", "default"]);
    print("RabbitMQ, durable queues, persistent messages, publisher confirms", &measure(ways, rounds, empty), &budgets);
}

/// Each system's flush beside an insertion of the same rows.
fn database(title: &str, rounds: usize, database: &DjangoDatabase) {
    let url = database.url();
    let (huey, django_q, django_tasks) = (ours::huey(url), ours::django_q(url), ours::django_tasks(url));
    let now = SystemTime::now();
    let mut ways = Vec::new();
    ways.extend(system(url, ["Huey's", "airlock, Huey, one flush"], &huey, |intent| {
        huey.message(intent, now).unwrap()
    }));
    ways.extend(system(url, ["Django-Q's", "airlock, Django-Q, one flush"], &django_q, |intent| {
        django_q.message(intent, now).unwrap()
    }));
    ways.extend(system(url, ["Django tasks'", "airlock, Django tasks, one flush"], &django_tasks, |intent| {
        django_tasks.message(intent, now).unwrap()
    }));
    let flushes = [2, 5, 8].into_iter();
    let budgets: Vec<_> = flushes.flat_map(|at| [1, 2].map(|before| Budget::new(at, at - before, 0.7))).collect();
    let mut open = database.open();
    let empty = || database.empty(&mut open);
    print(&format!("{title}, one transaction"), &measure(ways, rounds, empty), &budgets);
}

/// A system's flush, behind an insertion of its rows that are there already, which is the database's share, and one that
/// starts where the flush does: at the arguments, of which `message` makes each row first.
fn system<'a>(
    url: &str,
    [of, name]: [&'static str; 2],
    executor: &'a (impl Executor + Clone),
    message: impl Fn(&Intent) -> BrokerMessage + 'a,
) -> [Way<'a>; 3] {
    let of_order = move |order| message(&ours::intent(order));
    let mut made = sql::Insertions::made_before(url, MANY, &of_order);
    let mut making = sql::Insertions::making(url, of_order);
    [
        Way::new(format!("limit: INSERT of {of} rows, made before"), MANY, move |count| made.insert(count)),
        Way::new(format!("limit: `message` and INSERT of {of} rows"), MANY, move |count| making.insert(count)),
        Way::new(name, MANY, |count| ours::flush(executor, count)),
    ]
}

/// The messages a second of each way: the median of the rounds, which take turns.
fn measure(mut ways: Vec<Way<'_>>, rounds: usize, mut empty: impl FnMut()) -> Vec<(String, f64)> {
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
    ways.into_iter().zip(&mut rates).map(|(way, rates)| (way.name, median(rates))).collect()
}

fn print(title: &str, rates: &[(String, f64)], budgets: &[Budget]) {
    println!("\n{title}: messages a second\n");
    for (at, (name, rate)) in rates.iter().enumerate() {
        println!("{name:<52} {rate:>10.0}");
        for budget in budgets.iter().filter(|budget| budget.way == at) {
            let (against, other) = &rates[budget.against];
            let ratio = rate / other;
            let met = if ratio >= budget.at_least { "ok" } else { "BELOW" };
            println!("    {ratio:>7.2} x \"{against}\", at least {:.1} x: {met}", budget.at_least);
        }
    }
}
