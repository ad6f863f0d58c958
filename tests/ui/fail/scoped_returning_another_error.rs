#[airlock::scoped]
fn checkout() -> Result<(), std::num::ParseIntError> {
    Ok(())
}

fn main() {}
