#[airlock::task]
fn send(
    order_id: u64,
    #[default] express: bool,
    #[default = "en".to_owned()] language: String,
    #[default = Some(u8::MAX / 2)] retries: Option<u8>,
) {
    assert_eq!((order_id, express, &*language, retries), (42, false, "en", Some(127)));
}

fn main() -> airlock::Result<()> {
    let older = serde_json::from_str("[42]").map_err(airlock::Error::other)?;
    Ok(airlock::registry().invoke("send", older)?)
}
