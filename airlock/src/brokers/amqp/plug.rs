//! A way to end a connection that doesn't answer, and to see that the server has ended it. The client's own thread waits
//! for the server without a limit; it ends when its socket does.

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// Held by the connection and by whoever makes it; the socket is shut down when it is pulled.
#[derive(Debug, Clone, Default)]
pub(super) struct Plug(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    socket: Option<TcpStream>,
    is_pulled: bool,
}

impl Plug {
    /// For this socket; at once if it was pulled before.
    #[cfg(unix)]
    pub(super) fn put(&self, socket: &impl std::os::fd::AsFd) {
        let Ok(socket) = socket.as_fd().try_clone_to_owned() else { return };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.socket = Some(TcpStream::from(socket));
        if state.is_pulled {
            state.shut_down();
        }
    }

    /// Whether the server has ended the connection: the kernel knows that before the client has heard of it.
    pub(super) fn has_ended(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The client has made it one that doesn't block.
        match state.socket.as_ref().map(|socket| socket.peek(&mut [0])) {
            None => state.is_pulled,
            Some(Ok(read)) => read == 0,
            Some(Err(error)) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    /// Ends the connection.
    pub(super) fn pull(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_pulled = true;
        state.shut_down();
    }
}

impl State {
    fn shut_down(&mut self) {
        if let Some(socket) = self.socket.take() {
            // It may have ended by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Pulls the plug, unless it is taken out before.
#[derive(Debug)]
pub(super) struct Pulled(pub(super) Plug);

impl Pulled {
    pub(super) fn keep(self) -> Plug {
        let plug = self.0.clone();
        std::mem::forget(self);
        plug
    }
}

impl Drop for Pulled {
    fn drop(&mut self) {
        self.0.pull();
    }
}
