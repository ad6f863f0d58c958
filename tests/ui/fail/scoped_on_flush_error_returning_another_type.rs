fn report(_: airlock::FlushError) -> u64 {
    1
}

#[airlock::scoped(on_flush_error = report)]
async fn checkout() -> Result<(), String> {
    Ok(())
}

fn main() {}
