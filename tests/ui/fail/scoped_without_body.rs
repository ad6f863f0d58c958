trait Checkout {
    #[airlock::scoped]
    fn checkout(&self) -> airlock::Result<()>;
}

fn main() {}
