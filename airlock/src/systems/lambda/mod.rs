//! AWS Lambda: `executor` takes intents, `event` is what a function gets of one and `functions` which function that is,
//! `sending` drives the requests, `attempt` is one of them and `answer` says what came of it.

mod answer;
mod attempt;
mod event;
mod executor;
mod extras;
mod functions;
mod sending;

pub use event::LambdaEvent;
pub use executor::LambdaExecutor;
