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

#[airlock::scoped(on_flush_error = report)]
fn main() {
    drop(all());
}
