//! Files of a dozen lines and one mistake each. CONTRIBUTING.md has the command that refreshes what the compiler is
//! expected to say.

use super::messages;

/// Lists the executors there are, so what it says holds only without those of features.
const LISTS_EXECUTORS: &str = "scoped_executor_not_an_executor";

#[test]
fn every_mistake_is_reported_at_its_token() {
    let cases = trybuild::TestCases::new();
    let no_more_executors = cfg!(not(any(
        feature = "celery",
        feature = "django-q",
        feature = "django-tasks",
        feature = "dramatiq",
        feature = "huey",
        feature = "lambda",
        feature = "outbox",
        feature = "testing",
        feature = "threads",
        feature = "tokio",
    )));
    for case in messages::failing_cases().filter(|case| no_more_executors || case != LISTS_EXECUTORS) {
        cases.compile_fail(format!("ui/fail/{case}.rs"));
    }
    // It runs as it is dropped.
    drop(cases);
    messages::each_case_has_as_many_errors_as_mistakes();
    messages::no_error_comes_from_inside_an_expansion();
    messages::messages_of_the_attributes_are_in_one_voice();
    messages::each_failing_case_has_a_passing_twin();
    messages::the_list_of_messages_is_up_to_date();
}

#[test]
fn every_accepted_form_compiles_and_works() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}
