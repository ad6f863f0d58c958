//! WHEN: the boundary that holds intents until it is known how things end.

mod builder;
pub(crate) mod direct;
mod error;
mod guard;
mod handle;
mod local;
mod open;
mod run;
pub(crate) mod scoped;
mod submit;

pub use builder::{ScopeBuilder, scope};
pub use direct::ShimOutput;
pub use error::{EnqueueError, Refused};
pub use guard::ScopeGuard;
pub(crate) use handle::Carried;
pub use handle::Scope;
pub use local::{LocalPolicy, LocalPolicyGuard, policy};
pub use open::{OpenScope, Wrapped};
pub use run::{Ended, ScopeBody, ScopeOutput};
pub use scoped::EndsScope;
pub use submit::{enqueue, enqueue_with, in_scope, make_intent};
