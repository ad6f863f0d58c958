#[airlock::scoped(on_flush_error = |error| drop(error))]
fn checkout() {}

fn main() {}
