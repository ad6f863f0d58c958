use std::error::Error;

#[airlock::task]
fn nothing() {}

#[airlock::task]
fn text(order_id: u64) -> Result<u64, &'static str> {
    Ok(order_id)
}

#[airlock::task]
async fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(())
}

#[airlock::task]
fn hidden() -> Result<impl Iterator<Item = u8>, String> {
    Ok([1_u8].into_iter())
}

fn main() {
    nothing();
    assert_eq!(text(1), Ok(1));
    assert_eq!(hidden().map(Iterator::count), Ok(1));
    drop(boxed());
}
