//! Executors that settle by the task's argument.

use std::sync::Arc;

use airlock::{Batch, BoxFuture, DispatchError, Executor, FlushContext, Intent, Rejection};

use super::world::World;
use super::{pause, tasks};
use crate::program::Fate;
use crate::trace::Event;

pub(super) struct Script {
    pub(super) world: Arc<World>,
    /// Whether it pauses in each dispatch.
    pub(super) slow: bool,
    /// Whether everything goes well whatever the argument says.
    pub(super) lenient: bool,
}

impl Executor for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        let (_, seq, fate) = tasks::read(intent);
        let yes = self.lenient || fate != Fate::Refuse;
        self.world.event(Event::Accepts { executor: "script", seq, yes });
        if yes { Ok(()) } else { Err(Rejection::new("the program says so")) }
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                let (task, seq, fate) = tasks::read(begun.intent());
                self.world.event(Event::Handed { executor: "script", task, seq, fate });
                if self.slow {
                    pause().await;
                }
                match if self.lenient { Fate::Well } else { fate } {
                    Fate::Panic => panic!("expected: executor"),
                    Fate::Forget if seq % 2 == 0 => drop(begun),
                    // As one that has given the intent to a thread of its own, and goes without it.
                    Fate::Forget => self.world.keep_begun(begun),
                    Fate::End => {
                        begun.settle(Ok(()));
                        return;
                    }
                    fate => begun.settle(self.world.settle(seq, fate)),
                }
            }
        })
    }
}

/// The same as a closure, which can't end early, forget, or refuse.
pub(super) fn closure(world: Arc<World>) -> impl Executor {
    airlock::executor_fn(move |intent| -> Result<(), DispatchError> {
        let (task, seq, fate) = tasks::read(&intent);
        world.event(Event::Handed { executor: "closure", task, seq, fate });
        match fate {
            Fate::Panic => panic!("expected: executor"),
            fate => world.settle(seq, fate),
        }
    })
}
