#![deny(missing_docs)]
//! Declared here, run elsewhere.

use airlock::{Task, TaskKind};

/// Tells the warehouse.
#[airlock::task(name = "warehouse.tasks.notify", queue = "warehouse")]
pub fn notify(order_id: u64, #[redact] token: String);

#[airlock::task]
async fn undocumented();

fn main() {
    assert_eq!(notify::definition().kind, TaskKind::Elsewhere);
    assert_eq!(notify::intent(42, "secret".to_owned()).to_string(), "warehouse.tasks.notify(order_id=42, token=***)");
    assert_eq!(undocumented::definition().kind, TaskKind::Elsewhere);
}
