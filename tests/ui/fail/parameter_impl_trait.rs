#[airlock::task]
fn send(to: impl ToString) {
    drop(to);
}

fn main() {}
