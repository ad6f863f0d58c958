#[airlock::scoped(succeeded = Option::is_some)]
async fn find() -> Option<u64> {
    None
}

fn main() {}
