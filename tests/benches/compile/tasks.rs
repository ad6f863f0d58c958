//! The tasks a generated crate has: made up, but the same in every run and for every kind.

/// One task, as the signature of a function.
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
    /// Whether it returns a `Result`.
    pub(crate) fallible: bool,
    /// What stands in its attribute, where there is one.
    pub(crate) options: String,
}

/// One parameter.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: &'static str,
    /// What a call passes.
    pub(crate) value: &'static str,
    pub(crate) redacted: bool,
}

const VERBS: &[&str] = &["send", "store", "notify", "index", "charge", "resize", "import", "expire", "audit", "sync"];
const NOUNS: &[&str] = &["order", "invoice", "photo", "account", "report", "ticket", "parcel"];

/// Types with names that such parameters have and an argument. The common ones stand here more than once.
const PARAMETERS: &[(&str, &str, &str)] = &[
    ("u64", "order_id", "7"),
    ("u64", "user_id", "8"),
    ("u64", "amount", "9"),
    ("String", "email", "String::from(\"ann@example.com\")"),
    ("String", "token", "String::from(\"0123456789abcdef\")"),
    ("String", "path", "String::from(\"photos/1\")"),
    ("bool", "express", "true"),
    ("Option<u64>", "parent", "Some(3)"),
    ("Option<String>", "note", "None"),
    ("Vec<u64>", "items", "Vec::from([1, 2])"),
    ("Vec<String>", "tags", "Vec::new()"),
];

/// The first `count` tasks: those of a small crate are also in the large one.
pub(crate) fn tasks(count: usize) -> Vec<Task> {
    let mut random = Random(1);
    (0..count).map(|index| task(index, &mut random)).collect()
}

fn task(index: usize, random: &mut Random) -> Task {
    let name = format!("{}_{}_{index}", random.of(VERBS), random.of(NOUNS));
    let parameters = (0..random.below(5)).map(|place| parameter(place, random)).collect();
    let options = match index % 10 {
        3 => format!("name = \"shop.{name}\", queue = \"mail\""),
        7 => "max_retries = 3, expires = \"1h30m\"".to_owned(),
        _ => String::new(),
    };
    Task { name, parameters, fallible: random.below(2) == 0, options }
}

fn parameter(place: usize, random: &mut Random) -> Parameter {
    let (ty, name, value) = *random.of(PARAMETERS);
    // Two of one kind need two names.
    Parameter { name: format!("{name}_{place}"), ty, value, redacted: name == "token" }
}

/// Numbers that look random and are the same each time (Knuth's constants).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The low bits of such a sequence repeat soon.
        (self.0 >> 33) as usize % limit
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
