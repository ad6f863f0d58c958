//! The Python environment with the real libraries, and real workers from it.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::value::RawValue;

use crate::process::{Folder, Process, until};

/// The interpreter of the environment that `tests/run.sh` makes: `AIRLOCK_TEST_PYTHON`, else `target/python`.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn python() -> PathBuf {
    interpreter("AIRLOCK_TEST_PYTHON", "python")
}

/// That of the environment with Huey 2: `AIRLOCK_TEST_PYTHON_HUEY2`, else `target/python-huey2`.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn huey2() -> PathBuf {
    interpreter("AIRLOCK_TEST_PYTHON_HUEY2", "python-huey2")
}

/// Whether there is [`python`], for what can do without.
#[must_use]
pub fn has_python() -> bool {
    place("AIRLOCK_TEST_PYTHON", "python").exists()
}

fn place(variable: &str, environment: &str) -> PathBuf {
    let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(environment).join("bin/python");
    std::env::var_os(variable).map_or_else(made, PathBuf::from)
}

fn interpreter(variable: &str, environment: &str) -> PathBuf {
    let python = place(variable, environment);
    assert!(python.exists(), "there is no {}; run tests/run.sh, which makes it", python.display());
    python
}

/// What a worker wrote down when it ran a task.
#[derive(Debug, serde::Deserialize)]
pub struct Run {
    /// The task's name.
    pub task: String,
    /// The message's id.
    pub id: String,
    /// The positional arguments, as Python writes what it was given.
    pub args: Box<RawValue>,
    /// The named ones.
    pub kwargs: Box<RawValue>,
    /// When it started, in seconds since 1970.
    pub time: f64,
    /// What else the worker knew about the message.
    pub seen: serde_json::Value,
}

/// A real worker process, and what it has run.
#[derive(Debug)]
pub struct Worker {
    process: Process,
    folder: Folder,
}

impl Worker {
    /// `celery worker` on these queues, with further arguments, ready to take messages. The pool is `prefork` with one
    /// process unless they say otherwise.
    ///
    /// # Panics
    /// If it doesn't start.
    #[must_use]
    pub fn celery(broker: &str, queues: &str, settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = Folder::fresh("celery");
        let mut command = python_in(&folder, broker, settings);
        // Workers of one name would share a queue for control that only one of them may have.
        let name = folder.path().file_name().expect("a folder has a name").to_string_lossy().into_owned();
        command
            .args(["-m", "celery", "-A", "celery_worker", "worker", "--loglevel", "INFO", "--without-gossip"])
            .args(["--without-mingle", "--concurrency", "1", "-Q", queues])
            .args(["--hostname", &format!("{name}@localhost")])
            .args(arguments);
        let mut process = Process::start(&mut command, folder.path().join("log"));
        process.await_line(" ready.");
        Self { process, folder }
    }

    /// `dramatiq` with one process and one thread on these queues, with further arguments, ready to take messages.
    ///
    /// # Panics
    /// If it doesn't start.
    #[must_use]
    pub fn dramatiq(broker: &str, queues: &[&str], settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = Folder::fresh("dramatiq");
        let mut command = python_in(&folder, broker, settings);
        command
            .env("QUEUES", queues.join(","))
            .args(["-m", "dramatiq", "dramatiq_worker", "--processes", "1", "--threads", "1"])
            .args(arguments);
        let mut process = Process::start(&mut command, folder.path().join("log"));
        process.await_line("Worker process is ready for action.");
        Self { process, folder }
    }

    /// A Huey consumer with one thread on this queue, with further arguments, ready to take messages; of the Huey in
    /// [`python`] or [`huey2`].
    ///
    /// # Panics
    /// If it doesn't start.
    #[must_use]
    pub fn huey(of: PathBuf, broker: &str, queue: &str, settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = Folder::fresh("huey");
        let mut command = python_at(of, &folder, broker, settings);
        command
            .env("QUEUES", queue)
            .args(["-m", "huey.bin.huey_consumer", "huey_worker.huey", "--workers", "1", "--no-periodic"])
            .args(arguments);
        let mut process = Process::start(&mut command, folder.path().join("log"));
        process.await_line("+ tests.failing");
        Self { process, folder }
    }

