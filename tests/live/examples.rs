//! The examples for live systems, as their comments say: a producer and its worker.

use std::path::{Path, PathBuf};
use std::process::Command;

use airlock_tests::process::{Folder, Process};
use airlock_tests::python::python;
use airlock_tests::servers::{DjangoDatabase, RabbitServer, RedisServer};

use crate::fleet::SECRET;

/// An example's program; built with the features of the whole suite, so that nothing is built twice.
fn example(name: &str) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--all-features", "--example", name])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status()
        .unwrap();
    assert!(built.success());
    let deps = std::env::current_exe().unwrap();
    deps.ancestors().nth(2).unwrap().join("examples").join(name)
}

/// The worker prints what the example sends.
fn run(name: &str, broker: &str, worker: &[&str], is_ready: &str) {
    let folder = Folder::fresh("example");
    let mut command = Command::new(python());
    command
        .args(worker)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/workers"))
        .env("BROKER", broker)
        .env("SECRET_KEY", SECRET)
        .env("HUEY_SECRET", SECRET)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    let mut worker = Process::start(&mut command, folder.path().join("log"));
    worker.await_line(is_ready);

    let out = Command::new(example(name))
        .env("BROKER", broker)
        .env("SECRET_KEY", SECRET)
        .env("HUEY_SECRET", SECRET)
        .output()
        .unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success() && said.contains("3 enqueued: 3 dispatched"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    for line in ["receipt for order 1", "receipt for order 2, express", "how did you like order 1?"] {
        worker.await_line(line);
    }
}

#[test]
fn celery_workers_run_what_the_example_sends() {
    let (redis, rabbit) = (RedisServer::start(), RabbitServer::shared());
    for broker in [redis.url(), rabbit.url()] {
        let worker = [
            "-m",
            "celery",
            "-A",
            "celery_worker",
            "worker",
            "--queues",
            "mail",
            "--loglevel",
            "INFO",
            "--concurrency",
            "1",
        ];
        run("celery", &broker, &worker, " ready.");
    }
}

#[test]
fn celery_workers_run_what_the_example_of_a_relay_committed() {
    let (redis, folder) = (RedisServer::start(), Folder::fresh("example"));
    let mut command = Command::new(python());
    command
        .args(["-m", "celery", "-A", "celery_worker", "worker", "--queues", "mail", "--loglevel", "INFO"])
        .args(["--concurrency", "1"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/workers"))
        .env("BROKER", redis.url())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    let mut worker = Process::start(&mut command, folder.path().join("log"));
    worker.await_line(" ready.");
    let out = Command::new(example("relay")).env("BROKER", redis.url()).output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success() && said.contains("relayed: 4 done"), "{said}");
    assert!(said.contains("rolled back: order 3 is not paid"), "{said}");
    for line in ["receipt for order 1", "receipt for order 2, express", "how did you like order 1?", "order 2?"] {
        worker.await_line(line);
    }
    assert!(!worker.log().contains("order 3"), "{}", worker.log());
}

#[test]
fn dramatiq_workers_run_what_the_example_sends() {
    // Its queue has another shape than Celery's of the same name.
    let (redis, rabbit) = (RedisServer::start(), RabbitServer::start());
    for broker in [redis.url(), rabbit.url()] {
        let worker = ["-m", "dramatiq", "dramatiq_worker", "--queues", "mail", "--processes", "1", "--threads", "1"];
        run("dramatiq", &broker, &worker, "Worker process is ready for action.");
    }
}

#[cfg(feature = "lambda")]
#[test]
fn functions_in_python_and_in_rust_run_what_the_example_sends() {
    let (server, program) = (airlock_tests::servers::MotoServer::start(), example("lambda"));
    let said = |command: &mut Command| {
        let out = command.output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
        said
    };
    let sent = said(Command::new(&program).env("AWS_ENDPOINT_URL", server.url()));
    assert!(sent.contains("2 enqueued: 2 dispatched"), "{sent}");

    let handler = "import json, sys, lambda_handler; lambda_handler.handler(json.loads(sys.argv[1]), None)";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/workers");
    let mut receipts: Vec<_> = server
        .invocations()
        .iter()
        .map(|request| {
            let event = request.body();
            let mut python = Command::new(python());
            python.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&folder).args(["-c", handler, &event]);
            let in_python = said(&mut python);
            assert_eq!(said(Command::new(&program).args(["--event", &event])), in_python);
            in_python
        })
        .collect();
    receipts.sort();
    assert_eq!(receipts, ["receipt for order 1\n", "receipt for order 2, express\n"]);
}

#[test]
fn huey_consumers_run_what_the_example_sends() {
    let redis = RedisServer::start();
    let worker = ["-m", "huey.bin.huey_consumer", "huey_worker.huey", "--no-periodic"];
    run("huey", &redis.url(), &worker, "+ huey_worker.ask_for_review");
}

#[test]
fn a_cluster_of_django_q_runs_what_the_example_sends() {
    let redis = RedisServer::start();
    run("django_q", &redis.url(), &["django_q_worker.py"], "] running.");
}

#[test]
fn workers_of_django_run_what_the_example_sends() {
    for database in [DjangoDatabase::sqlite(), DjangoDatabase::postgres()] {
        // Migrated it is; its worker takes its time to say that it is there.
        let worker = ["django_tasks_worker.py", "db_worker", "--queue-name", "default,mail", "--no-startup-delay"];
        run("django_tasks", database.url(), &worker, "Starting worker");
    }
}
