//! The options of both attributes: each entry into its slot.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, LitStr, Path, Result, parse_quote};

use crate::diag::{Problems, nearest};
use crate::entry::{Entry, entries};
use crate::values;

/// One option, with the key that set it so that later errors can point there.
pub(crate) struct Slot<T> {
    key: Option<Ident>,
    value: Option<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { key: None, value: None }
    }
}

impl<T> Slot<T> {
    fn fill(&mut self, entry: &Entry, read: fn(&Entry) -> Result<T>, problems: &mut Problems) {
        if self.key.is_some() {
            problems.push(&entry.key, format!("`{}` is set twice; keep one", entry.key));
        }
        // A value that can't be read counts as set, so that a second one is still reported as the second.
        self.key = Some(entry.key.clone());
        self.value = problems.keep(read(entry));
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    pub(crate) fn key(&self) -> Option<&Ident> {
        self.key.as_ref()
    }
}

impl Slot<Path> {
    /// Whether the path is none that was meant and can't be read.
    pub(crate) fn is_sound(&self) -> bool {
        self.key.is_none() || self.value.is_some()
    }

    /// The path of the `airlock` crate.
    pub(crate) fn or_airlock(&self) -> Path {
        self.get().cloned().unwrap_or_else(|| parse_quote!(::airlock))
    }
}

/// The options of `#[task]`. In the order of `airlock/docs/attributes.md`, which has a row for each:
///
/// ```text
/// name = "shop.send"          aliases = ["send", "mail"]
/// queue = "mail"              priority = 5                max_retries = 3
/// delay = "5m"                expires = "1h30m"           timeout = "90s"
/// local                       positional
/// enqueue_only                shim
/// companion = SendEmail       crate = ::path
/// ```
#[derive(Default)]
pub(crate) struct TaskArgs {
    pub(crate) name: Slot<LitStr>,
    pub(crate) aliases: Slot<Vec<LitStr>>,
    pub(crate) queue: Slot<LitStr>,
    pub(crate) priority: Slot<u8>,
    pub(crate) max_retries: Slot<u32>,
    pub(crate) delay: Slot<Duration>,
    pub(crate) expires: Slot<Duration>,
    pub(crate) timeout: Slot<Duration>,
    pub(crate) local: Slot<()>,
    pub(crate) positional: Slot<()>,
    pub(crate) enqueue_only: Slot<()>,
    pub(crate) shim: Slot<()>,
    pub(crate) companion: Slot<Ident>,
    pub(crate) krate: Slot<Path>,
}

impl TaskArgs {
    const KNOWN: [&str; 14] = [
        "name",
        "aliases",
        "queue",
        "priority",
        "max_retries",
        "delay",
        "expires",
        "timeout",
        "local",
        "positional",
        "enqueue_only",
        "shim",
        "companion",
        "crate",
    ];

