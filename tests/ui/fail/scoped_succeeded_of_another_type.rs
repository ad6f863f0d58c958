fn is_success(status: &u16) -> bool {
    *status < 400
}

#[airlock::scoped(succeeded = is_success, on_flush_error = drop)]
fn find() -> Option<u64> {
    None
}

fn main() {}
