#[airlock::scoped]
async fn checkout() -> Result<(), std::num::ParseIntError> {
    Ok(())
}

fn main() {}
