//! A way to end a connection that doesn't answer, and to see that the server has ended it. The client's own thread waits
//! for the server without a limit; it ends when its socket does.

use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::brokers::peer;

/// Held by the connection and by the task that makes it; the socket is shut down when it is pulled.
#[derive(Debug, Clone, Default)]
pub(super) struct KillSwitch(Arc<Mutex<SwitchState>>);

#[derive(Debug, Default)]
struct SwitchState {
    socket: Option<TcpStream>,
    is_pulled: bool,
}

impl KillSwitch {
    /// For this socket; at once if it was pulled before.
    #[cfg(unix)]
    pub(super) fn put(&self, socket: &impl std::os::fd::AsFd) {
        let Ok(socket) = socket.as_fd().try_clone_to_owned().map(TcpStream::from) else { return };
        // The client has done so already; no thread may ever wait here.
        if socket.set_nonblocking(true).is_err() {
            return;
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.socket = Some(socket);
        if state.is_pulled {
            state.shut_down();
        }
    }

    /// Whether one side has ended the connection.
    pub(super) fn has_ended(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.socket.as_ref().map_or(state.is_pulled, |socket| peer::has_ended(socket.peek(&mut [0])))
    }

    /// Ends the connection.
    pub(super) fn pull(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_pulled = true;
        state.shut_down();
    }
}

impl SwitchState {
    fn shut_down(&mut self) {
        if let Some(socket) = self.socket.take() {
            // It may have ended by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Throws the switch when dropped, unless it was kept.
#[derive(Debug)]
pub(super) struct KillOnDrop(pub(super) KillSwitch);

impl KillOnDrop {
    pub(super) fn keep(self) -> KillSwitch {
        let kill_switch = self.0.clone();
        std::mem::forget(self);
        kill_switch
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.pull();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::runtime::io::tests::until;

    #[test]
    fn the_end_of_a_connection_is_seen_once_all_before_it_is_read() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        let mut client = TcpStream::connect(address).unwrap_or_else(|error| panic!("{error}"));
        let (mut server, _) = listener.accept().unwrap_or_else(|error| panic!("{error}"));
        let kill_switch = KillSwitch::default();
        assert!(!kill_switch.has_ended());
        kill_switch.put(&client);
        assert!(!kill_switch.has_ended());

        server.write_all(b"x").unwrap_or_else(|error| panic!("{error}"));
        drop(server);
        until("there is something to read", || client.peek(&mut [0]).is_ok());
        assert!(!kill_switch.has_ended());
        client.read_exact(&mut [0]).unwrap_or_else(|error| panic!("{error}"));
        until("the end is seen", || kill_switch.has_ended());
    }

    #[test]
    fn a_connection_that_was_pulled_has_ended() {
        let kill_switch = KillSwitch::default();
        kill_switch.pull();
        assert!(kill_switch.has_ended());
    }
}
