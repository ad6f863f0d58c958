//! Files of a dozen lines and one mistake each. `TRYBUILD=overwrite` refreshes what the compiler is expected to say.

#[test]
fn every_mistake_is_reported_at_its_token() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

#[test]
fn every_accepted_form_compiles_and_works() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}
