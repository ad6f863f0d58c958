//! HTTP as it may go: every request gets the answer that the test chose, or none.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// This status, with the name of an exception as AWS gives it.
    Status(u16, &'static str),
    /// The connection is closed before anything is read.
    CutBefore,
    /// The connection is closed when a first byte has come.
    CutInside,
    /// The connection is closed when the whole request was read.
    CutAfter,
    /// The request is read, and nothing comes.
    Silence,
}

/// A request that was read whole.
#[derive(Debug, Clone)]
pub struct Request {
    /// The first line.
    pub line: String,
    /// The other lines of the head.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A server on a port of its own. It goes on until the process ends.
#[derive(Debug, Clone)]
pub struct HttpServer {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
}

impl HttpServer {
    /// Starts one that answers the requests by their number, from 0.
    ///
    /// # Panics
    /// If the loopback interface has no free port.
    #[must_use]
    pub fn start(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let server = Self { port, requests: Arc::default(), connections: Arc::default(), at_once: Arc::default() };
        let (accepting, answer) = (server.clone(), Arc::new(answer));
        thread::spawn(move || {
            let (number, under_way) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            for stream in listener.incoming().flatten() {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                let (server, answer) = (accepting.clone(), Arc::clone(&answer));
                let (number, under_way) = (Arc::clone(&number), Arc::clone(&under_way));
                thread::spawn(move || server.serve(&stream, &*answer, &number, &under_way));
            }
        });
        server
    }

    fn serve(
        &self,
        mut stream: &TcpStream,
        answer: &dyn Fn(usize) -> Answer,
        number: &AtomicUsize,
        under_way: &AtomicUsize,
    ) -> Option<()> {
        let _ = stream.set_nodelay(true);
        let mut reader = BufReader::new(stream);
        loop {
            if matches!(answer(number.load(Ordering::SeqCst)), Answer::CutBefore) {
                return None;
            }
            let mut first = [0];
            stream.peek(&mut first).ok().filter(|read| *read > 0)?;
            let answer = answer(number.fetch_add(1, Ordering::SeqCst));
            if matches!(answer, Answer::CutInside) {
                return None;
            }
            let request = read(&mut reader)?;
            self.at_once.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            match answer {
                Answer::Status(status, code) => {
                    let body = r#"{"Message":"canary-answer-1618"}"#;
                    let length = body.len();
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    let head = format!(
                        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nx-amzn-errortype: {code}\r\ncontent-length: {length}\r\n\r\n"
                    );
                    stream.write_all((head + body).as_bytes()).ok()?;
                }
                Answer::Silence => {
                    // Until the client gives up.
                    let _ = reader.read(&mut first);
                    return None;
                }
                Answer::CutBefore | Answer::CutInside | Answer::CutAfter => return None,
            }
        }
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was read so far, in that order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many requests were being answered at a time, at most.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.at_once.load(Ordering::SeqCst)
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut request = Request { line: lines.remove(0), headers: lines, body: Vec::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
