//! The workloads, for airlock and for the floor. Arguments are a `u64` and a `String` of 16 bytes; tasks do nothing.

use std::hint::black_box;

use airlock::{BlockTasks, DropAll};

use super::floor;

/// What every task does.
pub(crate) fn nothing(id: u64, text: &str) {
    black_box((id, text));
}

fn text() -> String {
    String::from(black_box("0123456789abcdef"))
}

#[airlock::task]
fn task(id: u64, text: String) {
    nothing(id, &text);
}

macro_rules! blocked {
    ($($name:ident)*) => {
        $(#[airlock::task] fn $name() {})*
        type Blocked = ($($name,)*);
        const BLOCKED: &[&str] = &[$(stringify!($name)),*];
    };
}

blocked!(mail sms push fax letter call page ping audit bill);

/// One workload: both sides take how many intents, or scopes if those are empty.
pub(crate) struct Case {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) count: usize,
    /// Whether memory is to be fresh in each round, or warm.
    pub(crate) fresh: bool,
    pub(crate) floor: fn(usize),
    pub(crate) airlock: fn(usize),
    pub(crate) budget: Budget,
}

impl Case {
    pub(crate) fn side(&self, side: &str) -> fn(usize) {
        if side == "floor" { self.floor } else { self.airlock }
    }
}

/// What a figure is held against.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    /// So many times the floor.
    Ratio(f64),
    /// An amount.
    Amount(f64),
    /// Nothing: it is there for scale.
    None,
}

pub(crate) const MANY: usize = 100_000;

pub(crate) const CASES: &[Case] = &[
    Case {
        key: "allow_all",
        name: "AllowAll, 100,000 in one scope",
        count: MANY,
        fresh: true,
        floor: |count| floor::scope(&floor::ALLOW_ALL, || floor_enqueue(count)),
        airlock: |count| airlock::scope().run(|| airlock_enqueue(count)).unwrap(),
        budget: Budget::Ratio(1.25),
    },
    Case {
        key: "drop_all",
        name: "DropAll",
        count: MANY,
        fresh: true,
        floor: |count| floor::scope(&floor::drop_all(), || floor_enqueue(count)),
        airlock: |count| airlock::scope().policy(DropAll).run(|| airlock_enqueue(count)).unwrap(),
        budget: Budget::Ratio(1.25),
    },
    Case {
        key: "block_tasks",
        name: "BlockTasks of 10 names",
        count: MANY,
        fresh: true,
        floor: |count| floor::scope(&floor::block(BLOCKED.iter().copied()), || floor_enqueue(count)),
        airlock: |count| airlock::scope().policy(BlockTasks::of::<Blocked>()).run(|| airlock_enqueue(count)).unwrap(),
        budget: Budget::Ratio(1.4),
    },
    Case {
        key: "nested",
        name: "nested three deep (captured twice)",
        count: MANY,
        fresh: true,
        floor: |count| {
            let scope = |body: &dyn Fn()| floor::scope(&floor::ALLOW_ALL, body);
            scope(&|| scope(&|| scope(&|| floor_enqueue(count))));
        },
        airlock: |count| {
            let scope = |body: &dyn Fn()| airlock::scope().run(body).unwrap();
            scope(&|| scope(&|| scope(&|| airlock_enqueue(count))));
        },
        budget: Budget::Ratio(1.25),
    },
    Case {
        key: "tens",
        name: "scopes of 10 intents, per intent",
        count: MANY,
        fresh: false,
        floor: |count| (0..count / 10).for_each(|_| floor::scope(&floor::ALLOW_ALL, || floor_enqueue(10))),
        airlock: |count| (0..count / 10).for_each(|_| airlock::scope().run(|| airlock_enqueue(10)).unwrap()),
        budget: Budget::Ratio(1.5),
    },
    Case {
        key: "empty",
        name: "an empty scope",
        count: MANY,
        fresh: false,
        floor: |count| (0..count).for_each(|_| floor::scope(&floor::ALLOW_ALL, || {})),
        airlock: |count| (0..count).for_each(|_| airlock::scope().run(|| {}).unwrap()),
        budget: Budget::Amount(100.0),
    },
];

/// For scale: a boxed closure in a plain vector, pushed and called.
pub(crate) fn closures(count: usize) {
    let mut closures: Vec<Box<dyn FnOnce()>> = Vec::new();
    for id in 0..count as u64 {
        let (id, text) = (black_box(id), text());
        closures.push(Box::new(move || nothing(id, &text)));
    }
    closures.into_iter().for_each(|closure| closure());
}

pub(crate) fn floor_enqueue(count: usize) {
    for id in 0..count as u64 {
        floor::enqueue(black_box(id), text()).unwrap();
    }
}

pub(crate) fn airlock_enqueue(count: usize) {
    for id in 0..count as u64 {
        task::enqueue(black_box(id), text()).unwrap();
    }
}
