//! Whether the other side has ended a connection.

use std::io::{self, ErrorKind};

/// By what a peek at the socket gives: the kernel knows the end before the runtime or the client crate has heard of it. What
/// has not been read yet hides the end behind it.
pub(crate) fn has_ended(peeked: io::Result<usize>) -> bool {
    match peeked {
        Ok(read) => read == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}
