//! Writes the files in `tests/wire` anew, by the real libraries on real brokers: when a library is updated.
//!
//! ```text
//! cargo run -p airlock-tests --all-features --bin capture_wire
//! ```
//!
//! The files name the version that wrote them. Read the diff.

use std::path::Path;
use std::process::{Command, ExitCode};

use airlock_tests::python::{huey2, manage, python};
use airlock_tests::servers::{DjangoDatabase, RabbitServer, RedisServer};

fn main() -> std::io::Result<ExitCode> {
    let (redis_server, rabbit_server) = (RedisServer::start(), RabbitServer::start());
    let (redis, rabbit) = (redis_server.url(), rabbit_server.url());
    let databases = [DjangoDatabase::sqlite(), DjangoDatabase::postgres()];
    let [sqlite, postgres] = databases.each_ref().map(|database| database.url().to_owned());
    let file = sqlite.trim_start_matches("sqlite://").to_owned();
    let workers = Path::new(env!("CARGO_MANIFEST_DIR")).join("workers");
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire");
    let scripts = [
        (python(), "capture_pickle.py", vec![]),
        (python(), "capture.py", vec![&redis, &rabbit]),
        (python(), "capture_huey.py", vec![&redis, &file, &postgres]),
        (huey2(), "capture_huey.py", vec![&redis, &file]),
        (python(), "capture_django_q.py", vec![&redis]),
        (python(), "capture_django_q.py", vec![&sqlite]),
        (python(), "capture_django_q.py", vec![&postgres]),
    ];
    for (python, script, arguments) in scripts {
        let mut command = Command::new(python);
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", &workers);
        let status = command.arg(wire.join(script)).args(arguments).status()?;
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    for database in &databases {
        manage(database.url(), &["shell", "-c", "import wire; wire.of_django_tasks()"]);
    }
    Ok(ExitCode::SUCCESS)
}
