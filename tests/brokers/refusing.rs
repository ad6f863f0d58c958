//! A proxy before a Redis server that answers some commands by itself, in their place among the others.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

/// One command on its way to the server.
pub(crate) struct Command<'a> {
    pub(crate) name: &'a str,
    /// How many came before it, on all connections.
    pub(crate) before: usize,
    pub(crate) bytes: usize,
}

/// What a command is answered instead of being passed on.
type Refuse = dyn FnMut(&Command<'_>) -> Option<String> + Send;

/// It passes on every connection.
pub(crate) struct Refusing {
    port: u16,
    to: Arc<AtomicU16>,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    names: Vec<String>,
    refuse: Box<Refuse>,
}

impl Refusing {
    /// Passes on what the function gives no answer for.
    pub(crate) fn start(to: u16, refuse: impl FnMut(&Command<'_>) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let to = Arc::new(AtomicU16::new(to));
        let shared = Arc::new(Mutex::new(Shared { names: Vec::new(), refuse: Box::new(refuse) }));
        let (target, own) = (Arc::clone(&to), Arc::clone(&shared));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                let server = TcpStream::connect(("127.0.0.1", target.load(Ordering::SeqCst)));
                thread::spawn(move || serve(&client, &server.expect("the server is there"), &shared));
            }
        });
        Self { port, to, shared }
    }

    /// Answers every command of that name so.
    pub(crate) fn answering(to: u16, name: &'static str, answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::start(to, move |command| (command.name == name).then(|| answer.clone()))
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// From now on, new connections go to that server.
    pub(crate) fn leads_to(&self, port: u16) {
        self.to.store(port, Ordering::SeqCst);
    }

    /// The names of the commands that have come.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.shared.lock().expect("no panic").names.clone()
    }
}

/// What the client gets next.
enum Next {
    /// What the server says.
    Answer,
    /// This.
    Refusal(String),
}

fn serve(client: &TcpStream, server: &TcpStream, shared: &Mutex<Shared>) {
    let (next, nexts) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let (mut from, mut to) = (BufReader::new(server), client);
            for next in nexts {
                let mut answer = Vec::new();
                match next {
                    Next::Refusal(text) => answer = format!("-{text}\r\n").into_bytes(),
                    Next::Answer => {
                        if read_answer(&mut from, &mut answer).is_err() {
                            break;
                        }
                    }
                }
                let _ = to.write_all(&answer);
            }
            let _ = client.shutdown(Shutdown::Both);
        });
        let (mut from, mut to) = (BufReader::new(client), server);
        let mut bytes = Vec::new();
        while let Ok(name) = read_command(&mut from, &mut bytes) {
            let refusal = shared.lock().expect("no panic").refuse(name, bytes.len());
            let is_passed = refusal.is_none();
            let _ = next.send(refusal.map_or(Next::Answer, Next::Refusal));
            if is_passed && to.write_all(&bytes).is_err() {
                break;
            }
        }
        drop(next);
        let _ = server.shutdown(Shutdown::Both);
    });
}

impl Shared {
    fn refuse(&mut self, name: String, bytes: usize) -> Option<String> {
        let refusal = (self.refuse)(&Command { name: &name, before: self.names.len(), bytes });
        self.names.push(name);
        refusal
    }
}

/// Reads one command, an array of texts, and gives its name.
fn read_command(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<String> {
    bytes.clear();
    let arguments = read_number(from, bytes)?;
    let mut name = String::new();
    for at in 0..arguments {
        let start = bytes.len();
        let length = read_number(from, bytes)?;
        let head = bytes.len() - start;
        read_text(from, length, bytes)?;
        if at == 0 {
            let text = &bytes[start + head..bytes.len() - 2];
            name = String::from_utf8_lossy(text).into_owned();
        }
    }
    Ok(name)
}

/// Reads one answer with all that lies in it.
fn read_answer(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<()> {
    let start = bytes.len();
    // What is no number is a text or an error, of one line.
    let number = read_number(from, bytes).or_else(|error| match error.kind() {
        io::ErrorKind::InvalidData => Ok(-1),
        _ => Err(error),
    })?;
    match bytes[start] {
        b'$' => read_text(from, number, bytes),
        b'*' => (0..number).try_for_each(|_| read_answer(from, bytes)),
        _ => Ok(()),
    }
}

/// Reads a line, and gives the number behind its first character.
fn read_number(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<i64> {
    let start = bytes.len();
    if from.read_until(b'\n', bytes)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let number = std::str::from_utf8(&bytes[start + 1..]).ok().and_then(|text| text.trim_end().parse().ok());
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads a text of that length, and the end of its line; below 0 there is none.
fn read_text(from: &mut impl BufRead, length: i64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let Ok(length) = u64::try_from(length) else { return Ok(()) };
    let read = from.take(length + 2).read_to_end(bytes)?;
    if read as u64 == length + 2 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
