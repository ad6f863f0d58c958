//! Goes through every world that can come about, and judges each step; and whether, from each world, all can still end well.
//!
//! It is written here because what `stateright` (0.31) offers does not do for this: "from each world an end can be reached" is
//! none of its properties (`eventually` follows single paths and ends at their first circle); and it brings a web server, three
//! hash maps and a `serde` feature that would be on in the library as well.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::properties;
use super::table::{Fault, Id};
use super::world::{Action, How, World};

/// More than there are without a fault.
const MOST: usize = 500_000;

#[derive(Debug)]
pub(crate) struct Explored {
    pub(crate) worlds: usize,
    pub(crate) steps: usize,
}

/// The shortest way to something that must not be.
pub(crate) struct Counterexample {
    pub(crate) broken: &'static str,
    pub(crate) trace: Vec<Action>,
    pub(crate) world: Rc<World>,
}

/// All that was met, in the order of how many steps it takes to get there.
#[derive(Default)]
struct Met {
    places: HashMap<Rc<World>, usize, BuildHasherDefault<QuickHasher>>,
    worlds: Vec<Rc<World>>,
    /// The world before, and what happened there.
    came_by: Vec<Option<(usize, Action)>>,
    /// From where what helps leads here.
    helped_from: Vec<Vec<usize>>,
}

/// Goes through all worlds of so many rows, unless it meets one that must not be.
pub(crate) fn explore(fault: Option<Fault>, rows: Id) -> Result<Explored, Counterexample> {
    let mut met = Met::default();
    met.place(World::new(fault), None);
    let (mut at, mut steps) = (0, 0);
    while at < met.worlds.len() {
        assert!(at < MOST, "there is no end to it");
        let world = Rc::clone(&met.worlds[at]);
        for action in world.actions(rows) {
            let mut next = World::clone(&world);
            next.step(&action);
            steps += 1;
            if let Err(broken) = properties::judge(&world, &action, &next) {
                return Err(met.counterexample(at, Some(action), broken));
            }
            let helps = helps(&action);
            let place = met.place(next.normal(), Some((at, action)));
            if helps && place != at {
                met.helped_from[place].push(at);
            }
        }
        at += 1;
    }
    if let Some(stuck) = met.stuck() {
        return Err(met.counterexample(stuck, None, "a row can't reach its end"));
    }
    Ok(Explored { worlds: met.worlds.len(), steps })
}

/// What happens while workers work and crash no more; what people do may never come again.
fn helps(action: &Action) -> bool {
    match action {
        Action::Wait | Action::Claim { .. } | Action::ClaimAlone { .. } => true,
        Action::Look { .. } | Action::Rescue { .. } => true,
        Action::End { ends, .. } => ends.iter().all(|(_, how)| *how == How::Done),
        _ => false,
    }
}

impl Met {
    fn place(&mut self, world: World, from: Option<(usize, Action)>) -> usize {
        if let Some(place) = self.places.get(&world) {
            return *place;
        }
        let (place, world) = (self.worlds.len(), Rc::new(world));
        self.places.insert(Rc::clone(&world), place);
        self.worlds.push(world);
        self.came_by.push(from);
        self.helped_from.push(Vec::new());
        place
    }

    /// The first world from which no way leads to one where all rows have ended.
    fn stuck(&self) -> Option<usize> {
        let is_over = |world: &World| world.table.rows.iter().all(|row| row.has_ended());
        let mut ends: Vec<_> = self.worlds.iter().map(|world| is_over(world)).collect();
        let mut open: Vec<_> = (0..ends.len()).filter(|place| ends[*place]).collect();
        while let Some(place) = open.pop() {
            for &from in &self.helped_from[place] {
                if !std::mem::replace(&mut ends[from], true) {
                    open.push(from);
                }
            }
        }
        ends.iter().position(|ends| !ends)
    }

    fn counterexample(&self, mut at: usize, last: Option<Action>, broken: &'static str) -> Counterexample {
        let world = Rc::clone(&self.worlds[at]);
        let mut trace: Vec<_> = last.into_iter().collect();
        while let Some((from, action)) = &self.came_by[at] {
            trace.push(action.clone());
            at = *from;
        }
        trace.reverse();
        Counterexample { broken, trace, world }
    }
}

impl fmt::Debug for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, after", self.broken)?;
        self.trace.iter().try_for_each(|action| writeln!(f, "    {action:?}"))?;
        writeln!(f, "in {:#?}", self.world)
    }
}

/// Half of the time went into hashing with that of `HashMap`, without optimisations.
#[derive(Default)]
struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_i16(&mut self, value: i16) {
        self.write_u64(value as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}
