//! Values that have no text of their own, and what is said of texts that are no value.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use airlock::{Arguments, Dedupe, EncodeFault, InlineExecutor, registry};
use airlock_tests::recorder::Recorder;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

fn fault<T: Serialize>(value: &T) -> Option<EncodeFault> {
    Arguments::new().positional(value).err().map(|error| error.fault())
}

const REPEATED: Option<EncodeFault> = Some(EncodeFault::RepeatedKey);

// Keys.

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Order {
    id: u64,
    #[serde(flatten)]
    more: BTreeMap<String, u64>,
}

/// Two maps in one object.
#[derive(Serialize)]
struct Both {
    #[serde(flatten)]
    by_name: BTreeMap<&'static str, u64>,
    #[serde(flatten)]
    by_number: BTreeMap<u64, u64>,
}

impl Order {
    fn with(more: &[&str]) -> Self {
        Self { more: more.iter().map(|name| ((*name).to_owned(), 1)).collect(), ..Self::default() }
    }
}

/// A map of so many entries of one key, of a length that it says or doesn't say.
struct Repeats(&'static [&'static str], Option<usize>);

impl Serialize for Repeats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(self.1)?;
        for key in self.0 {
            map.serialize_key(key)?;
            map.serialize_value(&1)?;
        }
        map.end()
    }
}

#[airlock::task(name = "values.ship")]
fn ship(first: u64, order: Order) {
    let _ = (first, order);
}

#[test]
fn promise_27_a_key_twice_in_an_object_is_refused_wherever_it_is() {
    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Map(BTreeMap<&'static str, u64>),
    }

    assert_eq!(fault(&Order::with(&["name", "ID", "i"])), None);
    assert_eq!(fault(&Order::with(&["name", "id"])), REPEATED);
    assert_eq!(fault(&vec![Some(Order::with(&["id"]))]), REPEATED);
    let both = |name| Both { by_name: BTreeMap::from([(name, 1)]), by_number: BTreeMap::from([(7, 1)]) };
    assert_eq!(fault(&both("7")), REPEATED, "a number is a text where it is a key");
    assert_eq!(fault(&both("8")), None);
    assert_eq!(fault(&Tagged::Map(BTreeMap::from([("size", 1)]))), None);
    assert_eq!(fault(&Tagged::Map(BTreeMap::from([("kind", 1)]))), REPEATED);
    for len in [None, Some(3)] {
        assert_eq!(fault(&Repeats(&["a", "b", "A"], len)), None);
        assert_eq!(fault(&Repeats(&["a", "b", "a"], len)), REPEATED);
        // As two keys are that need escapes.
        assert_eq!(fault(&Repeats(&["\"", "\\", "\\\""], len)), None);
        assert_eq!(fault(&Repeats(&["\n\"", "b", "\n\""], len)), REPEATED);
    }
    // Their keys differ, whatever order they have.
    let many: HashMap<u32, u32> = (0..1000).map(|n| (n, n)).collect();
    assert_eq!((fault(&many), fault(&HashMap::from([(String::new(), many)]))), (None, None));
}

#[test]
fn a_key_twice_lets_nothing_of_its_flush_escape_and_names_the_parameter() {
    let ended = airlock::scope().executor(InlineExecutor::new().checked()).run_reported(|| {
        ship::enqueue(1, Order::with(&["name"])).unwrap();
        ship::enqueue(2, Order::with(&["id"])).unwrap();
    });
    let error = ended.flush.unwrap_err();
    assert_eq!(error.report().counts().dispatched, 0);
    let told = "argument `order` can't be encoded: a map in it has a key twice, of which readers keep one; rename the field \
                or the key";
    assert!(error.to_string().contains(told), "{error}");
    let intents = error.into_intents();
    let error = intents[1].to_json().unwrap_err();
    assert_eq!((error.parameter(), error.fault()), (Some("order"), EncodeFault::RepeatedKey));
    assert!(intents[0].to_json().is_ok());
}

// One of several equal ones.

