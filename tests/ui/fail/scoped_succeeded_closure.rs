#[airlock::scoped(succeeded = |found: &Option<u64>| found.is_some(), on_flush_error = drop)]
fn find() -> Option<u64> {
    None
}

fn main() {}
