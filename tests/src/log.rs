//! What the code under test logs.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Runs the closure and gives what it logged through `tracing`, one line an event: level, message and fields.
///
/// Only this thread's events are seen, so tests may run side by side.
pub fn logged<R>(run: impl FnOnce() -> R) -> (R, String) {
    let log = Log::default();
    let result = tracing::subscriber::with_default(log.clone(), run);
    let text = log.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (result, text)
}

/// From now on, all that this process logs, on any thread, spans among it; the closure gives what there is so far. Once a
/// process.
///
/// # Panics
/// There is such a log already.
pub fn logged_everywhere() -> impl Fn() -> String + Send + Sync {
    let log = Log { spans: true, ..Log::default() };
    if let Err(error) = tracing::subscriber::set_global_default(log.clone()) {
        panic!("{error}");
    }
    move || log.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// From now on, warnings and errors of airlock go to the standard error of this process at once, however it ends.
///
/// # Panics
/// If they go elsewhere already.
pub fn warnings_to_stderr() {
    if let Err(error) = tracing::subscriber::set_global_default(Stderr(std::time::Instant::now())) {
        panic!("{error}");
    }
}

/// With the time since it began.
struct Stderr(std::time::Instant);

impl tracing::Subscriber for Stderr {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "airlock" && *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _span: &tracing::span::Id, _values: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _span: &tracing::span::Id, _follows: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = format!("{:?} {}", self.0.elapsed(), event.metadata().level());
        event.record(&mut Fields(&mut line));
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    fn enter(&self, _span: &tracing::span::Id) {}

    fn exit(&self, _span: &tracing::span::Id) {}
}

#[derive(Debug, Clone, Default)]
struct Log {
    lines: Arc<Mutex<String>>,
    /// Whether spans are told as well.
    spans: bool,
}

impl Log {
    fn push(&self, line: &str) {
        let mut log = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(line);
        log.push('\n');
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _metadata: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        if self.spans {
            let mut line = format!("SPAN {}", span.metadata().name());
            span.record(&mut Fields(&mut line));
            self.push(&line);
        }
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _span: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        if self.spans {
            let mut line = "SPAN".to_owned();
            values.record(&mut Fields(&mut line));
            self.push(&line);
        }
    }

    fn record_follows_from(&self, _span: &tracing::span::Id, _follows: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut Fields(&mut line));
        self.push(&line);
    }

    fn enter(&self, _span: &tracing::span::Id) {}

    fn exit(&self, _span: &tracing::span::Id) {}
}

struct Fields<'a>(&'a mut String);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        // Writing to a string can't fail.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}
