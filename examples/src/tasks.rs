//! The effects of the shop.

use std::io::{self, Write as _};

/// Mails the customer. This one runs here, in a plain call.
///
/// # Errors
/// Standard output, which stands for a mail server, can't be written.
#[airlock::task(name = "shop.send_confirmation", queue = "mail")]
pub fn send_confirmation(order_id: u64, customer: String) -> io::Result<()> {
    writeln!(io::stdout(), "    mail: dear {customer}, your order {order_id} is on its way")
}

/// Tells the warehouse what to pack.
///
/// # Errors
/// Standard output, which stands for the warehouse, can't be written.
#[airlock::task(name = "shop.notify_warehouse", queue = "warehouse")]
pub fn notify_warehouse(order_id: u64, items: u32, express: bool) -> io::Result<()> {
    writeln!(
        io::stdout(),
        "    warehouse: pack {items} items of order {order_id}{}",
        if express { ", now" } else { "" }
    )
}

/// Charges the card. Its token shows in no report.
///
/// # Errors
/// Standard output, which stands for the bank, can't be written.
#[airlock::task(name = "shop.charge")]
pub fn charge(order_id: u64, cents: u64, #[redact] card_token: String) -> io::Result<()> {
    let _ = card_token;
    writeln!(io::stdout(), "    bank: {cents} cents for order {order_id}")
}
