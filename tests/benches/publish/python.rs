//! The producers of Celery and Dramatiq, each in a process that stays.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Way;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/publish/producers.py");

/// How many messages they send in a round.
const COUNT: usize = 1_000;

pub(crate) struct Producers {
    celery: Producer,
    dramatiq: Producer,
}

struct Producer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Producers {
    /// With the interpreter that `tests/run.sh` makes, or the one of `AIRLOCK_TEST_PYTHON`; `None` without one.
    pub(crate) fn start(celery: &str, dramatiq: &str) -> Option<Self> {
        let made = || concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python").to_owned();
        let python = std::env::var("AIRLOCK_TEST_PYTHON").unwrap_or_else(|_| made());
        let start = |system, url| Producer::start(&python, system, url);
        Some(Self { celery: start("celery", celery)?, dramatiq: start("dramatiq", dramatiq)? })
    }

    pub(crate) fn ways(&mut self) -> [Way<'_>; 2] {
        let Self { celery, dramatiq } = self;
        [
            Way::new("Python: Celery's apply_async", COUNT, |count| celery.publish(count)),
            Way::new("Python: Dramatiq's send", COUNT, |count| dramatiq.publish(count)),
        ]
    }
}

impl Producer {
    fn start(python: &str, system: &str, url: &str) -> Option<Self> {
        let mut command = Command::new(python);
        command.args([SCRIPT, system, url]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let (stdin, stdout) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, stdin, stdout })
    }

    fn publish(&mut self, count: usize) {
        writeln!(self.stdin, "{count}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n", "the producer has ended");
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
