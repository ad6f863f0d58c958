//! The worker systems that intents are sent to: a folder each, and what several of them share.

#[cfg(feature = "celery")]
mod celery;
#[cfg(feature = "_queue")]
mod config;
#[cfg(feature = "django-q")]
mod django_q;
#[cfg(feature = "django-tasks")]
mod django_tasks;
#[cfg(feature = "dramatiq")]
mod dramatiq;
mod extras;
#[cfg(feature = "huey")]
mod huey;
#[cfg(feature = "_sql")]
mod insert;
mod json;
#[cfg(feature = "lambda")]
mod lambda;
#[cfg(feature = "_queue")]
mod limits;
#[cfg(feature = "_queue")]
mod publish;
#[cfg(feature = "_queue")]
mod python;
#[cfg(feature = "_queue")]
mod queue_executor;
#[cfg(feature = "_sql")]
mod rows;

#[cfg(feature = "celery")]
pub use celery::CeleryExecutor;
#[cfg(feature = "django-q")]
pub use django_q::DjangoQExecutor;
#[cfg(feature = "django-tasks")]
pub use django_tasks::DjangoTasksExecutor;
#[cfg(feature = "dramatiq")]
pub use dramatiq::DramatiqExecutor;
#[cfg(feature = "huey")]
pub use huey::HueyExecutor;
#[cfg(feature = "lambda")]
pub use lambda::{LambdaEvent, LambdaExecutor};
