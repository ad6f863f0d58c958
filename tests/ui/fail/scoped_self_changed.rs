struct Shop {
    orders: Vec<u64>,
}

impl Shop {
    #[airlock::scoped]
    fn checkout(self) -> airlock::Result<()> {
        self.orders.push(1);
        Ok(())
    }
}

fn main() {}
