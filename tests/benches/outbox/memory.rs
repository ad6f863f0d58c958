//! What a worker keeps in memory over a table of a million rows.

use std::time::Duration;

use airlock::Worker;

use super::{Place, claims};

pub(super) async fn measure(place: &Place) {
    place.empty();
    claims::fill(place, 1_000_000, "nothing", 5, "waiting", 0);
    let before = resident();
    let worker = Worker::new(place.outbox.clone());
    let counters = worker.counters();
    let mut most = before;
    let story = async {
        while counters.now().done < 100_000 {
            most = most.max(resident());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    worker.run_until(story).await.expect("it starts");
    println!(
        "{}: memory before a worker {:.1} MiB, at most {:.1} MiB while it runs 100,000 of 10^6 rows",
        place.name,
        before as f64 / 1024.0,
        most as f64 / 1024.0
    );
    place.empty();
}

/// In KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
