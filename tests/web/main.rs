//! `ScopeLayer` around real services: hyper over TCP, axum's router, the layers that others put beside it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clients;
mod layers;
mod server;
mod services;
mod statuses;
