//! A program that names a library of tasks once and calls nothing of it: its tasks are there.

use airlock_fixture_library as _;

#[test]
fn a_crate_that_is_used_as_nothing_registers_its_tasks() {
    let names: Vec<_> = airlock::registry().iter().map(|task| task.name).collect();
    assert_eq!(names, ["fixture_library.archive", "fixture_library.remind", "fixture_library.send_invoice"]);
    airlock::registry().require(names).expect("they are all there");
    let arguments = serde_json::from_str("[7]").expect("a list");
    airlock::registry().invoke("fixture_library.archive", arguments).expect("it can be called by name");
}

/// The lock file of this program, as its own tests would keep it; the variables say what may be done to it.
#[cfg(feature = "testing")]
mod lock {
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};
    use std::{env, fs};

    /// The file that `the_names_of_the_library_s_tasks_are_kept` looks at, unless it is told another one.
    const FILE: &str = "AIRLOCK_TESTS_LOCK_FILE";

    #[test]
    fn the_names_of_the_library_s_tasks_are_kept() {
        let file = env::var(FILE).unwrap_or_else(|_| "linking/library.lock".to_owned());
        airlock::testing::assert_task_lock(file);
    }

    /// Runs that test in a process with these variables and no others of the lock's.
    fn run(file: &Path, variables: &[(&str, &str)]) -> Output {
        Command::new(env::current_exe().expect("this program"))
            .args(["lock::the_names_of_the_library_s_tasks_are_kept", "--exact", "--nocapture"])
            .env_remove("CI")
            .env_remove("AIRLOCK_LOCK")
            .env(FILE, file)
            .envs(variables.iter().copied())
            .output()
            .expect("it runs")
    }

    fn said(output: &Output) -> String {
        assert!(!output.status.success(), "it passed");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn file(name: &str, text: &str) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, text).expect("a temporary file");
        path
    }

    #[test]
    fn the_variables_say_what_may_be_done_to_the_file() {
        let kept = fs::read_to_string("linking/library.lock").expect("the lock file");
        let (_, lines) = kept.split_once("\n\n").expect("a head");
        let (older, _) = lines.split_once("\n\n").expect("several tasks");
        let older = file("older.lock", older);

        let frozen = said(&run(&older, &[("CI", "true")]));
        assert!(frozen.contains("older.lock lacks these lines; run the test where `CI` is not set"), "{frozen}");
        assert!(frozen.contains("\n+ fixture_library.send_invoice\n"), "{frozen}");
        let frozen = said(&run(&older, &[("AIRLOCK_LOCK", "frozen")]));
        assert!(frozen.contains("lacks these lines"), "{frozen}");
        let unknown = said(&run(&older, &[("AIRLOCK_LOCK", "overwrit")]));
        assert!(
            unknown.contains("AIRLOCK_LOCK is `overwrit`; set it to `overwrite`, `update` or `frozen`"),
            "{unknown}"
        );

        for variables in [&[][..], &[("CI", "false")], &[("CI", "true"), ("AIRLOCK_LOCK", "update")]] {
            fs::write(&older, "").expect("a temporary file");
            let output = run(&older, variables);
            assert!(output.status.success(), "{variables:?}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(fs::read_to_string(&older).expect("the file"), kept);
        }
    }

    #[test]
    fn a_break_is_overwritten_only_on_purpose() {
        let broken = file("broken.lock", "fixture_library.gone\n");
        let breaking = said(&run(&broken, &[]));
        assert!(breaking.contains("1 change breaks messages that may still be in a queue"), "{breaking}");
        assert!(run(&broken, &[("CI", "true"), ("AIRLOCK_LOCK", "overwrite")]).status.success());
        assert!(run(&broken, &[("CI", "true")]).status.success());

        let unreadable = said(&run(Path::new(env!("CARGO_TARGET_TMPDIR")), &[]));
        assert!(unreadable.contains("can't be read or written: "), "and why: {unreadable}");
    }
}
