//! The three ways to select: per scope, by settings, by a scope constructor of one's own.

use std::process::Command;
use std::sync::atomic::Ordering;

use airlock::testing::with_settings;
use airlock::{DropAll, InlineExecutor, ScopeBuilder, Settings};
use airlock_tests::recorder::Recorder;

use crate::names::{POSTED, charge, note};

fn settings() -> Settings {
    let file = "executor = \"webhook\"\npolicy = \"cheap_only\"\n[cheap_only]\nlimit = 100\n";
    let url = [("AIRLOCK_WEBHOOK__URL", "https://hooks.example.org")];
    Settings::loader().text("airlock.toml", file).variables(url).load().unwrap()
}

/// A scope of one's own.
fn dry() -> ScopeBuilder {
    airlock::scope().name("dry").policy(DropAll)
}

fn body() -> airlock::Result<()> {
    note::enqueue(1)?;
    charge::enqueue(1000)?;
    Ok(())
}

/// The whole program's settings: in a process of its own, as the other tests have theirs.
#[test]
fn a_scope_may_be_chosen_by_settings_at_the_scope_or_by_a_constructor() {
    const CHILD: &str = "SETTINGS_TEST_ALONE";
    if std::env::var_os(CHILD).is_none() {
        let this = std::env::current_exe().unwrap();
        let test = "selecting::a_scope_may_be_chosen_by_settings_at_the_scope_or_by_a_constructor";
        let output = Command::new(this).args([test, "--exact"]).env(CHILD, "1").output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    airlock::configure(settings());

    // By settings: the executor and the policy of the file.
    let ended = airlock::scope().run_reported(body);
    let counts = ended.flush.unwrap().counts();
    assert_eq!((counts.dispatched, counts.dropped, POSTED.load(Ordering::Relaxed)), (1, 1, 1));

    // Per scope.
    let recorder = Recorder::new();
    airlock::scope().executor(recorder.clone()).policy(airlock::AllowAll).run(body).unwrap();
    assert_eq!(recorder.calls(), ["settings.note(n=1)", "settings.charge(cents=1000)"]);

    // By a constructor, which leaves to the settings what it doesn't say.
    assert_eq!(dry().run_reported(body).flush.unwrap().counts().dropped, 2);
    let report = dry().policy(airlock::AllowAll).run_reported(body).flush.unwrap();
    assert_eq!((report.executor(), POSTED.load(Ordering::Relaxed)), (Some("closure"), 3));
    let report = dry().executor(InlineExecutor::new()).run_reported(body).flush.unwrap();
    assert_eq!((report.executor(), report.counts().dropped), (None, 2));
}

#[test]
fn policies_of_a_list_have_to_agree_and_are_asked_in_order() {
    let file = "policy = [\"cheap_only\", \"block_tasks\"]\ncheap_only.limit = 5\nblock_tasks.tasks = [\"settings.note\"]\nblock_tasks.rejecting = true\n";
    let settings = Settings::loader().text("airlock.toml", file).without_variables().load().unwrap();
    with_settings(settings, || {
        let mut refused = None;
        let ended = airlock::scope().executor(Recorder::new()).run_reported(|| -> airlock::Result<()> {
            refused = note::enqueue(1).err();
            charge::enqueue(5)?;
            charge::enqueue(6)?;
            Ok(())
        });
        let refused = refused.unwrap().to_string();
        assert!(refused.contains(" and BlockTasks refuses it"), "{refused}");
        let counts = ended.flush.unwrap().counts();
        assert_eq!((counts.enqueued, counts.dispatched, counts.dropped), (2, 1, 1));
    });
}

#[test]
fn executors_of_this_process_are_chosen_and_sized_by_their_tables() {
    let file = "executor = \"threads\"\n[threads]\nthreads = 2\nnamed = \"mail\"\nqueue_limit = 10\n";
    let settings = Settings::loader().text("airlock.toml", file).without_variables().load().unwrap();
    let report =
        with_settings(settings, || airlock::scope().run_reported(|| note::enqueue(1).map(drop)).flush.unwrap());
    assert_eq!((report.executor(), report.counts().dispatched), (Some("mail"), 1));

    let file = "executor = \"tokio\"\n[tokio]\nconcurrency = 3\nignore_unsupported = true\n";
    let settings = Settings::loader().text("airlock.toml", file).without_variables().load().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(async {
        let body = airlock::scope().run_reported_async(async { note::enqueue(1).map(drop) });
        airlock::testing::with_settings_async(settings, body).await.flush.unwrap()
    });
    assert_eq!((report.executor(), report.counts().dispatched), (Some("tokio"), 1));
}
