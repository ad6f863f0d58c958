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

/// Types may be called like those of the standard library, and be less visible than the task all the same.
mod named_like {
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Serialize, Deserialize)]
    struct Box(u8);

    #[derive(Clone, Serialize, Deserialize)]
    struct Vec<T>(T);

    #[derive(Clone, Serialize, Deserialize)]
    struct Option(u8);

    #[derive(Clone, Serialize, Deserialize)]
    struct String(u8);

    #[allow(private_interfaces)]
    #[airlock::task(name = "named_like")]
    pub fn ship(parcel: Box, several: Vec<u8>, perhaps: Option, text: String) {
        assert!(parcel.0 + several.0 + perhaps.0 + text.0 > 0);
    }

    pub fn intent() -> airlock::Intent {
        ship::intent(Box(1), Vec(2), Option(3), String(4))
    }
}

fn main() {
    assert_eq!(named_like::intent().to_string(), "named_like(parcel=1, several=2, perhaps=3, text=4)");
    let intent = orders::ship::intent(orders::Order { id: 42 });
    assert_eq!(intent.args::<orders::ship>().map(|args| args.0.id), Some(42));
}
