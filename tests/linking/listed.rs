//! A program that lists a library of tasks in its Cargo.toml and never names it: its tasks are not there, and the error
//! says what to do.

#[test]
fn a_crate_that_is_only_listed_registers_nothing_and_the_error_gives_the_line() {
    assert_eq!(airlock::registry().iter().count(), 0);
    let error = airlock::registry().require(["fixture_library.archive"]).expect_err("it is not linked");
    assert_eq!(
        error.to_string(),
        "there is no task `fixture_library.archive`; a crate that is only listed in Cargo.toml is not linked: write \
         `use your_tasks as _;`"
    );
}
