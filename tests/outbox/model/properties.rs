//! What holds of each step, whatever happened before it.

use airlock::OutboxState;

use super::table::{Id, MAX_RESCUES, MAX_RETRIES, Row};
use super::world::{Action, World};

/// Whether it holds of the world before, what happens, and the world after.
type Property = fn(&World, &Action, &World) -> bool;

/// What is broken, if something is.
pub(crate) fn judge(before: &World, action: &Action, after: &World) -> Result<(), &'static str> {
    let rules: [(&'static str, Property); 8] = [
        ("a row that has ended goes on", ended_rows_stay),
        ("a run that has lost its row changes it", stale_runs_change_nothing),
        ("a row is claimed that is another's", one_run_holds_a_row),
        ("a row is given back whose lease holds", living_workers_keep_their_rows),
        ("what a task left and its row's end are apart", follow_ups_come_with_done),
        ("a row is given back more often than it may be", counts_are_kept),
        ("a row that is to run alone has company", alone_is_alone),
        ("a row that failed is claimed before one that waits since", retried_rows_move_back),
    ];
    rules.into_iter().find(|(_, holds)| !holds(before, action, after)).map_or(Ok(()), |(broken, _)| Err(broken))
}

/// Each row, before and after; nothing if it was inserted or deleted.
fn rows<'a>(before: &'a World, after: &'a World) -> impl Iterator<Item = (&'a Row, &'a Row)> {
    before.table.rows.iter().filter_map(|row| Some((row, after.table.rows.iter().find(|same| same.seq == row.seq)?)))
}

fn ended_rows_stay(before: &World, action: &Action, after: &World) -> bool {
    match action {
        Action::Retry { .. } => true,
        Action::Prune { .. } => {
            let gone = before.table.rows.iter().filter(|row| !after.table.rows.contains(row));
            gone.into_iter().all(Row::has_ended)
        }
        _ => rows(before, after).filter(|(was, _)| was.has_ended()).all(|(was, is)| was == is),
    }
}

fn stale_runs_change_nothing(before: &World, action: &Action, after: &World) -> bool {
    let (worker, ended): (_, Option<Vec<Id>>) = match action {
        Action::End { worker, ends } => (worker, Some(ends.iter().map(|(id, _)| *id).collect())),
        Action::Renew { worker } => (worker, None),
        _ => return true,
    };
    let claims = before.workers[*worker].claims.iter();
    let mut stale =
        claims.filter(|claim| !claim.is_current && ended.as_ref().is_none_or(|ended| ended.contains(&claim.key.id)));
    stale.all(|claim| before.table.row(claim.key.id) == after.table.row(claim.key.id))
}

fn one_run_holds_a_row(before: &World, action: &Action, after: &World) -> bool {
    let (Action::Claim { worker, .. } | Action::ClaimAlone { worker, .. }) = action else { return true };
    let current = |world: &World, id: Id| {
        let claims = world.workers.iter().flat_map(|worker| &worker.claims);
        claims.filter(|claim| claim.is_current && claim.key.id == id).count()
    };
    let claims = &after.workers[*worker].claims;
    claims.iter().all(|claim| current(after, claim.key.id) <= 1)
        && claims
            .iter()
            .filter(|claim| !before.workers[*worker].claims.contains(claim))
            .all(|claim| current(before, claim.key.id) == 0)
}

fn living_workers_keep_their_rows(before: &World, action: &Action, after: &World) -> bool {
    let is_given_back = |was: &Row, is: &Row| was.rescues < is.rescues;
    let holds = |row: &Row| row.leased_until.is_some_and(|until| until > before.table.now);
    !matches!(action, Action::Rescue { .. })
        || rows(before, after).all(|(was, is)| !is_given_back(was, is) || !holds(was))
}

fn follow_ups_come_with_done(before: &World, _: &Action, after: &World) -> bool {
    let new = |id: Id| {
        let count = |world: &World| world.table.left.iter().filter(|left| **left == id).count();
        count(after) - count(before)
    };
    let is_done = |id: Id| {
        let done = |world: &World| world.table.row(id).is_some_and(|row| row.state == OutboxState::Done);
        !done(before) && done(after)
    };
    (0..2).all(|id| new(id) == usize::from(is_done(id)))
}

fn counts_are_kept(_: &World, _: &Action, after: &World) -> bool {
    let within = |row: &Row| {
        let (attempts, rescues) = if row.has_ended() { (1, 1) } else { (0, 0) };
        row.attempts <= MAX_RETRIES + attempts && row.rescues <= MAX_RESCUES + rescues
    };
    after.table.rows.iter().all(within)
}

fn alone_is_alone(before: &World, action: &Action, after: &World) -> bool {
    let takes_some = matches!(action, Action::Claim { .. });
    let is_taken = |(was, is): (&Row, &Row)| was.lease < is.lease;
    let none_along = !takes_some || rows(before, after).filter(|rows| is_taken(*rows)).all(|(was, _)| was.rescues < 2);
    none_along
        && after
            .workers
            .iter()
            .all(|worker| worker.claims.len() == 1 || worker.claims.iter().all(|claim| !claim.is_alone))
}

fn retried_rows_move_back(before: &World, action: &Action, after: &World) -> bool {
    let Action::Claim { worker, .. } = action else { return true };
    let is_taken = |id: Id| {
        after.workers[*worker].claims.iter().any(|claim| claim.key.id == id && claim.is_current)
            && before.table.row(id).is_some_and(|row| row.state == OutboxState::Waiting)
    };
    before.behind.iter().all(|(failed, waits)| !is_taken(*failed) || is_taken(*waits))
}
