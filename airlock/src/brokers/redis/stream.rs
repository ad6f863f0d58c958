//! The bytes of a connection, counted: what was not written was certainly not accepted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much has passed through a connection.
#[derive(Debug)]
pub(super) struct Traffic {
    start: Instant,
    written: AtomicU64,
    /// When something was last read, in milliseconds since the start.
    heard: AtomicU64,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), written: AtomicU64::new(0), heard: AtomicU64::new(0) }
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

/// A stream that counts.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    traffic: Arc<Traffic>,
    /// Whether a write that fails has written nothing; one with TLS may have written some records before.
    fails_whole: bool,
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S, traffic: Arc<Traffic>, fails_whole: bool) -> Self {
        Self { stream, traffic, fails_whole }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.traffic.hear();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let written = match &polled {
            Poll::Ready(Ok(written)) => *written,
            Poll::Ready(Err(_)) if !self.fails_whole => bytes.len(),
            _ => 0,
        };
        self.traffic.written.fetch_add(written as u64, Ordering::Relaxed);
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
    use std::task::Waker;

    use super::*;

    struct Fails;

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
            let traffic = Arc::new(Traffic::new());
            let mut stream = Counted::new(Fails, Arc::clone(&traffic), fails_whole);
            let polled = Pin::new(&mut stream).poll_write(&mut Context::from_waker(Waker::noop()), b"abc");
            assert!(matches!(polled, Poll::Ready(Err(_))));
            assert_eq!(traffic.written(), written);
        }
    }
}
