//! Brokers behind TLS, with certificates of an authority that is made here and trusted by nobody else.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use airlock::{CeleryExecutor, Executor, HueyExecutor};
use airlock_tests::process::{Folder, free_port};
use airlock_tests::servers::{DjangoDatabase, PostgresServer, RabbitServer, RedisServer};

use crate::sql_systems::System;
use crate::tasks::{flush, note};

const URL: &str = "AIRLOCK_TESTS_TLS";

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let output = command.current_dir(folder).args(arguments.split(' ')).output().expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An authority, `ca.pem`, and a certificate of it for the loopback interface, `server.pem` and `server.key`.
fn certificates() -> Folder {
    let folder = Folder::fresh("tls");
    let path = folder.path();
    openssl(path, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=airlock-tests");
    openssl(path, "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
    std::fs::write(path.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").expect("a file");
    openssl(
        path,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    folder
}

/// What a process says that trusts these authorities, or those of the system.
fn sent_to(url: &str, authority: Option<&Path>) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "tls::sends", "--ignored", "--nocapture"]).env(URL, url);
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", authority);
    }
    String::from_utf8_lossy(&command.output().expect("it runs").stdout).into_owned()
}

#[track_caller]
fn only_who_trusts_the_authority_sends(url: &str, certificates: &Folder) {
    let said = sent_to(url, Some(&certificates.path().join("ca.pem")));
    assert!(said.contains("dispatched 1"), "{said}");
    let said = sent_to(url, None);
    assert!(said.contains("rejected 1") && said.contains("UnknownIssuer"), "{said}");
}

#[test]
fn redis_behind_tls() {
    let (certificates, port) = (certificates(), free_port().to_string());
    let file = |name: &str| certificates.path().join(name).display().to_string();
    let (ca, certificate, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
    let files = ["--tls-ca-cert-file", &ca, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let arguments = [&["--tls-port", &port, "--tls-auth-clients", "no"], &files[..]].concat();
    let server = RedisServer::start_with(&arguments);
    only_who_trusts_the_authority_sends(&format!("rediss://localhost:{port}/0"), &certificates);
    assert_eq!(server.list("notes").len(), 1);
}

#[test]
fn rabbitmq_behind_tls() {
    let (certificates, port) = (certificates(), free_port());
    let folder = certificates.path().display();
    let _server = RabbitServer::start_with(&format!(
        "listeners.ssl.1 = 127.0.0.1:{port}\n\
         ssl_options.cacertfile = {folder}/ca.pem\n\
         ssl_options.certfile = {folder}/server.pem\n\
         ssl_options.keyfile = {folder}/server.key\n\
         ssl_options.verify = verify_none\n"
    ));
    only_who_trusts_the_authority_sends(&format!("amqps://localhost:{port}"), &certificates);
}

#[test]
fn postgres_behind_tls() {
    let certificates = certificates();
    let server = PostgresServer::start_with_tls(certificates.path());
    let url = DjangoDatabase::on(&server);
    let behind_tls = |url: &str| format!("{}?sslmode=verify-full", url.replace("127.0.0.1", "localhost"));
    only_who_trusts_the_authority_sends(&behind_tls(&url), &certificates);
    assert_eq!(System::Huey.count(&url), 1);
    let log = server.log();
    let ours = log.lines().filter(|line| line.contains("application_name=airlock")).collect::<Vec<_>>();
    assert!(!ours.is_empty() && ours.iter().all(|line| line.contains("SSL enabled (protocol=TLSv1.3")), "{log}");

    // One that has none gets no password.
    let plain = PostgresServer::shared();
    let said = sent_to(&behind_tls(&plain.url("postgres")), Some(&certificates.path().join("ca.pem")));
    assert!(said.contains("rejected 1") && said.contains("has no TLS; turn `ssl` on"), "{said}");
}

/// Not a test of its own: what a process trusts is in its environment.
#[test]
#[ignore = "the other tests run it"]
#[allow(clippy::print_stdout, reason = "that is how it tells the other tests")]
fn sends() {
    let Ok(url) = std::env::var(URL) else { return };
    let patience = Duration::from_secs(30);
    let executor: Arc<dyn Executor> = if url.starts_with("postgres:") {
        Arc::new(HueyExecutor::new(url).expect("a URL").connect_timeout(patience))
    } else {
        Arc::new(CeleryExecutor::new(url).expect("a URL").declare().connect_timeout(patience))
    };
    let scope = airlock::scope().executor(executor).deadline(patience);
    let account = flush(scope, || {
        note::enqueue(1).expect("there is a scope");
    });
    let (dispatched, rejected) = (account.count("dispatched"), account.count("rejected"));
    println!("dispatched {dispatched}, rejected {rejected}: {:?}", account.texts);
}
