//! Promise 6: arguments that can't be encoded, found by the checking inline executor.

use super::*;

#[test]
fn an_argument_that_cant_be_encoded_keeps_the_whole_batch_in() {
    type Enqueue = fn() -> IntentId;
    let bad: [(&str, Enqueue); 5] = [
        ("not finite", || refund::enqueue(9, f64::NAN).unwrap()),
        ("infinite", || refund::enqueue(9, f64::NEG_INFINITY).unwrap()),
        ("keys that are no strings", || import::enqueue(vec![HashMap::from([(Point(1, 2), 3)])]).unwrap()),
        ("not to be read again", || forget::enqueue(Forgetful { secret: "s3cret".to_owned() }).unwrap()),
        ("panics", || explode::enqueue(Explosive).unwrap()),
    ];
    for (what, bad) in bad {
        for position in 0..3 {
            errors(
                || scope().name(what).executor(checked()),
                &BOTH,
                || {
                    let good = |n| send::enqueue(n).unwrap();
                    (0..3).map(|n| if n == position { bad() } else { good(n) }).collect()
                },
            );
        }
    }
}

#[test]
fn the_error_names_task_parameter_place_and_fault_of_each_and_no_value() {
    let mut lines = Vec::new();
    let error = error_of(scope().executor(checked()), || {
        send::enqueue(1).unwrap();
        refund::enqueue(2, f64::NAN).unwrap();
        lines.push(line!() - 1);
        import::enqueue(vec![HashMap::from([(Point(1234, 5678), 3)])]).unwrap();
        forget::enqueue(Forgetful { secret: "s3cret".to_owned() }).unwrap();
        lines.push(line!() - 1);
    });
    let not_finite = EncodeFault::NotFinite.to_string();
    assert_eq!(
        verdict(error.report(), "p6.refund"),
        format!("rejected: argument `amount` can't be encoded: {not_finite}")
    );
    assert_eq!(
        verdict(error.report(), "p6.import"),
        format!("rejected: argument `rows` can't be encoded: {}", EncodeFault::Refused)
    );
    let forgetful = verdict(error.report(), "p6.forget");
    assert!(forgetful.starts_with("rejected: ") && forgetful.contains("`forgetful`"), "{forgetful}");
    assert_eq!(verdict(error.report(), "p6.send"), "unattempted: another intent of this flush was refused");
    let told = error.to_string();
    assert!(told.contains(&format!("; p6.refund ({}:{}:", file!(), lines[0])), "the first offender: {told}");
    assert!(told.ends_with(&format!("argument `amount` can't be encoded: {not_finite}")), "{told}");
    let report = error.report().to_string();
    for line in lines {
        assert!(report.contains(&format!("({}:{line}:", file!())), "{report}");
    }
    for text in [told, report, format!("{error:?}")] {
        assert!(!["s3cret", "1234", "NaN"].iter().any(|value| text.contains(value)), "{text}");
    }
}

#[test]
fn a_serialize_that_panics_is_told_by_its_task_and_place() {
    let error = error_of(scope().executor(checked()), || {
        send::enqueue(1).unwrap();
        explode::enqueue(Explosive).unwrap();
    });
    let place = error.undispatched()[1].location();
    let expected = format!("the executor panicked: boom, asked about `p6.explode` ({place})");
    assert!(error.to_string().ends_with(&expected), "{error}");
}

#[test]
fn checked_arguments_that_survive_their_encoding_run() {
    let ended = scope().executor(checked()).run_reported(|| {
        three();
        refund::enqueue(4, 0.1).unwrap();
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 4);
    assert_eq!(take_ran(), [1, 2, 3, 4]);
    scope().run(|| refund::enqueue(5, f64::NAN).map(drop).unwrap()).unwrap();
    assert_eq!(take_ran(), [5], "unchecked, arguments move as they are");
}
