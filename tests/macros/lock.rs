//! The lock file: which changes of a task older messages survive, and how the others are told.

use std::fs;
use std::path::PathBuf;

use airlock::Registry;
use airlock::testing::{LockMode, TaskLock, TaskLockError};

/// What the program was when the lock file was written.
mod before {
    #[airlock::task(name = "lock.send", aliases = ["lock.mail"])]
    fn send(order_id: u64, #[default = "a\nb".to_owned()] note: String, items: Box<[(u8, u8)]>) {
        let _ = (order_id, note, items);
    }

    #[airlock::task(name = "lock.notify", positional)]
    fn notify(order_id: u64, express: bool);

    #[airlock::task(name = "lock.kept")]
    fn kept() {}

    pub(super) fn registry() -> airlock::Registry {
        airlock::Registry::new().with::<send>().with::<notify>().with::<kept>()
    }
}

/// Changes that older messages survive.
mod grown {
    #[airlock::task(name = "lock.dispatch", aliases = ["lock.send", "lock.mail"])]
    fn send(
        #[default] priority: u8,
        order_id: u64,
        #[redact]
        #[default]
        note: String,
        items: Box<[(u8, u8)]>,
    ) {
        let _ = (order_id, note, items, priority);
    }

    #[airlock::task(name = "lock.notify", positional)]
    fn notify(order_id: u64, express: bool, #[default] by: Option<String>);

    #[airlock::task(name = "lock.kept")]
    fn kept() {}

    #[airlock::task(name = "lock.new")]
    fn new(anything: u8) {
        let _ = anything;
    }

    pub(super) fn registry() -> airlock::Registry {
        airlock::Registry::new().with::<send>().with::<notify>().with::<kept>().with::<new>()
    }
}

/// Changes that older messages don't survive: one of each kind.
mod broken {
    #[airlock::task(name = "lock.send")]
    fn send(order_id: u32, note: String, added: bool) {
        let _ = (order_id, note, added);
    }

    #[airlock::task(name = "lock.notify", positional)]
    fn notify(express: bool, order_id: u64);

    pub(super) fn registry() -> airlock::Registry {
        airlock::Registry::new().with::<send>().with::<notify>()
    }
}

const BEFORE: &str = "\
# What messages in queues rely on: the names of tasks, their parameters and types. A test keeps this file; see
# `airlock::testing::assert_task_lock`. Commit it, and read its changes.

lock.kept

lock.notify (positional)
  order_id: u64
  express: bool

lock.send
  alias lock.mail
  order_id: u64
  note: String #[default = \"a\\nb\".to_owned()]
  items: Box<[(u8, u8)]>
";

/// A lock file of one test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: Option<&str>) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.lock"));
        let _ = fs::remove_file(&path);
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        Self(path)
    }

    fn check(&self, mode: LockMode, registry: &Registry) -> Result<(), TaskLockError> {
        TaskLock::at(&self.0).mode(mode).check(registry)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }

    /// An error's text with the file's name in place of its path.
    fn told(&self, error: &TaskLockError) -> String {
        error.to_string().replace(self.0.to_str().unwrap(), "tasks.lock")
    }
}

#[test]
fn a_missing_file_is_written_and_the_test_fails_once() {
    let file = File::new("missing", None);
    let error = file.check(LockMode::Update, &before::registry()).unwrap_err();
    assert_eq!(file.told(&error), "tasks.lock was missing; it is written now: read it and commit it");
    assert_eq!(file.text(), BEFORE);
    file.check(LockMode::Frozen, &before::registry()).unwrap();

    let file = File::new("missing_frozen", None);
    let error = file.check(LockMode::Frozen, &before::registry()).unwrap_err();
    assert_eq!(file.told(&error), "tasks.lock was missing; run the test where `CI` is not set, and commit it");
    assert!(!file.0.exists());
}

#[test]
fn changes_that_older_messages_survive_are_written_or_asked_for() {
    let file = File::new("grown", Some(BEFORE));
    let error = file.check(LockMode::Frozen, &grown::registry()).unwrap_err();
    assert_eq!(
        file.told(&error),
        "tasks.lock lacks these lines; run the test where `CI` is not set, and commit the file:
+ lock.dispatch
+   alias lock.mail
+   alias lock.send
+   priority: u8 #[default = Default::default()]
+   order_id: u64
+   note: String #[default = ***]
+   items: Box<[(u8, u8)]>
+ lock.new
+   anything: u8
  lock.notify (positional)
    order_id: u64
    express: bool
+   by: Option<String> #[default = Default::default()]
- lock.send
"
    );
    assert_eq!(file.text(), BEFORE, "frozen");
    file.check(LockMode::Update, &grown::registry()).unwrap();
    file.check(LockMode::Frozen, &grown::registry()).unwrap();
    assert!(file.text().contains("\nlock.dispatch\n  alias lock.mail\n  alias lock.send\n"));
}

#[test]
fn each_change_that_older_messages_do_not_survive_is_told_with_what_to_do() {
    let file = File::new("broken", Some(BEFORE));
    for mode in [LockMode::Update, LockMode::Frozen] {
        let error = file.check(mode, &broken::registry()).unwrap_err();
        assert_eq!(file.told(&error), include_str!("lock/broken.txt"));
        assert_eq!(file.text(), BEFORE);
    }
    file.check(LockMode::Overwrite, &broken::registry()).unwrap();
    file.check(LockMode::Frozen, &broken::registry()).unwrap();
}

#[test]
fn a_task_may_not_go_back_behind_what_it_promised() {
    let file = File::new("shrunk", Some(BEFORE));
    file.check(LockMode::Update, &grown::registry()).unwrap();
    let error = file.check(LockMode::Update, &before::registry()).unwrap_err();
    let TaskLockError::Breaking { changes, .. } = error else { panic!("{error}") };
    let tasks: Vec<_> = changes.iter().map(|change| (change.task.as_str(), change.before.as_deref())).collect();
    let lost = Some("by: Option<String> #[default = Default::default()]");
    assert_eq!(tasks, [("lock.dispatch", None), ("lock.new", None), ("lock.notify (positional)", lost)]);
}

#[test]
fn a_file_that_somebody_edited_is_told_by_line_and_line_endings_do_not_count() {
    let file = File::new("edited", Some(&BEFORE.replace('\n', "\r\n")));
    file.check(LockMode::Frozen, &before::registry()).unwrap();
    let file = File::new("edited", Some(&BEFORE.replace("lock.kept", "<<<<<<< HEAD")));
    let error = file.check(LockMode::Update, &before::registry()).unwrap_err();
    assert!(file.told(&error).starts_with("tasks.lock:4: this line is no part of a lock file; "), "{error}");
}

#[test]
fn a_comment_and_a_local_task_are_no_change() {
    #[airlock::task(name = "lock.here", local)]
    fn here() {}

    let file = File::new("commented", Some(&format!("# Mine.\n{BEFORE}")));
    file.check(LockMode::Frozen, &before::registry().with::<here>()).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let error = TaskLock::at(&folder).mode(LockMode::Update).check(&before::registry()).unwrap_err();
    assert!(matches!(error, TaskLockError::File { .. }), "{error}");
}

#[test]
fn names_that_two_tasks_share_are_told_first() {
    let both = before::registry().with::<shared>();
    let error = File::new("shared", None).check(LockMode::Update, &both).unwrap_err();
    assert!(error.to_string().starts_with("the name `lock.mail` belongs to more than one task"), "{error}");

    #[airlock::task(name = "lock.mail")]
    fn shared() {}
}
