//! `PgBouncer` before a Postgres.

use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::process::{Folder, Process, free_port, until};
use crate::servers::postgres::{PASSWORD, give, other_user};

/// A `PgBouncer` that lends a connection of the server for the time of a transaction: two of them for each database.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    _process: Process,
    _folder: Folder,
}

impl PgBouncer {
    /// Starts one before the server that listens on this port of the loopback interface.
    ///
    /// # Panics
    /// If `PgBouncer` isn't installed.
    #[must_use]
    pub fn start(server: u16) -> Self {
        Self::start_with(server, "")
    }

    /// The same with one more line of settings.
    ///
    /// # Panics
    /// If `PgBouncer` isn't installed.
    #[must_use]
    pub fn start_with(server: u16, setting: &str) -> Self {
        let (folder, port) = (Folder::fresh("pgbouncer"), free_port());
        let path = |name: &str| folder.path().join(name);
        let settings = format!(
            "[databases]\n\
             * = host=127.0.0.1 port={server}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = plain\n\
             auth_file = {}\n\
             pool_mode = transaction\n\
             default_pool_size = 2\n\
             {setting}\n",
            path("users").display()
        );
        fs::write(path("pgbouncer.ini"), settings).expect("it can be written");
        fs::write(path("users"), format!("\"postgres\" \"{PASSWORD}\"\n")).expect("it can be written");
        give(&folder);
        let mut command = Command::new("/usr/sbin/pgbouncer");
        command.current_dir(folder.path()).arg("pgbouncer.ini");
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        let process = Process::start(&mut command, path("log"));
        until("PgBouncer takes connections", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, _process: process, _folder: folder }
    }

    /// The URL of a database of the server, through it, of the server's own user.
    ///
    /// # Panics
    /// If the URL has no database.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let (_, database) = url.rsplit_once('/').expect("a database");
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }
}