    /// A cluster of Django-Q2 of this name with one worker, ready to take messages.
    ///
    /// # Panics
    /// If it doesn't start.
    #[must_use]
    pub fn django_q(broker: &str, cluster: &str, settings: &[(&str, &str)]) -> Self {
        let folder = Folder::fresh("django-q");
        let mut command = python_in(&folder, broker, settings);
        command.env("QUEUES", cluster).arg("django_q_worker.py");
        let mut process = Process::start(&mut command, folder.path().join("log"));
        process.await_line("] running.");
        Self { process, folder }
    }

    /// `manage.py db_worker` of django-tasks-db on these queues of the database at the URL, with further arguments, ready to
    /// take tasks.
    ///
    /// # Panics
    /// If it doesn't start.
    #[must_use]
    pub fn django_tasks(database: &str, queues: &str, arguments: &[&str]) -> Self {
        let folder = Folder::fresh("django-tasks");
        let mut command = django_in(&folder, database);
        command.args(["db_worker", "--no-startup-delay", "--interval", "0.1", "--queue-name", queues]).args(arguments);
        let mut process = Process::start(&mut command, folder.path().join("log"));
        process.await_line("Starting worker");
        Self { process, folder }
    }

    /// What it has run so far, in order.
    ///
    /// # Panics
    /// If it wrote something else.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let text = fs::read_to_string(self.folder.path().join("runs")).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect("the worker writes JSON")).collect()
    }

    /// Waits until it has run so many tasks, and gives them.
    ///
    /// # Panics
    /// With the worker's log, if they take longer than [`PATIENCE`](crate::patience::PATIENCE) after each other.
    #[track_caller]
    #[must_use]
    pub fn await_runs(&self, count: usize) -> Vec<Run> {
        let path = self.folder.path().join("runs");
        until("the first run", || path.exists());
        let mut file = File::open(path).expect("the record can be read");
        let (mut seen, mut new) = (0, Vec::new());
        while seen < count {
            until(&format!("run {} of {count}", seen + 1), || {
                assert!(self.is_alive(), "the worker has ended:\n{}", self.log());
                new.clear();
                file.read_to_end(&mut new).expect("the record can be read") > 0
            });
            seen += new.iter().filter(|byte| **byte == b'\n').count();
        }
        self.runs()
    }

    /// What it wrote to its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The lines of its log from level error on, and what Python prints of exceptions.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        let is_error = |line: &&str| ["ERROR", "CRITICAL", "Traceback"].iter().any(|word| line.contains(word));
        self.log().lines().filter(is_error).map(str::to_owned).collect()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// With its log, if it doesn't.
    pub fn await_end(&mut self) {
        until("the worker ends", || self.process.has_ended().is_some());
    }

    fn is_alive(&self) -> bool {
        Path::new("/proc").join(self.process.pid().to_string()).exists()
    }
}

/// Runs a command of the Django project to its end, on the database at the URL, and gives what it says.
///
/// # Panics
/// If it fails.
pub fn manage(database: &str, arguments: &[&str]) -> String {
    let folder = Folder::fresh("django");
    said_by(django_in(&folder, database).args(arguments))
}

/// Runs a script beside the workers' to its end, on the broker at the URL, and gives what it says.
///
/// # Panics
/// If it fails.
pub fn script(broker: &str, name: &str) -> String {
    let folder = Folder::fresh("script");
    said_by(python_in(&folder, broker, &[]).arg(name))
}

fn said_by(command: &mut Command) -> String {
    let output = command.output().expect("Python can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Python in the folder of the Django project.
fn django_in(folder: &Folder, database: &str) -> Command {
    let mut command = python_in(folder, database, &[]);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("workers/django")).arg("manage.py");
    command
}

/// Python in the folder of the workers' files, with what they are to know in the environment.
fn python_in(folder: &Folder, broker: &str, settings: &[(&str, &str)]) -> Command {
    python_at(python(), folder, broker, settings)
}

fn python_at(interpreter: PathBuf, folder: &Folder, broker: &str, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(interpreter);
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("workers"))
        .env("BROKER", broker)
        .env("RUNS", folder.path().join("runs"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1")
        .envs(settings.iter().copied());
    command
}