    pub(crate) fn read(tokens: TokenStream, problems: &mut Problems) -> Self {
        let mut args = Self::default();
        for entry in entries(tokens, problems) {
            match entry.key.to_string().as_str() {
                "name" => args.name.fill(&entry, values::name, problems),
                "aliases" => args.aliases.fill(&entry, values::names, problems),
                "queue" => args.queue.fill(&entry, values::text, problems),
                "priority" => args.priority.fill(&entry, values::priority, problems),
                "max_retries" => args.max_retries.fill(&entry, values::retries, problems),
                "delay" => args.delay.fill(&entry, values::duration, problems),
                "expires" => args.expires.fill(&entry, values::span, problems),
                "timeout" => args.timeout.fill(&entry, values::span, problems),
                "local" => args.local.fill(&entry, values::flag, problems),
                "positional" => args.positional.fill(&entry, values::flag, problems),
                "enqueue_only" => args.enqueue_only.fill(&entry, values::flag, problems),
                "shim" => args.shim.fill(&entry, values::flag, problems),
                "companion" => args.companion.fill(&entry, values::identifier, problems),
                "crate" => args.krate.fill(&entry, values::crate_path, problems),
                _ => unknown(&entry.key, &Self::KNOWN, problems),
            }
        }
        args
    }
}

/// The options of `#[scoped]`:
///
/// ```text
/// policy = AllowAll           executor = InlineExecutor::new()    lifecycle = AlwaysFlush
/// name = "checkout"           on_failure = OnFailure::FailFast    deadline = "5s"
/// on_flush_error = path       succeeded = path                    crate = ::path
/// ```
#[derive(Default)]
pub(crate) struct ScopedArgs {
    pub(crate) policy: Slot<Expr>,
    pub(crate) executor: Slot<Expr>,
    pub(crate) lifecycle: Slot<Expr>,
    pub(crate) name: Slot<LitStr>,
    pub(crate) on_failure: Slot<Expr>,
    pub(crate) deadline: Slot<Duration>,
    pub(crate) on_flush_error: Slot<Path>,
    pub(crate) succeeded: Slot<Path>,
    pub(crate) krate: Slot<Path>,
}

impl ScopedArgs {
    const KNOWN: [&str; 9] =
        ["policy", "executor", "lifecycle", "name", "on_failure", "deadline", "on_flush_error", "succeeded", "crate"];

    pub(crate) fn read(tokens: TokenStream, problems: &mut Problems) -> Self {
        let mut args = Self::default();
        for entry in entries(tokens, problems) {
            match entry.key.to_string().as_str() {
                "policy" => args.policy.fill(&entry, values::expression, problems),
                "executor" => args.executor.fill(&entry, values::expression, problems),
                "lifecycle" => args.lifecycle.fill(&entry, values::expression, problems),
                "name" => args.name.fill(&entry, values::text, problems),
                "on_failure" => args.on_failure.fill(&entry, values::expression, problems),
                "deadline" => args.deadline.fill(&entry, values::duration, problems),
                "on_flush_error" => args.on_flush_error.fill(&entry, values::handler, problems),
                "succeeded" => args.succeeded.fill(&entry, values::judge, problems),
                "crate" => args.krate.fill(&entry, values::crate_path, problems),
                _ => unknown(&entry.key, &Self::KNOWN, problems),
            }
        }
        args
    }
}

fn unknown(key: &Ident, known: &[&str], problems: &mut Problems) {
    let hint = match nearest(&key.to_string(), known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("expected one of `{}`", known.join("`, `")),
    };
    problems.push(key, format!("unknown option `{key}`; {hint}"));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{ScopedArgs, TaskArgs};
    use crate::diag::Problems;

    /// Every known option is read, and has its row in the page that users read.
    fn check(known: &[&str], page: &str, read: impl Fn(&str, &mut Problems)) {
        let page =
            fs::read_to_string(format!("{}/../airlock/docs/{page}", env!("CARGO_MANIFEST_DIR"))).expect("a page");
        for option in known {
            assert!(page.contains(&format!("\n| `{option}` | `{option}")), "no row for `{option}`");
            let mut problems = Problems::default();
            read(option, &mut problems);
            let message = problems.finish().err().map(|errors| errors.to_string()).unwrap_or_default();
            assert!(!message.contains("unknown option"), "{message}");
        }
        let rows = page.lines().filter(|line| line.starts_with("| `") && line.matches(" | `").count() >= 1);
        let rows: Vec<_> =
            rows.filter_map(|row| row.split('`').nth(1)).filter(|word| !word.contains([':', '#'])).collect();
        assert_eq!(rows, known, "the rows are the options, in their order");
    }

    #[test]
    fn every_option_of_a_task_is_read_and_documented() {
        check(&TaskArgs::KNOWN, "attributes.md", |option, problems| {
            TaskArgs::read(option.parse().expect("tokens"), problems);
        });
    }

    #[test]
    fn every_option_of_a_scope_is_read_and_documented() {
        check(&ScopedArgs::KNOWN, "scoped.md", |option, problems| {
            ScopedArgs::read(option.parse().expect("tokens"), problems);
        });
    }
}
