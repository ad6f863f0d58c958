//! What happens next in a random trace.

use super::table::{Id, Row};
use super::world::{Action, HOW, World};

/// Numbers that look random (splitmix64), the same for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Something that three rows and two workers can meet. What changes nothing is tried as well, but seldom.
    pub(crate) fn action(&mut self, world: &World) -> Action {
        loop {
            let Some(action) = self.possible(world) else { continue };
            let mut next = world.clone();
            if let Action::Rescue { worker } = action {
                next.step(&Action::Look { worker });
            }
            next.step(&action);
            if next != *world || self.below(16) == 0 {
                return action;
            }
        }
    }

    fn possible(&mut self, world: &World) -> Option<Action> {
        let (id, worker) = (self.below(3) as Id, self.below(2));
        let claims = &world.workers[worker].claims;
        let is_alone = claims.iter().any(|claim| claim.is_alone);
        match self.below(32) {
            0..3 => {
                let delay = self.one_of(&[0, 0, 0, 1]);
                let expires = self.one_of(&[None, None, None, None, Some(1), Some(2)]).map(|after| delay + after);
                Some(Action::Insert { id, priority: self.one_of(&[5, 5, 5, 7]), delay, expires })
            }
            3..6 => {
                let is_ahead = |row: &Row| row.due > world.table.now || row.leased_until > Some(world.table.now);
                (world.table.rows.iter().any(is_ahead) || self.below(16) == 0).then_some(Action::Wait)
            }
            6..13 => (!is_alone).then(|| Action::Claim { worker, most: self.one_of(&[1, 1, 2, 3]) }),
            13..18 => {
                let alone = world.table.alone();
                let is_free = claims.is_empty() && !alone.is_empty();
                is_free.then(|| Action::ClaimAlone { worker, id: self.one_of(&alone) })
            }
            18 => Some(Action::Renew { worker }),
            19..24 => Some(Action::Rescue { worker }),
            24..27 => {
                let most = self.below(claims.len() + 1);
                let ends: Vec<_> = claims.iter().take(most).map(|claim| (claim.key.id, self.one_of(&HOW))).collect();
                (!ends.is_empty()).then_some(Action::End { worker, ends })
            }
            27 => (self.below(2) == 0).then_some(Action::Cancel { id }),
            28 | 29 => Some(Action::Retry { id }),
            30 => Some(Action::Prune { dead: self.below(2) == 0, age: self.one_of(&[0, 0, 1]) }),
            _ => Some(Action::Crash { worker }),
        }
    }
}
