//! Guides: one page a subject, longer than the README and shorter than the reference.
//!
//! | guide | for |
//! | --- | --- |
//! | [Testing](testing) | tests of code that enqueues |
//! | [Settings](settings) | what scopes use unless they say otherwise, in code, files and variables |
//! | [Async code](async_code) | scopes in futures, spawned tasks and threads |
//! | [Web services](web) | a scope for each request of axum, tonic, hyper |
//! | [Transactions](transactions) | effects of data: written with it, or handed over once it is committed |
//! | [Executors and failure](failure) | what an error means, sending again, retries, fallbacks, pools, the end of the program |
//! | [Outbox](outbox) | tasks in a table of the application's database |
//! | [Worker](worker) | running them: retries, leases, shutdown, several workers, old and new versions |
//! | [Operations](operations) | what to watch, what states mean, deploys, databases, backups, limits |
//! | [Relay](relay) | from that table to the workers of Celery, Dramatiq, Huey, Django-Q, or to AWS Lambda |
//! | [Library authors](library_authors) | crates with tasks that other programs use |
//! | [Migrating from direct calls](migrating) | programs that perform their effects directly today |
//!
//! The attributes have pages of their own, [`task`](macro@crate::task) and [`scoped`](macro@crate::scoped), and so has
//! each system: see its executor.

// Where links to what a feature brings lead in these pages, as in `lib.rs`; in a clone, the guides' own lead to files.

#[cfg_attr(feature = "testing", doc = "[kit]: crate::testing")]
#[doc = "[guide-outbox]: crate::guide::outbox"]
#[doc = "[guide-worker]: crate::guide::worker"]
#[doc = ""]
#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[cfg_attr(feature = "settings", doc = "[load]: crate::Settings::load")]
#[doc = ""]
#[doc = include_str!("../docs/guide/settings.md")]
pub mod settings {}

#[doc = include_str!("../docs/guide/async.md")]
pub mod async_code {}

#[cfg_attr(feature = "tower", doc = "[layer]: crate::web::ScopeLayer")]
#[cfg_attr(feature = "testing", doc = "[kit]: crate::testing")]
#[doc = "[guide-transactions]: crate::guide::transactions"]
#[doc = ""]
#[doc = include_str!("../docs/guide/web.md")]
pub mod web {}

#[cfg_attr(feature = "_sql", doc = "[commit]: crate::OpenScope::commit", doc = "[commit-error]: crate::CommitError")]
#[cfg_attr(
    feature = "_all",
    doc = "[django-tasks]: crate::DjangoTasksExecutor",
    doc = "[django-q]: crate::DjangoQExecutor",
    doc = "[huey]: crate::HueyExecutor",
    doc = "[insert]: crate::DjangoTasksExecutor::insert"
)]
#[doc = "[guide-web]: crate::guide::web"]
#[doc = "[guide-outbox]: crate::guide::outbox"]
#[doc = ""]
#[doc = include_str!("../docs/guide/transactions.md")]
pub mod transactions {}

#[doc = include_str!("../docs/guide/failure.md")]
pub mod failure {}

#[doc = include_str!("../docs/guide/library-authors.md")]
pub mod library_authors {}

#[doc = include_str!("../docs/guide/migrating.md")]
pub mod migrating {}

#[doc = "[guide-transactions]: crate::guide::transactions"]
#[doc = "[guide-worker]: crate::guide::worker"]
#[doc = "[guide-relay]: crate::guide::relay"]
#[doc = "[guide-operations]: crate::guide::operations"]
#[doc = "[guide-testing]: crate::guide::testing"]
#[doc = ""]
#[doc = include_str!("../docs/guide/outbox.md")]
pub mod outbox {}

#[doc = "[guide-outbox]: crate::guide::outbox"]
#[doc = "[guide-operations]: crate::guide::operations"]
#[doc = "[guide-testing]: crate::guide::testing"]
#[doc = ""]
#[doc = include_str!("../docs/guide/worker.md")]
pub mod worker {}

#[doc = "[guide-worker]: crate::guide::worker"]
#[doc = ""]
#[doc = include_str!("../docs/guide/operations.md")]
pub mod operations {}

#[doc = "[guide-outbox]: crate::guide::outbox"]
#[doc = ""]
#[doc = include_str!("../docs/guide/relay.md")]
pub mod relay {}
