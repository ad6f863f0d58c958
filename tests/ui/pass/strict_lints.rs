#![forbid(unsafe_code, missing_docs)]
#![deny(
    warnings,
    clippy::pedantic,
    let_underscore_drop,
    missing_copy_implementations,
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_bounds,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_lifetimes,
    unused_qualifications,
    unused_results
)]
//! Nothing in an expansion may trip a lint of its user.

/// Sends.
///
/// # Errors
/// Never.
#[airlock::task(name = "shop.send", timeout = "5s")]
pub fn send(order_id: u64, text: String) -> Result<(), std::fmt::Error> {
    if order_id == 0 || text.is_empty() { Err(std::fmt::Error) } else { Ok(()) }
}

/// Declared.
#[airlock::task]
pub fn notify(order_id: u64, express: bool);

mod private {
    #[airlock::task]
    pub(crate) async fn pause(order_id: u64) {
        let _ = std::future::ready(order_id).await;
    }

    #[airlock::task]
    #[deprecated = "for the test"]
    fn old(mut order_id: u64) {
        order_id += 1;
        assert!(order_id > 0);
    }
}

/// Checks out.
///
/// # Errors
/// Whatever happens.
#[airlock::scoped(policy = airlock::AllowAll)]
pub async fn checkout(order_id: &mut u64, mut count: u64) -> airlock::Result<&u64> {
    count += 1;
    *order_id += count;
    let _ = send::enqueue(*order_id, String::new())?;
    if count > 3 {
        return Ok(order_id);
    }
    Ok(order_id)
}

/// Pays.
///
/// # Errors
/// Whatever happens.
#[airlock::scoped]
pub fn pay(order_id: u64, mut count: u64) -> airlock::Result<()> {
    count += 1;
    if count > 3 {
        return Ok(());
    }
    let _ = private::pause::enqueue(order_id + count)?;
    Ok(())
}

#[airlock::scoped(on_flush_error = drop)]
fn main() {
    drop(checkout(&mut 1, 2));
    drop(pay(1, 4));
    drop(notify::intent(1, true));
}
