//! What is done with rows in a database: `claiming` is how workers take them, `store` what they do with them, `admin` what
//! people do, `insertion` what writes into a caller's transaction. `statements` is all of its SQL.

mod admin;
mod claimed;
mod claiming;
mod insertion;
mod keys;
mod migrate;
mod statements;
mod store;

pub(crate) use claimed::ClaimedRow;
pub(crate) use claiming::{Claim, ClaimedRows};
pub(crate) use keys::{RowEnd, RowKey};
pub(crate) use store::{RescuedRow, Store};
