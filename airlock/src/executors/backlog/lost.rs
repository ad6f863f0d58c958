//! What is left when nobody can do it any more.

use std::panic::Location;

use super::Backlog;
use super::job::Job;
use super::options::FailureHandler;
use crate::intent::Intent;
use crate::runtime::panics::catch_panic;
use crate::runtime::timer;
use crate::scope_info::ScopeInfo;
use crate::settings::{self, Lost};

impl Drop for Backlog {
    /// Only what no runtime was left for is still here: it is told, and handed to `on_lost`. A forked child leaves that to
    /// its parent, which has it too.
    fn drop(&mut self) {
        if self.is_inherited() {
            return;
        }
        let jobs = self.waiting.take_all().0;
        let title = self.limits.title();
        let on_error = self.limits.on_error.take();
        // An alarm may be the last that holds it.
        timer::off_its_thread(move || give_up(jobs, title, on_error));
    }
}

fn give_up(jobs: Vec<Job>, title: String, on_error: Option<FailureHandler>) {
    if !jobs.is_empty() {
        lose(jobs.into_iter().map(|job| job.intent).collect(), title);
    }
    let _ = catch_panic(|| drop(on_error));
}

fn lose(intents: Vec<Intent>, title: String) {
    tell(&title, &intents);
    intents.iter().for_each(Intent::give_back);
    let Some(on_lost) = settings::snapshot().on_lost.value.clone() else {
        // One by one: a second argument that panics as it goes, while the first one's panic is under way, would abort.
        intents.into_iter().for_each(|intent| drop(catch_panic(|| drop(intent))));
        return;
    };
    let location = intents.first().map_or_else(Location::caller, Intent::location);
    let info = ScopeInfo::new(Some(title.into()), location);
    let _ = catch_panic(|| on_lost(Lost::new(info, intents)));
}

fn tell(executor: &str, intents: &[Intent]) {
    let _ = catch_panic(|| {
        for intent in intents {
            let (task, id, location) = (intent.name(), intent.id(), intent.location());
            tracing::error!(target: "airlock", task, %id, %location, executor, "accepted work was lost");
        }
    });
}
