//! Jobs that are left when the last executor, thread and alarm of a pool is gone.

use std::panic::Location;

use super::backlog::Backlog;
use super::jobs::PoolJob;
use super::limits::FailureHandler;
use crate::intent::Intent;
use crate::lost::{self, Lost};
use crate::runtime::panics::catch_panic;
use crate::runtime::timer;
use crate::scope_info::ScopeInfo;

impl Drop for Backlog {
    /// Only jobs that no runtime was left for are still here: they are logged, and given to `on_lost`. A forked child
    /// leaves that to its parent, which has them too.
    fn drop(&mut self) {
        if self.is_inherited() {
            return;
        }
        let jobs = self.jobs().take_all();
        let title = self.limits.title();
        let on_error = self.limits.on_error.take();
        // It may be the timer thread, with an alarm, that drops the backlog.
        timer::run_off_timer_thread(move || abandon(jobs, title, on_error));
    }
}

fn abandon(jobs: Vec<PoolJob>, title: String, on_error: Option<FailureHandler>) {
    if !jobs.is_empty() {
        hand_to_on_lost(jobs.into_iter().map(|job| job.intent).collect(), title);
    }
    let _ = catch_panic(|| drop(on_error));
}

fn hand_to_on_lost(intents: Vec<Intent>, title: String) {
    log(&title, &intents);
    intents.iter().for_each(Intent::release);
    let Some(on_lost) = lost::hook() else {
        // One by one: a second argument that panics as it goes, while the first one's panic is under way, would abort.
        intents.into_iter().for_each(|intent| drop(catch_panic(|| drop(intent))));
        return;
    };
    let location = intents.first().map_or_else(Location::caller, Intent::location);
    let info = ScopeInfo::new(Some(title.into()), location);
    let _ = catch_panic(|| on_lost(Lost::new(info, intents)));
}

fn log(executor: &str, intents: &[Intent]) {
    let _ = catch_panic(|| {
        for intent in intents {
            let (task, id, location) = (intent.name(), intent.id(), intent.location());
            tracing::error!(target: "airlock", task, %id, %location, executor, "accepted work was lost");
        }
    });
}
