#[airlock::task]
pub(crate) fn called_only() {}

#[airlock::task]
fn enqueued_only() {}

#[airlock::task]
async fn neither(order_id: u64) {
    let _ = order_id;
}

#[cfg(any())]
#[airlock::task]
fn absent(unknown: Unknown) {}

#[airlock::task]
#[cfg_attr(all(), cfg(any()), doc = "Not there either.")]
fn absent(unknown: Unknown) {}

fn main() {
    called_only();
    let _ = enqueued_only::enqueue();
}
