//! Writes the files in `tests/wire` anew, by the real libraries on real brokers: when a library is updated.
//!
//! ```text
//! cargo run -p airlock-tests --all-features --bin capture_wire
//! ```
//!
//! The files name the version that wrote them. Read the diff.

use std::path::Path;
use std::process::{Command, ExitCode};

use airlock_tests::python::python;
use airlock_tests::servers::{RabbitServer, RedisServer};

fn main() -> std::io::Result<ExitCode> {
    let (redis, rabbit) = (RedisServer::start(), RabbitServer::start());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/capture.py");
    let status = Command::new(python()).arg(script).args([redis.url(), rabbit.url()]).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
