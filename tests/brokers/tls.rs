//! Brokers behind TLS, with certificates of an authority that is made here and not trusted elsewhere. The cryptography of
//! a process that has flushed is still its own to choose.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use airlock::{CeleryExecutor, Executor, HueyExecutor};
use airlock_tests::process::{Folder, free_port};
use airlock_tests::servers::{DjangoDatabase, PostgresServer, RabbitServer, RedisServer};
use airlock_tests::stopwatch::Stopwatch;

use crate::proxy::Proxy;
use crate::sql_systems::System;
use crate::tasks::{Account, flush, flush_notes, note, note_of, random, rounds};

const URL: &str = "AIRLOCK_TESTS_TLS";
const COUNT: &str = "AIRLOCK_TESTS_TLS_COUNT";

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let output = command.current_dir(folder).args(arguments.split(' ')).output().expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An authority, `ca.pem`, and a certificate of it for `localhost`, by no address, `server.pem` and `server.key`.
fn certificates() -> Folder {
    let folder = Folder::fresh("tls");
    let path = folder.path();
    openssl(path, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=airlock-tests");
    openssl(path, "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
    std::fs::write(path.join("names"), "subjectAltName=DNS:localhost\n").expect("a file");
    openssl(
        path,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    folder
}

/// What becomes of so many notes from a process that trusts these authorities, or those of the system.
fn sent_to(url: &str, authority: Option<&Path>, count: usize) -> Account {
    let (watch, mut command) = (Stopwatch::start(), Command::new(std::env::current_exe().expect("this program")));
    command.args(["--exact", "tls::sends", "--ignored", "--nocapture"]).env(URL, url).env(COUNT, count.to_string());
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", authority);
    }
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("text");
    // Where the name in a certificate isn't checked, sqlx 0.9 asks for the process's provider, and installs one.
    let is_sqlx_s_choice = url.contains("sslmode=verify-ca");
    assert!(
        is_sqlx_s_choice || said.lines().any(|line| line == OWN_PROVIDER),
        "{url} has chosen the cryptography of its process"
    );
    let end = |line: &str| {
        let (id, end) = line.split_once(' ').expect("an id and how it ended");
        (id.to_owned(), ENDS.into_iter().find(|known| *known == end).expect("a way to end"))
    };
    Account {
        took: watch.stop(),
        ends: said.lines().filter_map(|line| line.strip_prefix("end ")).map(end).collect(),
        texts: said.lines().filter_map(|line| line.strip_prefix("text ")).map(str::to_owned).collect(),
    }
}

/// That a program may still choose its own cryptography, once it has flushed.
const OWN_PROVIDER: &str = "own provider";

const ENDS: [&str; 5] = ["dispatched", "rejected", "unavailable", "unconfirmed", "unattempted"];

#[track_caller]
fn only_who_trusts_the_authority_sends(url: &str, authority: &Path) {
    sent_to(url, Some(authority), 1).expect(&[("dispatched", 1)]);
    let account = sent_to(url, None, 1);
    account.expect(&[("rejected", 1)]);
    account.says("UnknownIssuer");
}

/// Cuts the connection within a flush, again and again: what is encrypted leaves later than it is written.
fn cut(port: u16, url: fn(u16) -> String, authority: &Path, ids: impl Fn() -> HashSet<String>) {
    const MANY: usize = 1_500;
    let whole = {
        let proxy = Proxy::start(port, None);
        sent_to(&url(proxy.port()), Some(authority), MANY).expect(&[("dispatched", MANY)]);
        proxy.passed()
    };
    let mut hit = 0;
    for round in 0..rounds(3) {
        let proxy = Proxy::start(port, Some(random(round) % whole));
        let account = sent_to(&url(proxy.port()), Some(authority), MANY);
        account.agrees_with(&ids(), MANY);
        hit += account.count("unconfirmed");
    }
    assert!(hit > 0, "no cut came in the middle of a flush");
}

#[test]
fn redis_behind_tls_takes_from_who_trusts_it_and_a_cut_leaves_no_doubt() {
    let (certificates, port) = (certificates(), free_port().to_string());
    let file = |name: &str| certificates.path().join(name).display().to_string();
    let (ca, certificate, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
    let files = ["--tls-ca-cert-file", &ca, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let arguments = [&["--tls-port", &port, "--tls-auth-clients", "no"], &files[..]].concat();
    let server = RedisServer::start_with(&arguments);
    let (url, authority) = (|port| format!("rediss://localhost:{port}/0"), certificates.path().join("ca.pem"));
    let port = port.parse().expect("a port");
    only_who_trusts_the_authority_sends(&url(port), &authority);
    as_the_url_says(&server, port, certificates.path());
    let ids = || server.list("notes").iter().map(|envelope| note_of(envelope).0).collect::<HashSet<_>>();
    let _ = server.command(&["DEL", "notes"]);
    cut(port, url, &authority, ids);
}

/// What the parameters of a URL say about certificates, of the server and of the client.
fn as_the_url_says(server: &RedisServer, port: u16, certificates: &Path) {
    let file = |name: &str| certificates.join(name).display().to_string();
    let by = |host: &str, parameters: &str| sent_to(&format!("rediss://{host}:{port}/0{parameters}"), None, 1);
    let rejected = |account: Account, says: &str| {
        account.expect(&[("rejected", 1)]);
        account.says(says);
    };
    let own = format!("ssl_ca_certs={}", file("ca.pem"));
    for taken in ["?ssl_cert_reqs=none", "?ssl_cert_reqs=CERT_NONE", "#insecure"] {
        by("127.0.0.1", taken).expect(&[("dispatched", 1)]);
    }
    by("localhost", &format!("?ssl_cert_reqs=required&{own}")).expect(&[("dispatched", 1)]);
    rejected(by("127.0.0.1", &format!("?{own}")), "not valid for name");
    by("127.0.0.1", &format!("?{own}&ssl_check_hostname=false")).expect(&[("dispatched", 1)]);
    rejected(by("localhost", "?ssl_check_hostname=false"), "UnknownIssuer");
    rejected(by("localhost", "?ssl_ca_certs=/no/such.pem"), "be read: entity not found");
    rejected(by("localhost", &format!("?ssl_ca_certs={}", file("server.key"))), "nothing of it in the format PEM");

    // Of the client: told after the greeting, since version 1.3.
    let _ = server.command(&["CONFIG", "SET", "tls-auth-clients", "yes"]);
    rejected(by("localhost", &format!("?{own}")), "wants a certificate of the client");
    let _ = server.command(&["CONFIG", "SET", "tls-protocols", "TLSv1.2"]);
    rejected(by("localhost", &format!("?{own}")), "certificate of the client");
    let _ = server.command(&["CONFIG", "SET", "tls-protocols", "TLSv1.2 TLSv1.3"]);
    let with = |name: &str| format!("?{own}&ssl_certfile={}&ssl_keyfile={}", file(name), file("server.key"));
    by("localhost", &with("server.pem")).expect(&[("dispatched", 1)]);
    openssl(certificates, "req -x509 -key server.key -out other.pem -days 2 -subj /CN=other");
    rejected(by("localhost", &with("other.pem")), "take the certificate of `ssl_certfile`");
    let _ = server.command(&["CONFIG", "SET", "tls-auth-clients", "no"]);

    // Without TLS where there is nothing else: the server ends the connection, and says nothing.
    let plain = CeleryExecutor::new(format!("redis://127.0.0.1:{port}")).expect("a URL");
    flush_notes(plain.connect_timeout(Duration::from_millis(500)), 1).says("write `rediss://`");
}

#[test]
fn rabbitmq_behind_tls_takes_from_who_trusts_it_and_a_cut_leaves_no_doubt() {
    let (certificates, port) = (certificates(), free_port());
    let folder = certificates.path().display();
    let server = RabbitServer::start_with(&format!(
        "listeners.ssl.1 = 127.0.0.1:{port}\n\
         ssl_options.cacertfile = {folder}/ca.pem\n\
         ssl_options.certfile = {folder}/server.pem\n\
         ssl_options.keyfile = {folder}/server.key\n\
         ssl_options.verify = verify_peer\n"
    ));
    let (url, authority) = (|port| format!("amqps://localhost:{port}"), certificates.path().join("ca.pem"));
    only_who_trusts_the_authority_sends(&url(port), &authority);
    // As the URL says, with a certificate of the client for one.
    for parameters in [
        format!("cacertfile={folder}/ca.pem"),
        format!(
            "ssl_cert_reqs=required&ssl_ca_certs={folder}/ca.pem&certfile={folder}/server.pem&keyfile={folder}/server.key"
        ),
    ] {
        sent_to(&format!("{}?{parameters}", url(port)), None, 1).expect(&[("dispatched", 1)]);
    }
    let account = sent_to(&format!("{}?cacertfile=/no/such.pem", url(port)), None, 1);
    account.expect(&[("rejected", 1)]);
    account.says("be read: entity not found");
    let _ = crate::rabbit::ids(&server.url(), "notes");
    cut(port, url, &authority, || crate::rabbit::ids(&server.url(), "notes"));
}

#[test]
fn postgres_behind_tls() {
    let certificates = certificates();
    let authority = certificates.path().join("ca.pem");
    let server = PostgresServer::start_with_tls(certificates.path());
    let url = DjangoDatabase::on(&server);
    let behind_tls = |url: &str| format!("{}?sslmode=verify-full", url.replace("127.0.0.1", "localhost"));
    only_who_trusts_the_authority_sends(&behind_tls(&url), &authority);
    assert_eq!(System::Huey.count(&url), 1);
    let log = server.log();
    let ours = log.lines().filter(|line| line.contains("application_name=airlock")).collect::<Vec<_>>();
    assert!(!ours.is_empty() && ours.iter().all(|line| line.contains("SSL enabled (protocol=TLSv1.3")), "{log}");

    // As the URL says, by a name that the certificate is not for, and not trusted here.
    let with = |parameters: &str| sent_to(&format!("{url}?{parameters}"), None, 1);
    let own = format!("sslrootcert={}", authority.display());
    for taken in ["sslmode=prefer", "sslmode=require", &format!("sslmode=verify-ca&{own}")] {
        with(taken).expect(&[("dispatched", 1)]);
    }
    for refused in ["sslmode=verify-ca", &format!("sslmode=verify-full&{own}")] {
        let account = with(refused);
        account.expect(&[("rejected", 1)]);
        account.says("no TLS with");
    }
    sent_to(&format!("{}&{own}", behind_tls(&url)), None, 1).expect(&[("dispatched", 1)]);
    let log = server.log();
    let ours: Vec<_> = log.lines().filter(|line| line.contains("application_name=airlock")).collect();
    assert!(ours.len() >= 5 && ours.iter().all(|line| line.contains("SSL enabled")), "{log}");
    // Only with TLS, and with a certificate of the client.
    server.let_in("hostssl all all all scram-sha-256 clientcert=verify-ca");
    let other = format!("{}?sslmode=require", url.replace("postgres:p0stgres@", "nobody:wr0ng@"));
    let account = sent_to(&other, None, 1);
    account.expect(&[("rejected", 1)]);
    account.says("wants a certificate of the client (28000); give `sslcert` and `sslkey`");

    // One that has none gets no password.
    let plain = PostgresServer::shared();
    let account = sent_to(&behind_tls(&plain.url("postgres")), Some(&authority), 1);
    account.expect(&[("rejected", 1)]);
    account.says("has no TLS; turn `ssl` on");
}

/// Not a test of its own: what a process trusts is in its environment.
#[test]
#[ignore = "the other tests run it"]
#[allow(clippy::print_stdout, reason = "that is how it tells the other tests")]
fn sends() {
    let (Ok(url), Ok(count)) = (std::env::var(URL), std::env::var(COUNT)) else { return };
    let patience = Duration::from_secs(30);
    let executor: Arc<dyn Executor> = if url.starts_with("postgres:") {
        Arc::new(HueyExecutor::new(url).expect("a URL").connect_timeout(patience))
    } else {
        // Many are sent through a proxy that cuts the connection and takes no other: no use in waiting long. One is sent to
        // a server that has just started, whose first handshake may take its time.
        let wait = if count == "1" { patience } else { patience / 3 };
        Arc::new(CeleryExecutor::new(url).expect("a URL").declare().connect_timeout(wait))
    };
    let scope = airlock::scope().executor(executor).deadline(patience);
    let account = flush(scope, || {
        for number in 0..count.parse().expect("a number") {
            note::enqueue(number).expect("there is a scope");
        }
    });
    // Whatever the test harness has begun to say ends here.
    println!();
    if tokio_rustls::rustls::crypto::ring::default_provider().install_default().is_ok() {
        println!("{OWN_PROVIDER}");
    }
    account.ends.iter().for_each(|(id, end)| println!("end {id} {end}"));
    account.texts.iter().for_each(|text| println!("text {}", text.escape_debug()));
}
