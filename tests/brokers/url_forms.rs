//! URLs as other clients write them, to real servers.

use airlock::{CeleryExecutor, HueyExecutor};
use airlock_tests::process::Folder;
use airlock_tests::servers::{DjangoDatabase, PostgresServer, RabbitServer, RedisServer};
use redis::Value;

use crate::redis_forms::Form;
use crate::sql_systems::{PATIENT, System, notes};
use crate::tasks::flush_notes;

#[test]
fn redis_is_reached_through_its_socket_in_every_form_that_other_clients_write() {
    let folder = Folder::fresh("socket");
    let socket = folder.path().join("redis.sock").display().to_string();
    let server = RedisServer::start_with(&["--unixsocket", &socket]);
    let _ = server.command(&["ACL", "SETUSER", "web", "on", ">p@ss", "allkeys", "+@all"]);
    let mut count = 0;
    for url in [
        format!("unix://{socket}?db=3"),
        format!("redis+socket://{socket}?virtual_host=3"),
        format!("redis+unix://{socket}?db=3&user=web&pass=p%40ss"),
        format!("unix://web:p%40ss@{socket}?db=3"),
        format!("redis+socket://{socket}?db=3&username=web&password=p%40ss"),
    ] {
        let executor = CeleryExecutor::new(&url).expect("a URL");
        flush_notes(executor.clone(), 200).expect(&[("dispatched", 200)]);
        flush_notes(executor, 200).expect(&[("dispatched", 200)]);
        count += 400;
        let script = "redis.call('SELECT', 3) return redis.call('LLEN', 'notes')";
        assert_eq!(server.command(&["EVAL", script, "0"]), Value::Int(count), "{url}");
    }
    let wrong = CeleryExecutor::new(format!("unix://web:wrong@{socket}")).expect("a URL");
    let account = flush_notes(wrong, 1);
    account.expect(&[("rejected", 1)]);
    account.says(&format!("{socket} refuses user and password"));
    drop(server);
    let account = flush_notes(CeleryExecutor::new(format!("unix://{socket}")).expect("a URL"), 1);
    account.expect(&[("unavailable", 1)]);
    account.says(&socket);
}

#[test]
fn a_user_of_redis_without_a_password_is_told_to_the_server() {
    let server = RedisServer::start();
    let _ = server.command(&["ACL", "SETUSER", "nop", "on", "nopass", "allkeys", "+@all"]);
    // Only this user may.
    let _ = server.command(&["ACL", "SETUSER", "default", "-lpush"]);
    flush_notes(Form::Celery.executor(&server.url()), 3).expect(&[("rejected", 3)]);
    let url = server.url().replace("//", "//nop:@");
    flush_notes(Form::Celery.executor(&url), 3).expect(&[("dispatched", 3)]);
    let url = format!("{}?username=nop", server.url());
    flush_notes(Form::Celery.executor(&url), 3).expect(&[("dispatched", 3)]);
}

#[test]
fn rabbitmq_is_asked_for_what_the_url_says_about_heartbeats_channels_and_frames() {
    let server = RabbitServer::shared();
    let url = format!("{}?heartbeat=31&channel_max=17&frame_max=8192&connection_timeout=50000", server.url());
    let executor = CeleryExecutor::new(url).expect("a URL").declare().default_queue(crate::rabbit::queue_of_its_own());
    flush_notes(executor.clone(), 10).expect(&[("dispatched", 10)]);
    let told = server.control(&["list_connections", "--silent", "timeout", "channel_max", "frame_max"]);
    assert!(told.lines().any(|line| line.split_whitespace().eq(["31", "17", "8192"])), "{told}");
    flush_notes(executor, 10).expect(&[("dispatched", 10)]);
}

#[test]
fn a_rabbitmq_that_does_not_answer_costs_what_the_url_allows_a_connection() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let url = format!("amqp://127.0.0.1:{port}?connection_timeout=30");
    let executor = CeleryExecutor::new(url).expect("a URL").connect_timeout(std::time::Duration::from_millis(40));
    let account = flush_notes(executor, 1);
    account.expect(&[("unavailable", 1)]);
    account.says("timed out");
}

