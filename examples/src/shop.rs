//! Processing an order: what should happen, not when.

use airlock::EnqueueError;

use crate::orders::Order;
use crate::tasks::{charge, notify_warehouse, send_confirmation};

/// Why an order can't be processed.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// It has no items.
    #[error("order {0} has no items")]
    Empty(u64),
    /// Its total doesn't fit a bank transfer.
    #[error("the total of order {0} is out of range")]
    Total(u64),
    /// An effect could not be recorded.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// An effect didn't go out.
    #[error(transparent)]
    Flush(#[from] airlock::FlushError),
}

/// Processes one order.
///
/// # Errors
/// The order is not one to process, or an effect can't be enqueued here.
pub fn process(order: &Order) -> Result<(), ShopError> {
    let total = order.unit_cents.checked_mul(u64::from(order.items)).ok_or(ShopError::Total(order.id))?;
    take_payment(order, total)?;
    pack(order)
}

fn take_payment(order: &Order, cents: u64) -> Result<(), ShopError> {
    charge::enqueue(order.id, cents, order.card_token.clone())?;
    Ok(())
}

fn pack(order: &Order) -> Result<(), ShopError> {
    if order.items == 0 {
        // By now the charge is enqueued. It never leaves the scope.
        return Err(ShopError::Empty(order.id));
    }
    notify_warehouse::enqueue(order.id, order.items, order.express)?;
    send_confirmation::enqueue(order.id, order.customer.clone())?;
    Ok(())
}
