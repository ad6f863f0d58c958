//! Rows that have lost several workers run alone in their process, whichever of its workers has them: one that kills the
//! process takes no other row along.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
#[derive(Debug)]
pub(super) struct Company {
    is_holding: bool,
    stage: Stage,
    /// How long it waits to be alone, and then goes on before it waits again.
    patience: Duration,
    /// Until when it waits, or doesn't wait again.
    until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Among,
    Waiting,
    Alone,
}

impl Company {
    pub(super) fn new(patience: Duration) -> Self {
        Self { is_holding: false, stage: Stage::Among, patience, until: Instant::now() }
    }

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

    /// Whether there is a row that is to run alone. The worker waits for it for a time, and then lets others run as long: a
    /// run that never ends would keep all of them from starting.
    pub(super) fn want_alone(&mut self, is_there: bool) {
        let now = Instant::now();
        match self.stage {
            Stage::Among if is_there && now >= self.until => {
                self.stage = Stage::Waiting;
                self.until = now + self.patience;
                process().waiting += 1;
            }
            Stage::Waiting if !is_there || now >= self.until => {
                self.stage = Stage::Among;
                self.until = if is_there { now + self.patience } else { now };
                process().waiting -= 1;
            }
            _ => {}
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

    /// The worker holds no row now. Whether it had one that ran alone: it may wait for the next such row at once.
    pub(super) fn leave(&mut self) -> bool {
        let mut process = process();
        process.holding -= usize::from(self.is_holding);
        self.is_holding = false;
        let was_alone = self.stage == Stage::Alone;
        if was_alone {
            process.is_alone = false;
            process.waiting -= 1;
            self.stage = Stage::Among;
            self.until = Instant::now();
        }
        was_alone
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
