//! The worker systems that intents are sent to: a folder each, and what several of them share.

#[cfg(feature = "celery")]
pub(crate) mod celery;
#[cfg(feature = "django-q")]
pub(crate) mod django_q;
#[cfg(feature = "django-tasks")]
pub(crate) mod django_tasks;
#[cfg(feature = "dramatiq")]
pub(crate) mod dramatiq;
mod extras;
#[cfg(feature = "huey")]
pub(crate) mod huey;
pub(crate) mod json;
#[cfg(feature = "lambda")]
pub(crate) mod lambda;
#[cfg(feature = "_queue")]
mod python;
#[cfg(feature = "_queue")]
pub(crate) mod queue;
