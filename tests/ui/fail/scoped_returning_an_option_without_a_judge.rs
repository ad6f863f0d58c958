#[airlock::scoped(on_flush_error = drop)]
async fn find() -> Option<u64> {
    None
}

fn main() {}
