struct Order(u64);

impl Order {
    #[airlock::task]
    fn send(&self) {
        let _ = self.0;
    }
}

fn main() {}
