//! What every executor asks that runs tasks in this process.

use super::Rejection;
use crate::intent::Intent;
use crate::task::TaskKind;

/// Whether the task can run in this process at all: it has a body, and the state it needs.
pub(super) fn can_run_here(intent: &Intent) -> Result<(), Rejection> {
    if intent.task().kind == TaskKind::Elsewhere {
        return Err(Rejection::new("it has no body in this program; give the scope an executor that sends it"));
    }
    intent.missing_state().map_or(Ok(()), |missing| Err(Rejection::new(missing)))
}
