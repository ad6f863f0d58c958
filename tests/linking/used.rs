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
