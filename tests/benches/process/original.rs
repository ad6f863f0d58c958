//! The Python original, measured in the same rounds: a child process that runs a workload when told to.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) const HINT: &str = "the Python original is not measured: set AIRLOCK_PYTHON_ORIGINAL to a Python \
                               interpreter that has it (`pip install airlock-py==0.1.0a3`)";

/// A Python interpreter that has the original loaded.
pub(crate) struct Original {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Original {
    /// Starts it, if the environment says where it is.
    pub(crate) fn start() -> Option<Self> {
        let python = env::var_os("AIRLOCK_PYTHON_ORIGINAL")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/python/original.py");
        let mut child = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("AIRLOCK_PYTHON_ORIGINAL: {} doesn't start: {error}", python.display()));
        let (commands, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Some(Self { child, commands, answers })
    }

    /// One figure: nanoseconds, or bytes, for each of `count` intents.
    pub(crate) fn measure(&mut self, workload: &str, count: usize) -> f64 {
        writeln!(self.commands, "{workload} {count}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().parse().unwrap_or_else(|_| panic!("the Python original ended; its message is above"))
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
