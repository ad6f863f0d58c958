//! `#[name = "from"]`: what messages call a parameter, where that is another name than the function's.

use std::collections::BTreeMap;

use airlock::{Registry, Task, registry};

#[airlock::task(name = "names.remind", aliases = ["names.tell"])]
fn remind(
    #[name = "from"] sender: String,
    #[redact]
    #[name = "class"]
    kind: String,
    #[default = 3]
    #[name = "how-often"]
    times: u64,
    r#type: bool,
) {
    let _ = (sender, kind, times, r#type);
}

fn sample() -> airlock::Intent {
    remind::intent("ada".to_owned(), "secret".to_owned(), 2, true)
}

#[test]
fn messages_have_the_name_and_the_function_has_its_own() {
    remind(String::new(), String::new(), 1, false);
    let json = r#"{"from":"ada","class":"secret","how-often":2,"type":true}"#;
    assert_eq!(sample().to_json().unwrap().get(), json);
    assert_eq!(sample().to_string(), r#"names.remind(from="ada", class=***, how-often=2, type=true)"#);
    let names: Vec<_> = remind::definition().parameters.iter().map(|parameter| parameter.name).collect();
    assert_eq!(names, ["from", "class", "how-often", "type"]);
    let listing = Registry::new().with::<remind>().listing().to_string();
    assert!(
        listing.starts_with("names.remind(from: String, #[redact] class: String, how-often: u64 = 3, type: bool)\n")
    );
    // What was named is still a parameter like others.
    assert_eq!(sample().args::<remind>().unwrap().0, "ada");
}

#[test]
fn messages_are_read_by_it_under_every_name_of_the_task_and_in_every_form() {
    let intent = sample();
    let back = registry().decode(&serde_json::to_string(&intent).unwrap()).unwrap();
    assert_eq!((back.id(), back.args::<remind>()), (intent.id(), intent.args::<remind>()));
    for (name, json) in [
        ("names.remind", r#"{"type":true,"class":"secret","from":"ada","how-often":2}"#),
        ("names.tell", r#"{"type":true,"class":"secret","from":"ada","how-often":2}"#),
        ("names.tell", r#"["ada","secret",2,true]"#),
    ] {
        let read = registry().intent(name, serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!(read.args::<remind>(), intent.args::<remind>(), "{name} {json}");
    }
    let event = r#"{"task":"names.tell","args":["ada"],"kwargs":{"class":"k","type":false}}"#;
    registry().invoke_event(event).unwrap();
    let wrong =
        |json: &str| registry().intent("names.remind", serde_json::from_str(json).unwrap()).unwrap_err().to_string();
    assert!(
        wrong(r#"{"sender":"ada"}"#)
            .ends_with("no parameter `sender`; the task takes `from`, `class`, `how-often`, `type`")
    );
    assert!(wrong(r#"{"class":"k","type":false}"#).ends_with("argument `from` is missing"));
}

#[cfg(feature = "testing")]
#[test]
fn assertions_know_a_parameter_by_both_names() {
    let captured = airlock::testing::capture(|| remind::enqueue("ada".to_owned(), "k".to_owned(), 2, true).is_ok());
    airlock::assert_enqueued!(captured, remind { sender: "ada", kind: "k", times: 2, r#type: true });
    airlock::assert_enqueued!(captured, remind { from: "ada", class: "k", .. });
    airlock::assert_not_enqueued!(captured, remind { sender: "eve", .. });
}

/// Tasks with a parameter of each of these names.
macro_rules! named {
    ($($task:ident $name:literal)*) => {{
        $(
            #[airlock::task]
            fn $task(#[name = $name] value: u64) { let _ = value; }
        )*
        Registry::new()$(.with::<$task>())*
    }};
}

fn faults(registry: &Registry) -> BTreeMap<String, String> {
    let Err(airlock::RegistryError::NotForPython { faults }) = registry.check_for_python() else {
        return BTreeMap::new();
    };
    let fault = |fault: String| {
        let (name, rest) = fault[1..].split_once('`').unwrap();
        (name.to_owned(), rest.split_once("` ").unwrap().1.to_owned())
    };
    faults.into_iter().map(fault).collect()
}

#[test]
fn names_that_python_cannot_have_are_found_and_others_are_not() {
    let fine = named! {
        a1 "order_id" a2 "_" a3 "__a" a4 "match" a5 "type" a6 "print" a7 "é" a8 "straße" a9 "ключ" b1 "数" b2 "Ñandú" b3 "μ"
        b4 "self" b5 "none" b6 "From" b7 "a1"
    };
    assert_eq!(fine.check_for_python().map_err(|error| error.to_string()), Ok(()));

    let odd = named! {
        c1 "µ" c2 "ﬁn" c3 "ſ" c4 "ª" c5 "ℌ" c6 "x²" c7 "Ⅷ" c8 "ｆｒｏｍ" c9 "𝐱" d1 "how-often" d2 "1st" d3 "a.b" d4 "a$"
    };
    let found = faults(&odd);
    for name in ["µ", "ﬁn", "ſ", "ª", "ℌ", "Ⅷ", "ｆｒｏｍ", "𝐱"] {
        assert_eq!(found.get(name).map(String::as_str), Some("has a letter that Python writes otherwise"), "{name}");
    }
    for name in ["how-often", "1st", "a.b", "a$"] {
        assert_eq!(found.get(name).map(String::as_str), Some("is no name in Python"), "{name}");
    }
}

#[test]
fn the_keywords_are_those_of_python() {
    let keywords = named! {
        k01 "False" k02 "None" k03 "True" k04 "and" k05 "as" k06 "assert" k07 "async" k08 "await" k09 "break" k10 "class"
        k11 "continue" k12 "def" k13 "del" k14 "elif" k15 "else" k16 "except" k17 "finally" k18 "for" k19 "from" k20 "global"
        k21 "if" k22 "import" k23 "in" k24 "is" k25 "lambda" k26 "nonlocal" k27 "not" k28 "or" k29 "pass" k30 "raise"
        k31 "return" k32 "try" k33 "while" k34 "with" k35 "yield" k36 "__debug__"
    };
    let found = faults(&keywords);
    assert_eq!(found.len(), 36, "{found:?}");
    assert!(found.values().all(|fault| fault == "is a keyword in Python"), "{found:?}");
    if airlock_tests::python::has_python() {
        let print = "import keyword; print('\\n'.join(keyword.kwlist))";
        let output = std::process::Command::new(airlock_tests::python::python()).args(["-c", print]).output().unwrap();
        let theirs = String::from_utf8(output.stdout).unwrap();
        assert_eq!(theirs.lines().filter(|keyword| !found.contains_key(*keyword)).collect::<Vec<_>>(), [""; 0]);
        assert!(theirs.lines().count() >= 35);
    }
}

#[test]
fn a_program_asks_as_it_starts_and_hears_of_all_of_them_with_the_way_out() {
    #[airlock::task(name = "names.lambda")]
    fn lambda(from: String, class: u64) {
        let _ = (from, class);
    }
    #[airlock::task(name = "names.positional", positional)]
    fn positional(from: String) {
        let _ = from;
    }
    #[airlock::task(name = "names.local", local)]
    fn local(from: String) {
        let _ = from;
    }
    #[airlock::task(name = "names.renamed")]
    fn renamed(#[name = "from_"] from: String) {
        let _ = from;
    }

    let error = Registry::new().with::<lambda>().with::<positional>().with::<local>().with::<renamed>();
    let told = "`from` of task `names.lambda` is a keyword in Python, `class` of task `names.lambda` is a keyword in Python; \
                give each another name in messages, `#[name = \"…\"]`, or mark its task `positional`";
    assert_eq!(error.check_for_python().unwrap_err().to_string(), told);
    assert!(registry().check_for_python().is_err());
}
