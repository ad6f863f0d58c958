//! Forms that the clients of each broker take.

use super::*;

#[test]
fn postgres_is_read_as_its_client_reads_it() {
    for (text, shown, place) in [
        ("postgres:///shop", "postgres:///shop", "localhost:5432"),
        ("postgres://me@/shop", "postgres://me@/shop", "localhost:5432"),
        ("postgres://:5433/shop", "postgres://:5433/shop", "localhost:5433"),
        (
            "postgres:///shop?host=/run/postgresql",
            "postgres:///shop?host=/run/postgresql",
            "/run/postgresql/.s.PGSQL.5432",
        ),
        (
            "postgresql://me:pw@%2Frun%2Fpostgresql:5433/shop",
            "postgres://me:***@:5433/shop?host=/run/postgresql",
            "/run/postgresql/.s.PGSQL.5433",
        ),
        ("postgres:///shop?host=db&port=7000", "postgres://db:7000/shop", "db:7000"),
        ("postgres://a/shop?hostaddr=::1&host=db", "postgres://[::1]:5432/shop", "[::1]:5432"),
        ("postgres://db?user=me&password=pw&dbname=shop", "postgres://me:***@db:5432/shop", "db:5432"),
        ("postgresql+psycopg2://me:pw@db/shop", "postgres://me:***@db:5432/shop", "db:5432"),
        (
            "postgres://db/shop?sslmode=require&application_name=web&options=-c%20a.b%3Dpw&options[c.d]=pw",
            "postgres://db:5432/shop?sslmode=require&application_name=***&options=***&options[c.d]=***",
            "db:5432",
        ),
        (
            "postgres://db/shop?sslmode=verify-ca&sslrootcert=/pw&statement-cache-capacity=0",
            "postgres://db:5432/shop?sslmode=verify-ca&sslrootcert=***&statement-cache-capacity=0",
            "db:5432",
        ),
    ] {
        let url = url(text);
        assert_eq!((url.to_string(), url.place()), (shown.to_owned(), place.to_owned()), "{text}");
    }
    for (mode, scheme) in [
        ("disable", Scheme::Postgres),
        ("allow", Scheme::Postgres),
        ("prefer", Scheme::Postgres),
        ("require", Scheme::PostgresTls),
        ("verify-ca", Scheme::PostgresTls),
        ("verify-full", Scheme::PostgresTls),
    ] {
        assert_eq!(url(&format!("postgres://db?sslmode={mode}")).scheme, scheme, "{mode}");
    }
}

#[test]
fn redis_and_rabbitmq_are_read_as_their_clients_read_them() {
    for (text, shown, place) in [
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?db=0", "/run/redis.sock"),
        ("unix://me:pw@/run/redis.sock?db=3", "redis+socket://me:***@/run/redis.sock?db=3", "/run/redis.sock"),
        ("redis+socket:///run/a%20b?virtual_host=2", "redis+socket:///run/a b?db=2", "/run/a b"),
        ("redis+unix:///r?user=me&pass=pw", "redis+socket://me:***@/r?db=0", "/r"),
        ("redis+socket:///r?password=pw", "redis+socket://***@/r?db=0", "/r"),
        ("redis://h/1?db=2", "redis://h:6379/2", "h:6379"),
        ("valkeys://h/1", "rediss://h:6379/1", "h:6379"),
        ("redis://nop:@h", "redis://nop:***@h:6379/0", "h:6379"),
        ("rediss://h?ssl_cert_reqs=CERT_NONE", "rediss://h:6379/0?ssl_cert_reqs=CERT_NONE", "h:6379"),
        ("rediss://h/1#insecure", "rediss://h:6379/1?ssl_cert_reqs=none", "h:6379"),
        (
            "rediss://h?ssl_ca_certs=/pw&ssl_check_hostname=False",
            "rediss://h:6379/0?ssl_ca_certs=***&ssl_check_hostname=False",
            "h:6379",
        ),
        (
            "amqp://u:pw@h/v?heartbeat=30&channel_max=0&frame_max=8192&connection_timeout=500",
            "amqp://u:***@h:5672/v?heartbeat=30&channel_max=0&frame_max=8192&connection_timeout=500",
            "h:5672",
        ),
    ] {
        let url = url(text);
        assert_eq!((url.to_string(), url.place()), (shown.to_owned(), place.to_owned()), "{text}");
    }
    assert_eq!(url("redis://nop:@h").password.as_deref(), Some(""));
    assert_eq!(url("redis://:@h").password, None);
}