#[airlock::task(name = "values.report")]
fn report(figures: Vec<HashMap<String, HashMap<u64, Option<f64>>>>) {
    let _ = figures;
}

#[airlock::task(name = "values.tag")]
fn tag(tags: BTreeSet<u64>, order: Vec<u64>) {
    let _ = (tags, order);
}

#[test]
fn dedupe_finds_equal_maps_whatever_order_they_have() {
    let figures = |last: f64| -> Vec<HashMap<String, HashMap<u64, Option<f64>>>> {
        let inner = || (0..16).map(|n| (n, Some(0.1))).chain([(16, Some(last))]).collect();
        vec![["a", "b", "c", "d", "e", "f"].map(|name| (name.to_owned(), inner())).into_iter().collect()]
    };
    let recorder = Recorder::new();
    let ended = airlock::scope().executor(recorder.clone()).policy(Dedupe::new()).run_reported(|| {
        for _ in 0..100 {
            report::enqueue(figures(0.2)).unwrap();
        }
        report::enqueue(figures(0.3)).unwrap();
    });
    let counts = ended.flush.unwrap().counts();
    assert_eq!((counts.dispatched, counts.dropped), (2, 99));

    let ended = airlock::scope().executor(recorder).policy(Dedupe::new()).run_reported(|| {
        tag::enqueue([1, 2].into(), vec![1, 2]).unwrap();
        tag::enqueue([2, 1].into(), vec![1, 2]).unwrap();
        // The order of a list means something.
        tag::enqueue([1, 2].into(), vec![2, 1]).unwrap();
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 2);
}

// What is said of a text that is no value.

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Deep(Vec<Self>);

#[airlock::task(name = "values.read")]
fn read(
    #[default] small: u64,
    #[default] large: i128,
    #[default] float: f64,
    #[default] text: String,
    #[default] by_number: BTreeMap<u64, u8>,
    #[default = Deep(Vec::new())] deep: Deep,
) {
    let _ = (small, large, float, text, by_number, deep);
}

#[test]
fn what_is_wrong_with_a_value_is_told_for_what_it_is_and_where() {
    let digits = "9".repeat(5000);
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (parameter, json, fault) in [
        ("small", "1e400", "a number is out of range (column 5 of the argument)".to_owned()),
        ("float", "-1e400", "a number is out of range (column 6 of the argument)".to_owned()),
        ("large", &"9".repeat(50), "a number is out of range".to_owned()),
        ("float", &digits, "a number has 5000 digits, more than any type of numbers takes".to_owned()),
        ("large", &digits, "a number has 5000 digits, more than any type of numbers takes".to_owned()),
        ("small", &digits, "a number has 5000 digits, more than any type of numbers takes".to_owned()),
        ("text", r#""a\ud800b""#, "a text is not Unicode, it has half of a surrogate pair".to_owned()),
        ("text", r#""\udc00""#, "a text is not Unicode, it has half of a surrogate pair".to_owned()),
        ("text", r#""\ud800\u0041""#, "a text is not Unicode, it has half of a surrogate pair".to_owned()),
        ("by_number", r#"{"one": 1}"#, "the value has another type or shape".to_owned()),
        ("deep", &nested, "the value nests too deep".to_owned()),
        ("float", "[\n  1]", "the value has another type or shape".to_owned()),
    ] {
        let arguments = format!("{{\"{parameter}\":  {json}}}");
        let error =
            registry().intent("values.read", serde_json::from_str(&arguments).unwrap()).unwrap_err().to_string();
        let shown: String = json.chars().take(20).collect();
        assert!(error.contains(&fault), "{shown}: {error}");
        assert!(error.contains("column ") && error.ends_with(" of the argument)"), "{shown}: {error}");
        assert!(error.len() < 200 && !error.contains("999"), "{error}");
        // In whatever it comes.
        let event = format!("{{\"task\":\"values.read\",\n\"kwargs\":\n{arguments}}}");
        assert_eq!(registry().invoke_event(&event).unwrap_err().to_string(), error, "{shown}");
    }
}
