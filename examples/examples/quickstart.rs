//! smoke
use airlock::*;
use std::time::Duration;

#[airlock::task]
fn send_confirmation(order_id: u64, #[redact] token: String) -> std::result::Result<(), String> {
    println!("sent {order_id} {token}");
    if order_id == 3 { panic!("oh") }
    if order_id == 4 { return Err("bad".into()) }
    Ok(())
}
#[airlock::task(name = "warehouse.notify", queue = "warehouse")]
pub fn notify_warehouse(order_id: u64, express: bool);
#[airlock::task]
async fn later(x: u8) { println!("later {x}"); }

#[airlock::scoped]
fn checkout(id: u64) -> airlock::Result<()> {
    send_confirmation::enqueue_with(Options::new().delay(Duration::from_secs(3)), id, "tok".into())?;
    Ok(())
}

fn main() {
    println!("{:?}", checkout(1));
    println!("{:?}", checkout(3));
    let e = scope().name("x").run_reported(|| -> airlock::Result<()> {
        send_confirmation::enqueue(1, "s".into())?;
        airlock::policy(DropAll).run(|| send_confirmation::enqueue(2, "s".into()))?;
        scope().name("in").policy(DropAll).run(|| -> airlock::Result<()> { send_confirmation::enqueue(5, "s".into())?; Ok(()) })?;
        send_confirmation::enqueue(4, "s".into())?;
        Ok(())
    });
    match e.flush { Ok(r) => println!("{r}"), Err(e) => println!("{e}\n{}\n{}", e.report(), e.report().with_arguments()) }
    let e = scope().name("x").run(|| -> airlock::Result<()> { notify_warehouse::enqueue(1, true)?; later::enqueue(3)?; Ok(()) });
    println!("{}", e.unwrap_err());
    println!("{}", send_confirmation::enqueue(1, "s".into()).unwrap_err());
}
