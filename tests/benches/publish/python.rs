//! The producers of the Python libraries, each in a process that stays.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Way;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/publish/producers.py");

/// How many messages they send in a round.
const COUNT: usize = 1_000;

pub(crate) struct Producers(Vec<(&'static str, Producer)>);

struct Producer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Producers {
    /// With the interpreter that `tests/run.sh` makes, or the one of `AIRLOCK_TEST_PYTHON`; `None` without one.
    pub(crate) fn start(systems: &[&'static str], url: &str) -> Option<Self> {
        let made = || concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python").to_owned();
        let python = std::env::var("AIRLOCK_TEST_PYTHON").unwrap_or_else(|_| made());
        let start = |system: &'static str| Some((system, Producer::start(&python, system, url)?));
        systems.iter().copied().map(start).collect::<Option<_>>().map(Self)
    }

    /// In the order of the systems.
    pub(crate) fn ways(&mut self) -> impl Iterator<Item = Way<'_>> {
        self.0.iter_mut().map(|(system, producer)| {
            let name = match *system {
                "celery" => "Python: Celery's apply_async",
                "dramatiq" => "Python: Dramatiq's send",
                "huey" => "Python: Huey's enqueue",
                _ => "Python: Django-Q's async_task",
            };
            Way::new(name, COUNT, |count| producer.publish(count))
        })
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
