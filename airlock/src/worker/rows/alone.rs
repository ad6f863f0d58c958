//! Rows that have lost several workers run alone in their process, whichever of its workers has them: one that kills the
//! process takes no other row along.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// All workers of this process.
#[derive(Debug)]
struct ProcessRows {
    /// How many workers hold rows.
    holding: usize,
    /// How many workers wait until no row runs; none claims other rows meanwhile.
    waiting: usize,
    /// Whether a row runs alone.
    is_alone: bool,
}

static PROCESS: Mutex<ProcessRows> = Mutex::new(ProcessRows { holding: 0, waiting: 0, is_alone: false });

fn process() -> MutexGuard<'static, ProcessRows> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one worker holds, or waits for. Dropped, it holds nothing.
#[derive(Debug, Default)]
pub(super) struct Company {
    is_holding: bool,
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Among,
    Waiting,
    Alone,
}

impl Company {
    /// Whether the worker may claim rows that run side by side, which it then holds.
    pub(super) fn enter(&mut self) -> bool {
        let mut process = process();
        if process.waiting > 0 || self.stage != Stage::Among {
            return false;
        }
        process.holding += usize::from(!self.is_holding);
        self.is_holding = true;
        true
    }

    /// There is a row that is to run alone.
    pub(super) fn want_alone(&mut self) {
        if self.stage == Stage::Among {
            self.stage = Stage::Waiting;
            process().waiting += 1;
        }
    }

    /// Whether the worker waits to be alone.
    pub(super) fn is_waiting(&self) -> bool {
        self.stage == Stage::Waiting
    }

    /// Whether a worker waits to run a row alone, or does: then there is no news when that ends.
    pub(super) fn is_held_up() -> bool {
        process().waiting > 0
    }

    /// The worker holds no row now.
    pub(super) fn leave(&mut self) {
        let mut process = process();
        process.holding -= usize::from(self.is_holding);
        self.is_holding = false;
        if self.stage == Stage::Alone {
            process.is_alone = false;
            process.waiting -= 1;
            self.stage = Stage::Among;
        }
    }

    /// Whether no worker of the process holds a row, so that one may run alone.
    pub(super) fn begin_alone(&mut self) -> bool {
        let mut process = process();
        if self.stage != Stage::Waiting || process.holding > 0 || process.is_alone {
            return false;
        }
        process.is_alone = true;
        self.stage = Stage::Alone;
        true
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        if self.stage == Stage::Waiting {
            process().waiting -= 1;
            self.stage = Stage::Among;
        }
        self.leave();
    }
}
