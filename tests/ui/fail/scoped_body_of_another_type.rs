#[airlock::scoped]
async fn checkout() -> airlock::Result<()> {
    Ok(5)
}

fn main() {}
