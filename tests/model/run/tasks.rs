//! The tasks of the programs. Run inline, they write themselves down.

use std::fmt;

use airlock::{EnqueueError, Intent, IntentId};

use super::pause;
use super::world::World;
use crate::program::{Call, Fate, Task};
use crate::trace::{Event, Seq};

#[derive(Debug)]
pub(super) struct TaskError;

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task's own error")
    }
}

impl std::error::Error for TaskError {}

#[airlock::task(name = "model.note")]
fn note(seq: u64, fate: Fate) -> Result<(), TaskError> {
    begin(Task::Note, seq, fate);
    end(seq, fate)
}

#[airlock::task(name = "model.mail")]
fn mail(seq: u64, fate: Fate) -> Result<(), TaskError> {
    begin(Task::Mail, seq, fate);
    end(seq, fate)
}

#[airlock::task(name = "model.later")]
async fn later(seq: u64, fate: Fate) -> Result<(), TaskError> {
    begin(Task::Later, seq, fate);
    pause().await;
    end(seq, fate)
}

#[airlock::task(name = "model.near", local)]
fn near(seq: u64, fate: Fate) -> Result<(), TaskError> {
    begin(Task::Near, seq, fate);
    end(seq, fate)
}

#[airlock::task(name = "model.remote")]
fn remote(seq: u64, fate: Fate);

fn begin(task: Task, seq: Seq, fate: Fate) {
    World::here().event(Event::Handed { executor: "inline", task, seq, fate });
}

fn end(seq: Seq, fate: Fate) -> Result<(), TaskError> {
    match fate {
        Fate::Fail => Err(TaskError),
        Fate::Panic => panic!("expected: task"),
        Fate::Enqueue => {
            World::here().inside(seq);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Enqueues in whatever is current.
pub(super) fn enqueue(seq: Seq, call: Call) -> Result<IntentId, EnqueueError> {
    match call.task {
        Task::Note => note::enqueue(seq, call.fate),
        Task::Mail => mail::enqueue(seq, call.fate),
        Task::Later => later::enqueue(seq, call.fate),
        Task::Near => near::enqueue(seq, call.fate),
        Task::Remote => remote::enqueue(seq, call.fate),
    }
}

pub(super) fn intent(seq: Seq, call: Call) -> Intent {
    match call.task {
        Task::Note => note::intent(seq, call.fate),
        Task::Mail => mail::intent(seq, call.fate),
        Task::Later => later::intent(seq, call.fate),
        Task::Near => near::intent(seq, call.fate),
        Task::Remote => remote::intent(seq, call.fate),
    }
}

/// Which task an intent is of, and its arguments.
pub(super) fn read(intent: &Intent) -> (Task, Seq, Fate) {
    let found = match intent.name() {
        "model.note" => intent.args::<note>().map(|&(seq, fate)| (Task::Note, seq, fate)),
        "model.mail" => intent.args::<mail>().map(|&(seq, fate)| (Task::Mail, seq, fate)),
        "model.later" => intent.args::<later>().map(|&(seq, fate)| (Task::Later, seq, fate)),
        "model.near" => intent.args::<near>().map(|&(seq, fate)| (Task::Near, seq, fate)),
        _ => intent.args::<remote>().map(|&(seq, fate)| (Task::Remote, seq, fate)),
    };
    found.unwrap()
}

pub(super) fn by_name(name: &str) -> Task {
    match name {
        "model.note" => Task::Note,
        "model.mail" => Task::Mail,
        "model.later" => Task::Later,
        "model.near" => Task::Near,
        _ => Task::Remote,
    }
}