#[test]
fn postgres_is_reached_through_its_socket_in_every_form_that_other_clients_write() {
    let server = PostgresServer::shared();
    let database = DjangoDatabase::postgres();
    let (_, name) = database.url().rsplit_once('/').expect("a name");
    let (folder, port) = (server.socket_folder().display().to_string(), server.port());
    let account = "postgres:p0stgres";
    let encoded = folder.replace('/', "%2F");
    let mut count = 0;
    for url in [
        format!("postgres://{account}@/{name}?host={folder}&port={port}"),
        format!("postgres://{account}@:{port}/{name}?host={encoded}"),
        format!("postgresql://{account}@{encoded}:{port}/{name}"),
        format!("postgres:///?host={folder}&port={port}&user=postgres&password=p0stgres&dbname={name}"),
        format!("postgresql+psycopg2://{account}@127.0.0.1:{port}/{name}"),
        format!(
            "postgres://nobody:wrong@localhost:1/nothing?hostaddr=127.0.0.1&port={port}&user=postgres&password=p0stgres&dbname={name}"
        ),
    ] {
        let account = notes(System::Huey.executor(&url), PATIENT, 100);
        account.expect(&[("dispatched", 100)]);
        count += 100;
        assert_eq!(System::Huey.count(database.url()), count, "{url}");
    }
    let wrong = format!("postgres://postgres:wrong@{encoded}:{port}/{name}");
    let account = notes(System::Huey.executor(&wrong), PATIENT, 1);
    account.expect(&[("rejected", 1)]);
    account.says(&format!("{folder}/.s.PGSQL.{port} refuses user and password"));
}

#[test]
fn postgres_without_a_host_is_its_socket_where_there_is_one_and_localhost_where_not() {
    let server = PostgresServer::shared();
    let database = DjangoDatabase::postgres();
    let (_, name) = database.url().rsplit_once('/').expect("a name");
    let (port, folder) = (server.port(), server.socket_folder());
    let url = |program: &str| format!("postgres://postgres:p0stgres@:{port}/{name}?application_name={program}");
    let socket = format!("/tmp/.s.PGSQL.{port}");
    let executors = ["by_port", "by_socket"].map(|program| {
        if program == "by_socket" {
            std::os::unix::fs::symlink(folder.join(format!(".s.PGSQL.{port}")), &socket).expect("a link");
        }
        let executor = System::Huey.executor(&url(program));
        notes(executor.clone(), PATIENT, 1).expect(&[("dispatched", 1)]);
        executor
    });
    std::fs::remove_file(&socket).expect("it is there");
    let by = |program: &str| {
        let ask = format!("SELECT client_addr IS NULL FROM pg_stat_activity WHERE application_name = '{program}'");
        database.open().column(&ask)
    };
    assert_eq!((by("by_port"), by("by_socket")), (vec!["f".to_owned()], vec!["t".to_owned()]));
    drop(executors);
}

#[test]
fn settings_of_the_session_in_a_url_of_postgres_are_in_force() {
    let database = DjangoDatabase::postgres();
    let mut open = database.open();
    open.run("CREATE SCHEMA shop; CREATE TABLE shop.huey_task (LIKE public.huey_task INCLUDING ALL)");
    for (settings, place) in [
        ("options=-c%20search_path%3Dshop", "shop"),
        ("options=-csearch_path%3Dshop&application_name=web", "shop"),
        ("options[search_path]=shop", "shop"),
        ("sslmode=prefer&options=-c%20work_mem%3D1MB", "public"),
        ("sslmode=allow&statement-cache-capacity=0", "public"),
    ] {
        open.run("TRUNCATE shop.huey_task, public.huey_task");
        let executor = System::Huey.executor(&format!("{}?{settings}", database.url()));
        for _ in 0..2 {
            notes(executor.clone(), PATIENT, 10).expect(&[("dispatched", 10)]);
        }
        assert_eq!(open.number(&format!("SELECT count(*) FROM {place}.huey_task")), 20, "{settings}");
        if settings.contains("application_name") {
            let named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'web'";
            assert!(open.number(named) > 0);
        }
    }
}

#[test]
fn a_relative_path_of_sqlite_stays_where_the_process_was_when_it_was_read() {
    let database = DjangoDatabase::sqlite();
    let absolute = database.url().trim_start_matches("sqlite://");
    let here = std::env::current_dir().expect("a folder");
    let up = "../".repeat(here.components().count() - 1);
    for (number, form) in ["sqlite:", "sqlite://"].into_iter().enumerate() {
        let url = format!("{form}{up}{}", absolute.trim_start_matches('/'));
        let executor = HueyExecutor::new(&url).expect("a URL");
        flush_notes(executor, 3).expect(&[("dispatched", 3)]);
        assert_eq!(System::Huey.count(database.url()), 3 * (number as u64 + 1));
    }
    // A file that isn't there is made where the URL says so; its table is another's.
    let folder = Folder::fresh("made");
    let path = folder.path().join("new.sqlite3");
    let url = |mode: &str| format!("sqlite://{}?mode={mode}", path.display());
    let account = flush_notes(HueyExecutor::new(url("rw")).expect("a URL"), 1);
    account.says("can't be opened");
    let account = flush_notes(HueyExecutor::new(url("rwc")).expect("a URL"), 1);
    account.says("has no table `task`");
}
