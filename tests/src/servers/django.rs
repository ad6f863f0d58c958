//! Databases with the tables of Django's tasks, Django-Q and Huey, made by the libraries themselves once for all tests of a
//! process and then copied.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::{Database, PostgresServer};
use crate::process::Folder;
use crate::python::script;

/// A migrated database of its own.
#[derive(Debug)]
pub struct DjangoDatabase {
    url: String,
    // Held until the end.
    _place: Place,
}

#[derive(Debug)]
enum Place {
    Folder { _folder: Folder },
    Server { _server: Arc<PostgresServer> },
}

/// The name of the one that the others are copies of.
const MIGRATED: &str = "migrated";

impl DjangoDatabase {
    /// In a file.
    ///
    /// # Panics
    /// If it can't be migrated.
    #[must_use]
    pub fn sqlite() -> Self {
        static FILE: OnceLock<Vec<u8>> = OnceLock::new();
        let file = FILE.get_or_init(|| {
            let folder = Folder::fresh("migrated");
            let path = folder.path().join("db.sqlite3");
            let url = url_of(&path);
            script(&url, "tables.py");
            // The rest of it may lie beside it otherwise.
            Database::at(&url).run("PRAGMA journal_mode = DELETE");
            fs::read(path).expect("the database can be read")
        });
        let folder = Folder::fresh("sqlite");
        let path = folder.path().join("db.sqlite3");
        fs::write(&path, file).expect("a database can be written");
        Self { url: url_of(&path), _place: Place::Folder { _folder: folder } }
    }

    /// On the Postgres server that the tests share.
    ///
    /// # Panics
    /// If Postgres isn't installed, or it can't be migrated.
    #[must_use]
    pub fn postgres() -> Self {
        static MIGRATED_ON: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
        let server = PostgresServer::shared();
        let mut migrated = MIGRATED_ON.lock().unwrap_or_else(PoisonError::into_inner);
        if !migrated.upgrade().is_some_and(|known| Arc::ptr_eq(&known, &server)) {
            migrate(&server);
            *migrated = Arc::downgrade(&server);
        }
        // A database is copied by one at a time.
        let url = server.database(MIGRATED);
        drop(migrated);
        Self { url, _place: Place::Server { _server: server } }
    }

    /// On a server of its own.
    ///
    /// # Panics
    /// If it can't be migrated.
    #[must_use]
    pub fn on(server: &PostgresServer) -> String {
        migrate(server);
        server.url(MIGRATED)
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The tables of the queues: Huey's, Django-Q's and that of Django's tasks.
    #[must_use]
    pub fn queues(&self) -> [&'static str; 3] {
        let huey = if self.url.starts_with("sqlite:") { "task" } else { "huey_task" };
        [huey, "django_q_ormq", "django_tasks_database_dbtaskresult"]
    }

    /// Takes everything out of the queues.
    ///
    /// # Panics
    /// If somebody else holds them.
    pub fn empty(&self, through: &mut Database) {
        let empty = if self.url.starts_with("sqlite:") { "DELETE FROM" } else { "TRUNCATE" };
        self.queues().iter().for_each(|table| through.run(&format!("{empty} {table}")));
    }

    /// A look into it.
    #[must_use]
    pub fn open(&self) -> Database {
        Database::at(&self.url)
    }
}

fn migrate(server: &PostgresServer) {
    Database::at(&server.url("postgres")).run(&format!("CREATE DATABASE {MIGRATED}"));
    script(&server.url(MIGRATED), "tables.py");
}

fn url_of(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}
