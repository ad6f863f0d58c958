//! AWS as moto plays it, which records every request.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::process::{Folder, Process, free_port, until};
use crate::python::python;

/// A moto server that runs no function and records what it is asked.
#[derive(Debug)]
pub struct MotoServer {
    port: u16,
    folder: Folder,
    _process: Process,
}

/// A request, as the recorder writes it down.
#[derive(Debug, serde::Deserialize)]
pub struct Recorded {
    /// The whole URL.
    pub url: String,
    /// The headers, by name.
    pub headers: std::collections::BTreeMap<String, String>,
    body: String,
    body_encoded: bool,
}

impl Recorded {
    /// The body.
    ///
    /// # Panics
    /// If it is no text, or encoded otherwise than in base64.
    #[must_use]
    pub fn body(&self) -> String {
        if !self.body_encoded {
            return self.body.clone();
        }
        String::from_utf8(STANDARD.decode(&self.body).expect("moto encodes in base64")).expect("an event is text")
    }
}

impl MotoServer {
    /// Starts one, and waits until it answers.
    ///
    /// # Panics
    /// If moto isn't in the Python environment.
    #[must_use]
    pub fn start() -> Self {
        let (port, folder) = (free_port(), Folder::fresh("moto"));
        let mut command = Command::new(python());
        command
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_ENABLE_RECORDING", "1")
            .env("MOTO_RECORDER_FILEPATH", folder.path().join("recording"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let process = Process::start(&mut command, folder.path().join("log"));
        let server = Self { port, folder, _process: process };
        until("moto answers", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(server.configure(), "moto takes its configuration");
        server
    }

    /// Invocations are recorded and answered, without Docker.
    fn configure(&self) -> bool {
        let body = r#"{"lambda":{"use_docker":false}}"#;
        let length = body.len();
        let request = format!(
            "POST /moto-api/config HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut answer = String::new();
        TcpStream::connect(("127.0.0.1", self.port))
            .and_then(|mut stream| {
                stream.write_all(request.as_bytes())?;
                stream.read_to_string(&mut answer)
            })
            .is_ok_and(|_| answer.starts_with("HTTP/1.1 20"))
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The invocations so far, in order.
    ///
    /// # Panics
    /// If moto wrote something else.
    #[must_use]
    pub fn invocations(&self) -> Vec<Recorded> {
        let text = fs::read_to_string(self.folder.path().join("recording")).unwrap_or_default();
        let all = text.lines().map(|line| serde_json::from_str::<Recorded>(line).expect("moto writes JSON"));
        all.filter(|request| request.url.contains("/invocations")).collect()
    }
}
