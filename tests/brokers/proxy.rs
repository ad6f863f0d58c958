//! A proxy that passes so many bytes on, and then cuts the connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

/// Passes one connection on to a server, and cuts it after so many bytes to the server; later connections are refused, or
/// passed on whole. Without a limit it passes on everything.
pub(crate) struct Proxy {
    port: u16,
    passed: Arc<AtomicU64>,
}

impl Proxy {
    pub(crate) fn start(to: u16, limit: Option<u64>) -> Self {
        Self::serve(to, limit, false)
    }

    /// Passes on every connection, and cuts the first one.
    pub(crate) fn stumbling(to: u16, limit: u64) -> Self {
        Self::serve(to, Some(limit), true)
    }

    /// Passes on every connection, and cuts the first one after so many bytes, of which the last ones reach the server
    /// only once the function that is returned is called: a long way that is cut at its beginning.
    pub(crate) fn lagging(to: u16, limit: u64) -> (Self, impl FnOnce()) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let (port, passed) = (listener.local_addr().expect("an address").port(), Arc::new(AtomicU64::new(0)));
        let (count, (let_go, is_let_go)) = (Arc::clone(&passed), mpsc::channel::<()>());
        let first = thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a connection");
            let mut server = TcpStream::connect(("127.0.0.1", to)).expect("the server is there");
            let (mut from_server, mut to_client) =
                (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
            let back = thread::spawn(move || {
                let _ = std::io::copy(&mut from_server, &mut to_client);
                // The server does not notice that its client is gone.
                let _ = std::io::copy(&mut from_server, &mut std::io::sink());
            });
            let mut late = vec![0; LATE];
            let most = limit - LATE as u64;
            std::io::copy(&mut (&mut client).take(most), &mut server).expect("it passes");
            client.read_exact(&mut late).expect("there is more");
            thread::spawn(move || {
                for client in listener.incoming().flatten() {
                    pass_both(client, to, u64::MAX, &count);
                }
            });
            let _ = client.shutdown(Shutdown::Both);
            let _ = is_let_go.recv();
            server.write_all(&late).expect("the server is still there");
            let _ = server.shutdown(Shutdown::Write);
            // It has read everything when it ends the connection.
            let _ = back.join();
        });
        let let_go = move || {
            drop(let_go);
            first.join().expect("no panic");
        };
        (Self { port, passed }, let_go)
    }

    /// Passes on one connection until the client says this; from then on the client hears nothing.
    pub(crate) fn falling_silent(to: u16, mark: &'static [u8], then: Then) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            let Ok((mut client, _)) = listener.accept() else { return };
            let mut server = TcpStream::connect(("127.0.0.1", to)).expect("the server is there");
            let (mut from_server, mut to_client) =
                (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
            let is_silent = Arc::new(AtomicBool::new(false));
            let hears_nothing = Arc::clone(&is_silent);
            let back = thread::spawn(move || {
                let mut buffer = [0; 16 * 1024];
                while let Ok(read @ 1..) = from_server.read(&mut buffer) {
                    if hears_nothing.load(Ordering::SeqCst) {
                        break;
                    }
                    let _ = to_client.write_all(&buffer[..read]);
                }
            });
            let mut buffer = [0; 16 * 1024];
            while let Ok(read @ 1..) = client.read(&mut buffer) {
                let is_said = buffer[..read].windows(mark.len()).any(|said| said == mark);
                is_silent.store(is_said, Ordering::SeqCst);
                if !is_said || then != Then::Lose {
                    let _ = server.write_all(&buffer[..read]);
                }
                if is_said {
                    break;
                }
            }
            if then != Then::Lose {
                // It ends with the answer.
                let _ = back.join();
            }
            if then == Then::Stay {
                let _ = client.read(&mut buffer);
            }
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        });
        Self { port, passed: Arc::default() }
    }

    fn serve(to: u16, limit: Option<u64>, goes_on: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let passed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&passed);
        thread::spawn(move || {
            let Ok((client, _)) = listener.accept() else { return };
            let later = goes_on.then_some(listener);
            pass_both(client, to, limit.unwrap_or(u64::MAX), &count);
            for client in later.iter().flat_map(TcpListener::incoming).flatten() {
                pass_both(client, to, u64::MAX, &AtomicU64::new(0));
            }
        });
        Self { port, passed }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub(crate) fn amqp_url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.port)
    }

    /// The URL of a database of the server behind it.
    pub(crate) fn postgres_url(&self, url: &str) -> String {
        let (head, rest) = url.rsplit_once(':').expect("a port");
        let (_, database) = rest.split_once('/').expect("a database");
        format!("{head}:{}/{database}", self.port)
    }

    /// How many bytes went to the server.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}

/// What a proxy does with what the client said, and with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It is passed on, and the connection is cut once the server has answered.
    Cut,
    /// The connection is cut before.
    Lose,
    /// It is passed on, and the connection stays as long as the client wants it.
    Stay,
}

/// How much is on its way when a lagging connection is cut.
const LATE: usize = 64 * 1024;

fn pass_both(client: TcpStream, to: u16, limit: u64, passed: &AtomicU64) {
    let server = TcpStream::connect(("127.0.0.1", to)).expect("the server is there");
    let (from_server, to_client) = (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
    let back = thread::spawn(move || pass(from_server, to_client, u64::MAX, &AtomicU64::new(0)));
    pass(client, server, limit, passed);
    let _ = back.join();
}

fn pass(mut from: TcpStream, mut to: TcpStream, limit: u64, passed: &AtomicU64) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let left = limit - passed.load(Ordering::Relaxed);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match from.read(&mut buffer[..most]) {
            Ok(read) if read > 0 && to.write_all(&buffer[..read]).is_ok() => {
                passed.fetch_add(read as u64, Ordering::Relaxed);
            }
            _ => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
