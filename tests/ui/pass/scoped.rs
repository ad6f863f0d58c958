use std::future::Future;

use airlock::{AllowAll, AlwaysFlush, FlushError, InlineExecutor, OnFailure};

#[airlock::scoped]
fn plain() -> airlock::Result<()> {
    Ok(())
}

#[airlock::scoped(
    policy = AllowAll,
    executor = InlineExecutor::new(),
    lifecycle = AlwaysFlush,
    name = "all of them",
    on_failure = OnFailure::FailFast,
    deadline = "5s",
)]
async fn all() -> airlock::Result<()> {
    plain()
}

fn report(_: FlushError) {}

#[airlock::scoped(succeeded = Option::is_some, on_flush_error = report)]
fn find() -> Option<u64> {
    None
}

fn status(_: FlushError) -> u16 {
    503
}

#[airlock::scoped(on_flush_error = status)]
async fn answer() -> Result<String, u16> {
    Err(404)
}

#[airlock::scoped(succeeded = anything, on_flush_error = drop)]
fn hidden() -> impl Iterator<Item = u8> {
    [1].into_iter()
}

fn anything<T>(_: &T) -> bool {
    true
}

#[airlock::scoped]
fn later(id: &u64) -> impl Future<Output = airlock::Result<u64>> {
    std::future::ready(Ok(*id))
}

#[airlock::scoped(on_flush_error = report)]
fn main() {
    drop((find(), answer(), hidden(), later(&1)));
    drop(all());
}
