//! SQLite's files, and who may write to them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, DjangoDatabase};

use crate::sql_systems::{PATIENT, System, notes};

const URL: &str = "AIRLOCK_TESTS_OWNERS";

/// A user who has nothing of his own; only root can be one.
const NOBODY: u32 = 65_534;

/// A database with a write-ahead log, whose files are gone, in a folder that everybody may write to.
struct Shared(Folder);

impl Shared {
    fn owned(owner: u32, mode: u32) -> Self {
        let shared = Self(Folder::fresh("owners"));
        fs::set_permissions(shared.0.path(), Permissions::from_mode(0o777)).expect("it is ours");
        let (database, file) = (DjangoDatabase::sqlite(), shared.0.path().join("db.sqlite3"));
        fs::copy(database.url().trim_start_matches("sqlite://"), &file).expect("a copy");
        Database::at(&shared.url()).run("PRAGMA journal_mode = WAL");
        assert_eq!(shared.files(), ["db.sqlite3"]);
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("it is ours");
        chown(&file, Some(owner), Some(owner)).expect("a file can be given away; run as root");
        shared
    }

    fn url(&self) -> String {
        format!("sqlite://{}/db.sqlite3", self.0.path().display())
    }

    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.0.path()).expect("a folder");
        let mut names: Vec<_> =
            files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// What another user's process says of three notes.
    fn sent_by_another_user(&self) -> String {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "sqlite_owners::sends", "--ignored", "--nocapture"]).env(URL, self.url());
        let output = command.uid(NOBODY).gid(NOBODY).current_dir("/").output().expect("it runs; run as root");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

#[test]
fn a_file_that_this_user_can_not_write_to_is_not_opened_and_nothing_is_made_beside_it() {
    // Another user's, and one of our own that is to stay as it is.
    for (owner, mode) in [(0, 0o644), (0, 0o664), (NOBODY, 0o444)] {
        let shared = Shared::owned(owner, mode);
        let said = shared.sent_by_another_user();
        assert!(said.contains("ends rejected rejected rejected\n"), "{said}");
        assert!(said.contains("can't be written to (8); let this process write to the file and its folder"), "{said}");
        assert_eq!(shared.files(), ["db.sqlite3"], "{owner} {mode:o}");
    }
    // A group, or everybody, may be the one who can.
    for (owner, mode) in [(NOBODY, 0o600), (0, 0o666)] {
        let shared = Shared::owned(owner, mode);
        let said = shared.sent_by_another_user();
        assert!(said.contains("ends dispatched dispatched dispatched\n"), "{said}");
        assert_eq!(System::Huey.count(&shared.url()), 3);
    }
}

/// Not a test of its own: it runs as another user.
#[test]
#[ignore = "the other test runs it"]
#[allow(clippy::print_stdout, reason = "that is how it tells the other test")]
fn sends() {
    let Ok(url) = std::env::var(URL) else { return };
    let account = notes(System::Huey.executor(&url), PATIENT, 3);
    let ends: Vec<_> = account.ends.iter().map(|(_, end)| *end).collect();
    // Whatever the test harness has begun to say ends here.
    println!("\nends {}", ends.join(" "));
    account.texts.iter().for_each(|text| println!("text {text}"));
}
