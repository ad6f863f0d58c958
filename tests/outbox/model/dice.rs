//! What happens next in a random trace.

use super::table::Id;
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

    /// Something that can happen, or has no effect: three rows, two workers.
    pub(crate) fn action(&mut self, world: &World) -> Action {
        loop {
            if let Some(action) = self.possible(world) {
                return action;
            }
        }
    }

    fn possible(&mut self, world: &World) -> Option<Action> {
        let (id, worker) = (self.below(3) as Id, self.below(2));
        let claims = &world.workers[worker].claims;
        let is_alone = claims.iter().any(|claim| claim.is_alone);
        match self.below(20) {
            0..3 => {
                let delay = self.one_of(&[0, 0, 0, 1]);
                let expires = self.one_of(&[None, None, None, Some(1), Some(2)]).map(|after| delay + after);
                Some(Action::Insert { id, priority: self.one_of(&[5, 5, 5, 7]), delay, expires })
            }
            3..5 => Some(Action::Wait),
            5..9 => (!is_alone).then(|| Action::Claim { worker, most: self.one_of(&[1, 1, 2, 3]) }),
            9 | 10 => {
                (claims.is_empty() && !world.table.alone().is_empty()).then_some(Action::ClaimAlone { worker, id })
            }
            11 => Some(Action::Renew { worker }),
            12..15 => Some(Action::Rescue { worker }),
            15..17 => {
                let most = self.below(claims.len() + 1);
                let ends: Vec<_> = claims.iter().take(most).map(|claim| (claim.key.id, self.one_of(&HOW))).collect();
                (!ends.is_empty()).then_some(Action::End { worker, ends })
            }
            17 => Some(if self.below(3) > 0 { Action::Cancel { id } } else { Action::Retry { id } }),
            18 => Some(Action::Prune { dead: self.below(2) == 0, age: self.one_of(&[0, 0, 1]) }),
            _ => Some(Action::Crash { worker }),
        }
    }
}
