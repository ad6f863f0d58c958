use serde::{Deserialize, Serialize};

mod orders {
    use super::{Deserialize, Serialize};

    /// Less visible than the task that takes it.
    #[derive(Clone, Serialize, Deserialize)]
    pub(crate) struct Order {
        pub(crate) id: u64,
    }

    #[airlock::task]
    pub fn ship(order: Order) {
        let _ = order.id;
    }
}

fn main() {
    let intent = orders::ship::intent(orders::Order { id: 42 });
    assert_eq!(intent.args::<orders::ship>().map(|args| args.0.id), Some(42));
}
