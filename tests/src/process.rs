//! Processes of this test run: each leads a process group, which ends with its handle, also when the test panics.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::patience::PATIENCE;

/// A port that no process listens on now.
///
/// # Panics
/// If the loopback interface has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback interface has a free port");
    listener.local_addr().expect("a listener has an address").port()
}

/// Looks every few milliseconds until it is so.
///
/// # Panics
/// After [`PATIENCE`].
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// What a server on the loopback interface is connected with.
#[derive(Debug)]
pub struct Clients {
    port: u16,
    sockets: HashSet<(String, String)>,
}

impl Clients {
    /// Those of the server on this port.
    ///
    /// # Panics
    /// Where the kernel doesn't list its sockets.
    #[must_use]
    pub fn of(port: u16) -> Self {
        const ESTABLISHED: &str = "01";
        let server = format!("0100007F:{port:04X}");
        let sockets = fs::read_to_string("/proc/net/tcp").expect("the kernel lists its sockets");
        // A line each: its number, its own address, the other one, the state.
        let client = |line: &str| match line.split_whitespace().take(4).collect::<Vec<_>>()[..] {
            [_, own, other, ESTABLISHED] if other == server => Some((own.to_owned(), other.to_owned())),
            _ => None,
        };
        Self { port, sockets: sockets.lines().filter_map(client).collect() }
    }

    /// Waits until the kernel has told all of them that the server is gone: a busy machine takes a moment.
    ///
    /// # Panics
    /// After [`PATIENCE`].
    #[track_caller]
    pub fn await_end(&self) {
        until("the connections have ended", || Self::of(self.port).sockets.is_disjoint(&self.sockets));
    }
}

/// A folder of its own, removed with its handle.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder among the system's temporary ones.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn fresh(of: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("airlock-{of}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder can be made");
        Self(path)
    }

    /// One in memory, where the system has that: its files are real, and what is synchronised is so at once.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn in_memory(of: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let shared = Path::new("/dev/shm");
        if !shared.is_dir() {
            return Self::fresh(of);
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = shared.join(format!("airlock-{of}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder can be made");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running process and all that it started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it, with all it says in a file.
    ///
    /// # Panics
    /// If the program isn't installed.
    #[must_use]
    pub fn start(command: &mut Command, log: PathBuf) -> Self {
        let out = File::create(&log).expect("a log can be made");
        let again = out.try_clone().expect("a log can be shared");
        let spawned = command.stdin(Stdio::null()).stdout(out).stderr(again).process_group(0).spawn();
        let child = spawned.unwrap_or_else(|error| {
            panic!(
                "{} can't be started ({error}); tests/run.sh installs what is missing",
                command.get_program().display()
            )
        });
        Self { child, log }
    }

    /// The process id, which is the process group's.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Waits until it says so.
    ///
    /// # Panics
    /// With what it said, if it ends before that or takes longer than [`PATIENCE`].
    #[track_caller]
    pub fn await_line(&mut self, line: &str) {
        let start = Instant::now();
        while !self.log().contains(line) {
            let ended = self.has_ended();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "no `{line}` ({ended:?}) in:\n{}", self.log());
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// How it ended, if it did.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal (`STOP`, `CONT`, `TERM`) to the process and all that it started.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn signal(&self, signal: &str) {
        assert!(self.try_signal(signal).is_ok_and(|status| status.success()), "process {} is gone", self.pid());
    }

    /// Ends it at once, with all that it started, as a crash does.
    pub fn kill(&mut self) {
        if self.has_ended().is_none() {
            let _ = self.try_signal("KILL");
        }
        let _ = self.child.wait();
    }

    fn try_signal(&self, signal: &str) -> io::Result<ExitStatus> {
        let group = format!("-{}", self.pid());
        Command::new("kill").args(["-s", signal, "--", &group]).stderr(Stdio::null()).status()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
