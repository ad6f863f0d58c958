//! The worker systems that intents are sent to: a folder each, and what several of them share.

#[cfg(feature = "celery")]
pub(crate) mod celery;
#[cfg(feature = "_queue")]
mod config;
#[cfg(feature = "amqp")]
mod declared;
#[cfg(feature = "django-q")]
pub(crate) mod django_q;
#[cfg(feature = "django-tasks")]
pub(crate) mod django_tasks;
#[cfg(feature = "dramatiq")]
pub(crate) mod dramatiq;
mod extras;
#[cfg(feature = "_queue")]
mod format;
#[cfg(feature = "huey")]
pub(crate) mod huey;
#[cfg(feature = "_sql")]
mod insert;
#[cfg(feature = "_broker")]
mod jobs;
pub(crate) mod json;
#[cfg(feature = "lambda")]
pub(crate) mod lambda;
#[cfg(feature = "_queue")]
pub(crate) mod limits;
#[cfg(feature = "_queue")]
mod publish;
#[cfg(feature = "_queue")]
mod python;
#[cfg(feature = "_queue")]
mod queue_executor;
#[cfg(feature = "_sql")]
mod rows;

#[cfg(feature = "_queue")]
pub(crate) use config::CommonConfig;
#[cfg(feature = "_queue")]
pub(crate) use format::Format;
#[cfg(feature = "_queue")]
pub(crate) use queue_executor::{QueueExecutor, queue_executor};