#[test]
fn a_path_of_sqlite_is_made_absolute_when_it_is_read() {
    let here = std::env::current_dir().unwrap_or_else(|error| panic!("{error}"));
    for relative in ["sqlite:shop.db", "sqlite://shop.db", "sqlite:./shop.db", "sqlite://shop.db?mode=rwc"] {
        assert_eq!(url(relative).place(), here.join("shop.db").display().to_string(), "{relative}");
    }
    for absolute in ["sqlite:/srv/shop.db", "sqlite:///srv/shop.db", "sqlite:////srv/shop.db"] {
        assert_eq!(url(absolute).place(), "/srv/shop.db", "{absolute}");
    }
}

#[test]
fn a_parameter_that_is_not_read_is_named_and_its_value_is_not() {
    for (text, says) in [
        ("amqp://h/v?heartbeet=zyx", "`heartbeet`, which is not read; did you mean `heartbeat`? leave it out"),
        ("amqps://h/v?depth=zyx", "`depth`, which is not read; leave it out, or say it on the executor; read are"),
        ("amqp://h/v?ssl_ca_certs=zyx", "`ssl_ca_certs`, which is about TLS"),
        ("amqp://h/v?cacertfile=zyx", "`cacertfile`, which is about TLS"),
        ("amqps://h/v?certfile=zyx", "`keyfile`"),
        ("amqps://h/v?ssl_cert_reqs=none", "certificates of RabbitMQ are always looked at"),
        ("redis://h?virtual_host=zyx", "`virtual_host`"),
        ("redis://h?socket_timeout=zyx", "`socket_timeout`"),
        ("redis://h?ssl_cert_reqs=none", "`ssl_cert_reqs`, which is about TLS, and none of that; write `rediss://`"),
        (
            "rediss://h?ssl_cert_reqs=zyx",
            "`ssl_cert_reqs` of the broker's URL has a value that it can't have; it takes `required`",
        ),
        ("rediss://h?ssl_certfile=zyx", "`ssl_keyfile`"),
        ("postgres://h/v?sslmode=zyx", "`sslmode`"),
        ("postgres://h/v?connect_timeout=zyx", "`connect_timeout`"),
        ("postgres://h/v?host=a,b", "is a list"),
        ("postgres://h/v?port=zyx", "`port`"),
        ("amqp://h/v?channel_max=1", "`channel_max`"),
        ("amqp://h/v?heartbeat=zyx", "`heartbeat`"),
        ("sqlite:///zyx?cache=shared", "`cache`"),
        ("sqlite:///zyx?mode=ro", "`mode`"),
        ("redis://h?zyx", "no parameter like `name=value`"),
        ("redis://h?a:zyx=1", "no parameter like `name=value`"),
        ("sentinel://:zyx@a:26379;sentinel://:zyx@b:26379", "Redis Sentinel is not supported"),
        ("redis+sentinel://:zyx@a/0", "Redis Sentinel is not supported"),
        ("redis+cluster://:zyx@a/0", "a Redis cluster is not supported"),
        ("unix://zyx/run/redis.sock", "no path of a file"),
    ] {
        let error = text.parse::<BrokerUrl>().expect_err(text).to_string();
        assert!(error.contains(says) && !error.contains("zyx"), "{text}: {error}");
    }
}
