//! AWS Lambda. Its events are airlock's own, so the files are what functions rely on: they don't change.

use std::path::Path;

use airlock::LambdaExecutor;
use airlock_tests::aws;

use crate::tasks;

#[test]
fn an_event_is_what_functions_rely_on_byte_for_byte() {
    let executor = LambdaExecutor::new(aws::client("http://127.0.0.1:1")).functions_by(|_| Some("wire".to_owned()));
    for name in ["none", "named", "positional"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/lambda").join(format!("{name}.json"));
        let golden = std::fs::read_to_string(path).unwrap();
        let payload = executor.event(&tasks::of(name, "{}")).unwrap().payload;
        assert_eq!(String::from_utf8(payload).unwrap(), golden.trim_end(), "{name}");
    }
}
