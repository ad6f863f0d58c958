#[airlock::scoped]
async fn find() -> Option<u64> {
    None
}

fn main() {}
