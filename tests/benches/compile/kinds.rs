//! The same tasks written three ways, each as a program that calls every task once and checks that every one has run.

use std::fmt::Write;

use super::tasks::{Parameter, Task};

/// How tasks are written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Functions and nothing else.
    Bare,
    /// A struct of arguments that derives serde, and a registration.
    ByHand,
    /// `#[airlock::task]`.
    Airlock,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Bare, Kind::ByHand, Kind::Airlock];

impl Kind {
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::ByHand => "by_hand",
            Self::Airlock => "airlock",
        }
    }

    /// What stands under `[dependencies]`. The versions are those of the lock file.
    pub(crate) fn dependencies(self, airlock: &str) -> String {
        match self {
            Self::Bare => String::new(),
            Self::ByHand => {
                "inventory = \"*\"\nserde = { version = \"*\", features = [\"derive\"] }\nserde_json = \"*\"\n"
                    .to_owned()
            }
            Self::Airlock => format!("airlock = {{ path = {airlock:?} }}\n"),
        }
    }

    /// The whole program.
    pub(crate) fn source(self, tasks: &[Task]) -> String {
        let mut source = String::from(COMMON);
        source.push_str(match self {
            Self::Bare => BARE,
            Self::ByHand => BY_HAND,
            Self::Airlock => AIRLOCK,
        });
        // Ten a module: compilers divide their work by modules, and a thousand tasks in one are no use case.
        let mut calls = String::new();
        for (index, tasks) in tasks.chunks(10).enumerate() {
            writeln!(calls, "    tasks_{index}::call_all()?;").unwrap();
            writeln!(source, "\nmod tasks_{index} {{\n    use super::*;").unwrap();
            tasks.iter().for_each(|task| source.push_str(&self.task(task)));
            let calls: String = tasks.iter().map(|task| self.call(task)).collect();
            writeln!(source, "\n    pub(crate) fn call_all() -> Result {{\n{calls}        Ok(())\n    }}\n}}").unwrap();
        }
        let count = tasks.len();
        write!(source, "\nfn call_all() -> Result {{\n{calls}    Ok(())\n}}\n\nconst TASKS: usize = {count};\n")
            .unwrap();
        source
    }

    fn task(self, task: &Task) -> String {
        let Task { name, parameters, fallible, options } = task;
        let mut signature = Vec::new();
        let mut body = String::from("        done();\n");
        for parameter in parameters {
            let redact = if parameter.redacted && matches!(self, Self::Airlock) { "#[redact] " } else { "" };
            signature.push(format!("{redact}{}: {}", parameter.name, parameter.ty));
            writeln!(body, "        black_box({});", parameter.name).unwrap();
        }
        let (output, end) = if *fallible { (" -> std::fmt::Result", "        Ok(())\n") } else { ("", "") };
        let signature = signature.join(", ");
        let function = format!("    pub(crate) fn {name}({signature}){output} {{\n{body}{end}    }}\n");
        match self {
            Self::Bare => format!("\n{function}"),
            Self::Airlock if options.is_empty() => format!("\n    #[airlock::task]\n{function}"),
            Self::Airlock => format!("\n    #[airlock::task({options})]\n{function}"),
            Self::ByHand => format!("\n{function}{}", registration(task, &signature)),
        }
    }

    fn call(self, task: &Task) -> String {
        let name = &task.name;
        let values = task.parameters.iter().map(|parameter| parameter.value).collect::<Vec<_>>().join(", ");
        match self {
            Self::Bare if task.fallible => format!("        {name}({values})?;\n"),
            Self::Bare => format!("        {name}({values});\n"),
            Self::ByHand => format!("        enqueue_{name}({values})?;\n"),
            Self::Airlock => format!("        {name}::enqueue({values})?;\n"),
        }
    }
}

/// What somebody writes beside a function to store calls of it and to run them later.
fn registration(task: &Task, signature: &str) -> String {
    let name = &task.name;
    let fields: Vec<_> = task.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let types: String =
        task.parameters.iter().map(|Parameter { name, ty, .. }| format!("        {name}: {ty},\n")).collect();
    let (args, fields) = (format!("Args_{name}"), fields.join(", "));
    let run = if task.fallible { format!("{name}({fields})?") } else { format!("{name}({fields})") };
    format!(
        "
    #[derive(Serialize, Deserialize)]
    #[allow(non_camel_case_types)]
    struct {args} {{
{types}    }}

    fn enqueue_{name}({signature}) -> Result {{
        enqueue({name:?}, serde_json::to_string(&{args} {{ {fields} }})?)
    }}

    inventory::submit! {{
        Entry {{
            name: {name:?},
            run: |json| {{
                let {args} {{ {fields} }} = serde_json::from_str(json)?;
                {run};
                Ok(())
            }},
        }}
    }}
"
    )
}

const COMMON: &str = "\
use std::error::Error;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

static DONE: AtomicUsize = AtomicUsize::new(0);

fn done() {
    DONE.fetch_add(1, Ordering::Relaxed);
}
";

const BARE: &str = "
type Result = std::result::Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Result {
    call_all()?;
    assert_eq!(DONE.load(Ordering::Relaxed), TASKS);
    Ok(())
}
";

const BY_HAND: &str = "
use std::collections::HashMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

type Result = std::result::Result<(), Box<dyn Error + Send + Sync>>;

struct Entry {
    name: &'static str,
    run: fn(&str) -> Result,
}

inventory::collect!(Entry);

static ENQUEUED: Mutex<Vec<(&str, String)>> = Mutex::new(Vec::new());

fn enqueue(name: &'static str, json: String) -> Result {
    ENQUEUED.lock().unwrap().push((name, json));
    Ok(())
}

fn main() -> Result {
    call_all()?;
    let entries: HashMap<_, _> = inventory::iter::<Entry>.into_iter().map(|entry| (entry.name, entry)).collect();
    for (name, json) in ENQUEUED.lock().unwrap().drain(..) {
        (entries[name].run)(&json)?;
    }
    assert_eq!(DONE.load(Ordering::Relaxed), TASKS);
    Ok(())
}
";

const AIRLOCK: &str = "
type Result = airlock::Result<()>;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    airlock::scope().run(call_all)?;
    assert_eq!(DONE.load(Ordering::Relaxed), TASKS);
    Ok(())
}
";
