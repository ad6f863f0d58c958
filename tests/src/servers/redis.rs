//! Redis.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::process::{Clients, Folder, Process, free_port, until};

/// A Redis server that writes everything to disk before it answers.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: Folder,
    arguments: Vec<String>,
    process: Option<Process>,
}

impl RedisServer {
    /// Starts one, and waits until it answers.
    ///
    /// # Panics
    /// If redis-server isn't installed.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with further arguments of the command line, such as `--maxmemory`, `4mb`.
    ///
    /// # Panics
    /// If redis-server isn't installed, or refuses them.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut server = Self { port: free_port(), folder: Folder::fresh("redis"), arguments, process: None };
        server.restart();
        server
    }

    /// Starts it again on the same port, with what it had on disk.
    ///
    /// # Panics
    /// If it doesn't start.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.arguments);
        self.process = Some(Process::start(&mut command, self.folder.path().join("log")));
        until("redis answers", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
        until("redis has loaded its data", || self.try_command(&["PING"]).is_ok());
    }

    /// The process id.
    ///
    /// # Panics
    /// If it was killed.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").pid()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:<port>/0`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        let clients = Clients::of(self.port);
        self.process = None;
        clients.await_end();
    }

    /// Sends it a signal: `STOP`, `CONT`.
    ///
    /// # Panics
    /// If it was killed.
    pub fn signal(&self, signal: &str) {
        self.process.as_ref().expect("it runs").signal(signal);
    }

    /// Runs a command, with the password the server was started with, if any.
    ///
    /// # Errors
    /// What the server or the connection says.
    pub fn try_command(&self, command: &[&str]) -> redis::RedisResult<redis::Value> {
        let password = self.arguments.iter().position(|argument| argument == "--requirepass");
        let password = password.map_or(String::new(), |at| format!(":{}@", self.arguments[at + 1]));
        let client = redis::Client::open(format!("redis://{password}127.0.0.1:{}/0", self.port))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        let mut with_arguments = redis::Cmd::new();
        for argument in command {
            with_arguments.arg(argument);
        }
        with_arguments.query(&mut connection)
    }

    /// Runs a command.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn command(&self, command: &[&str]) -> redis::Value {
        self.try_command(command).expect("the command works")
    }

    /// How many connections were made by others than this handle, which makes one for each command.
    ///
    /// # Panics
    /// If the server can't be asked.
    #[must_use]
    pub fn connections_made(&self) -> usize {
        let clients: String = redis::from_redis_value(self.command(&["CLIENT", "LIST"])).expect("a text");
        clients.lines().count() - 1
    }

    /// The elements of a list, first to last.
    ///
    /// # Panics
    /// If the key holds something else.
    #[must_use]
    pub fn list(&self, key: &str) -> Vec<String> {
        redis::from_redis_value(self.command(&["LRANGE", key, "0", "-1"])).expect("a list of texts")
    }
}
