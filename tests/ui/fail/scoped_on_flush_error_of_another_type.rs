fn report_lost(count: u64) {
    let _ = count;
}

#[airlock::scoped(on_flush_error = report_lost)]
fn checkout() {}

fn main() {}
