//! RabbitMQ.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::process::{Clients, Folder, Process, free_port, until};

/// The scripts beside the wrappers in the search path, which would change the user and use the system's folders.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";

/// A RabbitMQ node with a port mapper of its own, nothing of it outside its folder and the loopback interface.
#[derive(Debug)]
pub struct RabbitServer {
    port: u16,
    settings: Vec<(&'static str, String)>,
    folder: Folder,
    node: Option<Process>,
    // After the node, which says good-bye to it.
    _port_mapper: Process,
}

impl RabbitServer {
    /// Starts one, and waits until it takes connections.
    ///
    /// # Panics
    /// If rabbitmq-server isn't installed.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one with a configuration in the form of `rabbitmq.conf`, a setting a line.
    ///
    /// # Panics
    /// If rabbitmq-server isn't installed.
    #[must_use]
    pub fn start_with(configuration: &str) -> Self {
        let (port, distribution, mapper) = (free_port(), free_port(), free_port());
        let folder = Folder::fresh("rabbit");
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("rabbitmq.conf"), configuration).expect("a configuration can be written");
        fs::write(at("plugins"), "[].\n").expect("a list of plugins can be written");
        let settings = vec![
            ("HOME", at("")),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("ERL_EPMD_PORT", mapper.to_string()),
            ("RABBITMQ_NODENAME", format!("airlock-{}-{port}@localhost", std::process::id())),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_NODE_PORT", port.to_string()),
            ("RABBITMQ_DIST_PORT", distribution.to_string()),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none".to_owned(),
            ),
            ("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", at("advanced.config")),
            ("RABBITMQ_CONF_ENV_FILE", at("rabbitmq-env.conf")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins")),
            ("RABBITMQ_MNESIA_BASE", at("data")),
            ("RABBITMQ_LOG_BASE", at("logs")),
            ("RABBITMQ_LOGS", "-".to_owned()),
            ("RABBITMQ_PID_FILE", at("pid")),
        ];
        let mut epmd = Command::new("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &mapper.to_string()]);
        let port_mapper = Process::start(&mut epmd, folder.path().join("epmd.log"));
        until("the port mapper answers", || TcpStream::connect(("127.0.0.1", mapper)).is_ok());
        let mut server = Self { port, settings, folder, node: None, _port_mapper: port_mapper };
        server.restart();
        server
    }

    /// One that several tests share: started for the first, ended with the last that holds it.
    ///
    /// # Panics
    /// If rabbitmq-server isn't installed.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RabbitServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// Starts it again on the same port, with what it had on disk.
    ///
    /// # Panics
    /// If it doesn't start.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = self.script("rabbitmq-server");
        self.node = Some(Process::start(&mut command, self.folder.path().join("log")));
        until("RabbitMQ takes connections", || self.greets());
    }

    /// Whether a client is answered: the port is open some time before.
    fn greets(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let waits = stream.set_read_timeout(Some(Duration::from_secs(2)));
        // The protocol's header; a server that is ready begins with a method frame, of type 1.
        let mut first = [0];
        waits.is_ok()
            && stream.write_all(b"AMQP\0\0\x09\x01").is_ok()
            && stream.read_exact(&mut first).is_ok()
            && first == [1]
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `amqp://guest:guest@127.0.0.1:<port>/%2F`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2F", self.port)
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        let clients = Clients::of(self.port);
        self.node = None;
        clients.await_end();
    }

    /// Sends it a signal: `STOP`, `CONT`.
    ///
    /// # Panics
    /// If it was killed.
    pub fn signal(&self, signal: &str) {
        self.node.as_ref().expect("it runs").signal(signal);
    }

    /// What it wrote to its log.
    ///
    /// # Panics
    /// If it was killed.
    #[must_use]
    pub fn log(&self) -> String {
        self.node.as_ref().expect("it runs").log()
    }

    /// Runs `rabbitmqctl`, which takes seconds.
    ///
    /// # Panics
    /// With what it says, if it fails.
    pub fn control(&self, arguments: &[&str]) -> String {
        let output: Output = self.script("rabbitmqctl").args(arguments).output().expect("rabbitmqctl is installed");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(format!("{SCRIPTS}/{name}"));
        command.envs(self.settings.iter().map(|(key, value)| (key, value)));
        command
    }
}
