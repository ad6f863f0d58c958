//! A server over TCP, and clients that say what they send byte by byte.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use airlock::web::ScopeLayer;
use airlock::{DispatchError, ScopeBuilder, scope};
use airlock_tests::recorder::Recorder;
use axum::Router;
use http::request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a test waits for what has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

#[airlock::task(name = "web.note")]
pub(crate) fn note(request: u32) {
    let _ = request;
}

/// A server that runs until it is told to stop.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async move {
            let graceful = axum::serve(listener, router).with_graceful_shutdown(async {
                let _ = stopped.await;
            });
            graceful.await.unwrap();
        });
        Self { address, stop: Some(stop), ended }
    }

    /// Takes no new connection, and waits for the requests under way.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        timeout(PATIENCE, self.ended).await.unwrap().unwrap();
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends one request on a connection of its own and reads until the server closes it.
    pub(crate) async fn request(&self, head: &str) -> String {
        let mut stream = self.connect().await;
        let request = format!("{head}\r\nhost: airlock\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8(answer).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1")).await
    }
}

/// A layer whose scopes hand over to the recorder.
pub(crate) fn recorded(recorder: &Recorder) -> ScopeLayer<impl Fn(&request::Parts) -> ScopeBuilder + Clone + use<>> {
    let recorder = recorder.clone();
    ScopeLayer::new().scope(move |_| scope().name("request").executor(recorder.clone()))
}

/// The same, and every hand-over is refused.
pub(crate) fn unreachable_broker() -> ScopeLayer<impl Fn(&request::Parts) -> ScopeBuilder + Clone + use<>> {
    let executor = Arc::new(airlock::executor_fn(|_| Err::<(), _>(DispatchError::unavailable("the broker is down"))));
    ScopeLayer::new().scope(move |_| scope().name("request").executor(Arc::clone(&executor)))
}

/// Polls until it holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let polls = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, polls).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// A future that never ends, and notes that it was dropped.
pub(crate) fn stuck(dropped: &Arc<AtomicBool>) -> impl Future<Output = ()> + use<> {
    struct Noted(Arc<AtomicBool>);
    impl Drop for Noted {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let noted = Noted(Arc::clone(dropped));
    async move {
        let _noted = noted;
        std::future::pending::<()>().await;
    }
}
