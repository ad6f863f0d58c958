//! What is done with rows in a database: `store` is what workers do, `admin` what people do, `insertion` what writes into a
//! caller's transaction. `statements` is all of its SQL.

mod admin;
mod claimed;
mod insertion;
mod keys;
mod migrate;
mod statements;
mod store;

pub(crate) use claimed::ClaimedRow;
pub(crate) use keys::{RowEnd, RowKey};
pub(crate) use store::{Claim, ClaimedRows, RescuedRow, Store};
