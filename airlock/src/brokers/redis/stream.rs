//! The bytes of a connection, counted: what was not written was certainly not accepted.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::brokers::peer;

/// How much has passed through a connection.
#[derive(Debug)]
pub(super) struct IoCounters {
    start: Instant,
    /// How many bytes were handed to the connection.
    queued: AtomicU64,
    written: AtomicU64,
    /// When something was last read, in milliseconds since the start.
    heard: AtomicU64,
}

impl IoCounters {
    pub(super) fn new() -> Self {
        let none = || AtomicU64::new(0);
        Self { start: Instant::now(), queued: none(), written: none(), heard: none() }
    }

    /// So many more are handed to the connection. Gives how many were before.
    pub(super) fn queue(&self, bytes: u64) -> u64 {
        self.queued.fetch_add(bytes, Ordering::Relaxed)
    }

    /// How many bytes were handed to the connection.
    pub(super) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// How many bytes were handed to the kernel.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// For how long nothing has come.
    pub(super) fn silence(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }

    fn hear(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(millis, Ordering::Relaxed);
    }
}

/// A stream of which the kernel knows whether the other side has ended it.
pub(super) trait PeerClosed {
    fn has_ended(&self) -> bool;
}

impl PeerClosed for TcpStream {
    fn has_ended(&self) -> bool {
        has_ended(&SockRef::from(self))
    }
}

#[cfg(unix)]
impl PeerClosed for tokio::net::UnixStream {
    fn has_ended(&self) -> bool {
        has_ended(&SockRef::from(self))
    }
}

fn has_ended(socket: &SockRef<'_>) -> bool {
    peer::has_ended(socket.peek(&mut [MaybeUninit::uninit()]))
}

/// A stream that counts, and into which nothing is written once the other side has ended it: the kernel would take that,
/// and what became of it could not be known.
#[derive(Debug)]
pub(super) struct CountingStream<S> {
    stream: S,
    counters: Arc<IoCounters>,
    /// Whether a write that fails has written nothing; one with TLS may have written some records before.
    fails_whole: bool,
}

impl<S> CountingStream<S> {
    pub(super) fn new(stream: S, counters: Arc<IoCounters>, fails_whole: bool) -> Self {
        Self { stream, counters, fails_whole }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CountingStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let had = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.counters.hear();
            // All that is asked for is answered by a line: a number, a word or an error. Errors quote what was sent, cut
            // anywhere, and the client ends the connection over a line that is no UTF-8.
            buffer.filled_mut().iter_mut().skip(had).filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
        }
        polled
    }
}

impl<S: AsyncWrite + PeerClosed + Unpin> AsyncWrite for CountingStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.stream.has_ended() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let written = match &polled {
            Poll::Ready(Ok(written)) => *written,
            Poll::Ready(Err(_)) if !self.fails_whole => bytes.len(),
            _ => 0,
        };
        self.counters.written.fetch_add(written as u64, Ordering::Relaxed);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::task::Waker;

    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::runtime::io::tests::until;

    struct Fails;

    impl PeerClosed for Fails {
        fn has_ended(&self) -> bool {
            false
        }
    }

    impl AsyncWrite for Fails {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_may_have_left_before_a_write_failed_counts_as_written() {
        for (fails_whole, written) in [(true, 0), (false, 3)] {
            let counters = Arc::new(IoCounters::new());
            let mut stream = CountingStream::new(Fails, Arc::clone(&counters), fails_whole);
            let polled = Pin::new(&mut stream).poll_write(&mut Context::from_waker(Waker::noop()), b"abc");
            assert!(matches!(polled, Poll::Ready(Err(_))));
            assert_eq!(counters.written(), written);
        }
    }

    /// Two sides of a connection, of which the second has been sent `abc`.
    async fn connected(counters: &Arc<IoCounters>) -> (CountingStream<TcpStream>, std::net::TcpStream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        let stream = TcpStream::connect(address).await.unwrap_or_else(|error| panic!("{error}"));
        stream.writable().await.unwrap_or_else(|error| panic!("{error}"));
        let (server, _) = listener.accept().unwrap_or_else(|error| panic!("{error}"));
        let mut stream = CountingStream::new(stream, Arc::clone(counters), true);
        assert!(matches!(write(&mut stream), Poll::Ready(Ok(3))));
        (stream, server)
    }

    fn write(stream: &mut CountingStream<TcpStream>) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_write(&mut Context::from_waker(Waker::noop()), b"abc")
    }

    /// In a runtime that gets no turn to hear of what the other side does.
    fn in_runtime(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("{error}")).block_on(test);
    }

    #[test]
    fn nothing_is_written_to_who_has_ended_the_connection() {
        in_runtime(async {
            // With everything read, the kernel would take more; with something left, the end is a reset.
            for reads in [true, false] {
                let counters = Arc::new(IoCounters::new());
                let (mut stream, mut server) = connected(&counters).await;
                if reads {
                    server.read_exact(&mut [0; 3]).unwrap_or_else(|error| panic!("{error}"));
                }
                drop(server);
                until("the connection ends", || stream.stream.has_ended());
                assert!(matches!(write(&mut stream), Poll::Ready(Err(_))));
                assert_eq!(counters.written(), 3);
            }
        });
    }

    #[test]
    fn an_answer_that_was_not_read_yet_comes_before_the_end_behind_it() {
        in_runtime(async {
            let counters = Arc::new(IoCounters::new());
            let (mut stream, mut server) = connected(&counters).await;
            server.read_exact(&mut [0; 3]).unwrap_or_else(|error| panic!("{error}"));
            server.write_all(b"x").unwrap_or_else(|error| panic!("{error}"));
            drop(server);
            let mut answer = [0; 2];
            stream.stream.readable().await.unwrap_or_else(|error| panic!("{error}"));
            assert!(!stream.stream.has_ended());
            assert_eq!(stream.read(&mut answer).await.ok(), Some(1));
            until("the connection ends", || stream.stream.has_ended());
            assert!(matches!(write(&mut stream), Poll::Ready(Err(_))));
        });
    }
}
