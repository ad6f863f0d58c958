//! A relay to Celery beside the direct flush of the same.

use std::time::{Duration, Instant};

use airlock::{CeleryExecutor, Executor, Outbox, Worker};
use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, RabbitServer, RedisServer};

const ROWS: u64 = 10_000;

#[airlock::task(name = "bench.note", queue = "bench")]
fn note(number: u64);

/// Over Redis and RabbitMQ, from a SQLite file.
pub(super) fn measure() {
    let (redis, rabbit) = (RedisServer::start(), RabbitServer::start());
    for (name, url) in [("Redis", redis.url()), ("RabbitMQ", rabbit.url())] {
        let folder = Folder::fresh("bench");
        let database = format!("sqlite://{}/bench.db", folder.path().display());
        Database::at(&database).run("PRAGMA journal_mode = WAL");
        let celery = CeleryExecutor::new(url).expect("a URL").declare();
        let outbox = Outbox::new(&database).expect("a URL");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(outbox.migrate()).expect("the table is made");
        let mut ratios = Vec::new();
        for round in 0..5 {
            let direct = flush(celery.clone());
            flush(outbox.clone());
            let relayed = runtime.block_on(relay(&outbox, celery.clone()));
            ratios.push(relayed / direct);
            println!("{name}, round {round}: flushed {direct:.0}/s, relayed {relayed:.0}/s ({:.2})", relayed / direct);
            runtime.block_on(outbox.prune(Duration::ZERO)).expect("an answer");
        }
        ratios.sort_by(f64::total_cmp);
        println!("relay to Celery over {name}: {:.2} of the direct flush; the budget is 0.5", ratios[2]);
    }
}

/// One flush, in messages or rows a second.
fn flush(executor: impl Executor) -> f64 {
    let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(60)).enter();
    for number in 0..ROWS {
        note::enqueue(number).expect("there is a scope");
    }
    let start = Instant::now();
    scope.flush().expect("all is taken");
    ROWS as f64 / start.elapsed().as_secs_f64()
}

async fn relay(outbox: &Outbox, celery: CeleryExecutor) -> f64 {
    let worker = Worker::new(outbox.clone()).queues(["bench"]).through(celery);
    let counters = worker.counters();
    let start = Instant::now();
    let all_done = async {
        while counters.now().done < ROWS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    worker.run_until(all_done).await.expect("it starts");
    ROWS as f64 / start.elapsed().as_secs_f64()
}
