//! Postgres.

use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::process::{Folder, Process, free_port, until};
use crate::servers::Database;

/// The password of its user `postgres`.
pub(super) const PASSWORD: &str = "p0stgres";

/// A user that is asked for no password: in a build for tests, its proof takes longer than all else that a short
/// connection does.
const TRUSTED: &str = "trusted";

/// A Postgres server that asks for passwords, of all users but one.
#[derive(Debug)]
pub struct PostgresServer {
    port: u16,
    folder: Folder,
    process: Option<Process>,
    databases: AtomicU32,
    settings: Vec<&'static str>,
}

/// The names of a certificate, its key and its authority, in the folder they come from and in the server's own.
const CERTIFICATES: [&str; 3] = ["server.pem", "server.key", "ca.pem"];

impl PostgresServer {
    /// Makes an empty one and starts it.
    ///
    /// # Panics
    /// If Postgres isn't installed.
    #[must_use]
    pub fn start() -> Self {
        Self::start_in(Folder::fresh("postgres"), &[])
    }

    /// The same with TLS, for those who want it, with the certificate `server.pem`, the key `server.key` and their authority `ca.pem` in a folder. Its
    /// log tells of each connection.
    ///
    /// # Panics
    /// If Postgres isn't installed.
    #[must_use]
    pub fn start_with_tls(certificates: &Path) -> Self {
        let folder = Folder::fresh("postgres");
        for name in CERTIFICATES {
            fs::copy(certificates.join(name), folder.path().join(name)).expect("a certificate can be copied");
        }
        let settings = [
            "log_connections=on",
            "ssl=on",
            "ssl_cert_file=../server.pem",
            "ssl_key_file=../server.key",
            "ssl_ca_file=../ca.pem",
        ];
        Self::start_in(folder, &settings)
    }

    fn start_in(folder: Folder, settings: &[&'static str]) -> Self {
        fs::write(folder.path().join("password"), PASSWORD).expect("a password can be written");
        give(&folder);
        let (databases, settings) = (AtomicU32::new(0), settings.to_vec());
        let mut server = Self { port: free_port(), folder, process: None, databases, settings };
        let mut initdb = server.program("initdb");
        initdb.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync", "-D"]);
        initdb.arg(server.data()).arg("--pwfile").arg(server.folder.path().join("password"));
        let output = initdb.output().expect("initdb is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rules = server.data().join("pg_hba.conf");
        let usual = fs::read_to_string(&rules).expect("initdb makes it");
        fs::write(rules, format!("host all {TRUSTED} all trust\n{usual}")).expect("it can be written");
        server.restart();
        Database::at(&server.url("postgres")).run(&format!("CREATE ROLE {TRUSTED} SUPERUSER LOGIN"));
        server
    }

    /// One that several tests share: started for the first, ended with the last that holds it.
    ///
    /// # Panics
    /// If Postgres isn't installed.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
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
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-h", "127.0.0.1"]);
        command.arg("-k").arg(self.folder.path());
        // A crash of the server is tried, and not one of the machine.
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=50"]);
        // As a server that has run for long, it should know how much lies in its tables.
        command.args(["-c", "autovacuum_naptime=1s"]);
        self.settings.iter().for_each(|setting| {
            command.args(["-c", setting]);
        });
        let process = self.process.insert(Process::start(&mut command, self.folder.path().join("log")));
        process.await_line("database system is ready to accept connections");
        until("Postgres takes connections", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets in its own user, and from now on only the users that these lines of `pg_hba.conf` let in.
    ///
    /// # Panics
    /// If they can't be written.
    pub fn let_in(&self, lines: &str) {
        let path = self.data().join("pg_hba.conf");
        fs::write(&path, format!("host all postgres all scram-sha-256\n{lines}\n")).expect("it can be written");
        let mut database = Database::at(&self.url("postgres"));
        let loaded = database.column("SELECT pg_conf_load_time()::text");
        database.run("SELECT pg_reload_conf()");
        until("it is read", || database.column("SELECT pg_conf_load_time()::text") != loaded);
    }

    /// `postgres://postgres:…@127.0.0.1:<port>/<database>`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The same of a user that needs no password, for those who connect often.
    ///
    /// # Panics
    /// If the URL has no user.
    #[must_use]
    pub fn trusted(url: &str) -> String {
        let (_, place) = url.split_once('@').expect("a user");
        format!("postgres://{TRUSTED}@{place}")
    }

    /// A new database, a copy of another one, and its URL.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn database(&self, like: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        Database::at(&self.url("postgres")).run(&format!("CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy"));
        self.url(&name)
    }

    /// Ends it at once with all its processes, as a crash does.
    pub fn kill(&mut self) {
        if self.process.is_some() {
            self.signal("KILL");
        }
        self.process = None;
    }

    /// Sends a signal, `STOP` or `CONT`, to it and each process that serves a connection: those are no group.
    ///
    /// # Panics
    /// If it was killed.
    pub fn signal(&self, signal: &str) {
        let pid = self.process.as_ref().expect("it runs").pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let pids = [pid.to_string()].into_iter().chain(children.split_whitespace().map(str::to_owned));
        // A child may have ended since.
        let _ = Command::new("kill").args(["-s", signal, "--"]).args(pids).output();
        if signal == "KILL" {
            // A process that is left would keep the shared memory.
            let gone = |pid: &str| !Path::new("/proc").join(pid).exists();
            until("its processes have ended", || children.split_whitespace().all(gone));
        }
    }

    /// What it wrote to its log.
    ///
    /// # Panics
    /// If it was killed.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.as_ref().expect("it runs").log()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the newest Postgres here, as a user it can run as.
    fn program(&self, name: &str) -> Command {
        let versions = fs::read_dir("/usr/lib/postgresql").expect("Postgres is installed; tests/run.sh does that");
        let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin").join(name)));
        let newest =
            programs.filter(|path| path.exists()).max().expect("Postgres is installed; tests/run.sh does that");
        let mut command = Command::new(newest);
        command.current_dir(self.folder.path());
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Postgres doesn't run as root: then it runs as the user of its package.
pub(super) fn other_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("there are users");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("Postgres' package makes a user");
    let mut numbers = line.split(':').skip(2).map(|field| field.parse().expect("a number"));
    numbers.next().zip(numbers.next())
}

/// The folder and all that lies in it.
pub(super) fn give(folder: &Folder) {
    let Some((user, group)) = other_user() else { return };
    let inside = fs::read_dir(folder.path()).expect("it can be read").map(|entry| entry.expect("it is there").path());
    for path in [folder.path().to_owned()].into_iter().chain(inside) {
        std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root may give it away");
    }
}
