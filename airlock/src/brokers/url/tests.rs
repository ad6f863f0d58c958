use super::*;

mod forms;

fn url(text: &str) -> BrokerUrl {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn what_is_left_out_has_the_usual_default() {
    assert_eq!(url("redis://localhost").to_string(), "redis://localhost:6379/0");
    assert_eq!(url("REDISS://localhost/3").to_string(), "rediss://localhost:6379/3");
    assert_eq!(url("amqp://localhost").to_string(), "amqp://localhost:5672//");
    assert_eq!(url("amqp://localhost/").path, "/");
    // As Celery's own documentation writes it.
    assert_eq!(url("pyamqp://guest@localhost//").path, "/");
    assert_eq!(url("amqps://localhost/shop%2Feu").to_string(), "amqps://localhost:5671/shop/eu");
    assert_eq!(url("redis://[::1]:7000").to_string(), "redis://[::1]:7000/0");
    assert_eq!(url("postgresql://shop@db").to_string(), "postgres://shop@db:5432/");
    assert_eq!(url("postgres://db/shop").to_string(), "postgres://db:5432/shop");
    assert_eq!(
        url("postgres://db/shop?sslmode=verify-full").to_string(),
        "postgres://db:5432/shop?sslmode=verify-full"
    );
    assert_eq!(url("sqlite:///srv/my%20shop/db%3F.sqlite3").place(), "/srv/my shop/db?.sqlite3");
    assert_eq!(url("sqlite:///srv/db.sqlite3").to_string(), "sqlite:///srv/db.sqlite3");
}

#[test]
fn the_password_is_read_and_not_shown() {
    let url = url("amqp://shop:p%40ss%2Fw%25rd@localhost/live");
    assert_eq!((url.user.as_deref(), url.password.as_deref()), (Some("shop"), Some("p@ss/w%rd")));
    for shown in [url.to_string(), format!("{url:?}"), url.place()] {
        assert!(!shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
    }
    assert_eq!(self::url("redis://:p@ss@localhost").password.as_deref(), Some("p@ss"));
}

#[test]
fn what_is_no_url_is_told_without_quoting_it() {
    let mistakes = [
        ("localhost:6379", BrokerUrlError::Scheme),
        ("http://:secret@localhost", BrokerUrlError::Scheme),
        ("redis://:secret@", BrokerUrlError::Host),
        ("redis://:sec/ret@localhost", BrokerUrlError::Slash),
        ("redis://:secret@localhost/db", BrokerUrlError::Database),
        ("redis://:sec%ret@localhost", BrokerUrlError::Encoding),
        ("sqlite:///", BrokerUrlError::Path),
        ("sqlite://", BrokerUrlError::Path),
        ("sqlite:", BrokerUrlError::Path),
        ("sqlite::memory:", BrokerUrlError::Memory),
        ("sqlite://:memory:", BrokerUrlError::Memory),
        ("sqlite:file::memory:?cache=shared", BrokerUrlError::Memory),
        ("sqlite:///secret?mode=memory", BrokerUrlError::Memory),
    ];
    for (text, expected) in mistakes {
        let error = text.parse::<BrokerUrl>().expect_err("a mistake");
        assert_eq!(error, expected, "{text}");
        assert!(!error.to_string().contains("sec"), "{error}");
    }
}

#[test]
fn what_cant_be_meant_is_refused_and_told_without_quoting_it() {
    let mistakes = [
        // Lists, and what was pasted twice.
        ("amqp://a/v;amqp://zyx/v", BrokerUrlError::Several),
        ("amqp://a;amqp://zyx", BrokerUrlError::Several),
        ("redis://:zyx@a,redis://:zyx@b", BrokerUrlError::Several),
        ("redis://:zyx@a redis://:zyx@b", BrokerUrlError::Several),
        ("amqp://u:zyx@a|amqp://u:zyx@b", BrokerUrlError::Several),
        ("redis://:zyx@a,:zyx@b", BrokerUrlError::Several),
        ("redis://:zyx@a:6379;:zyx@b:6379/0", BrokerUrlError::Several),
        ("amqp://a,zyx", BrokerUrlError::Several),
        ("amqp://a;zyx/v", BrokerUrlError::Several),
        ("postgres://u:zyx@a:5432,b:5432/db", BrokerUrlError::Several),
        ("sqlite:///zyx;sqlite:///zyx", BrokerUrlError::Several),
        ("redis://:zyx@a/0redis://:zyx@a/0", BrokerUrlError::Twice),
        ("redis://:zyx@aredis://:zyx@a", BrokerUrlError::Twice),
        ("amqp://redis://:zyx@a", BrokerUrlError::Twice),
        ("sqlite:///zyx/db.sqlite3sqlite:///zyx/db.sqlite3", BrokerUrlError::Twice),
        ("amqp://h/amqp%3A%2F%2Fu%3Azyx%40h", BrokerUrlError::Twice),
        ("amqp://amqp%3A%2F%2Fu%3Azyx@h", BrokerUrlError::Twice),
        // A slash in user or password.
        ("amqp://shop:12/34zyx@rabbit/live", BrokerUrlError::Slash),
        ("amqp://shop/34zyx@rabbit/live", BrokerUrlError::Slash),
        ("amqp://zyx/cret+3w==@rabbit", BrokerUrlError::Slash),
        ("redis://zyx/cret+3w==@cache/0", BrokerUrlError::Slash),
        ("postgres://shop:12/zyx@db/shop", BrokerUrlError::Slash),
        ("amqp://shop:zyx@rabbit/live@eu", BrokerUrlError::Slash),
        ("sqlite:///shop:zyx@host/db", BrokerUrlError::FileAccount),
        ("sqlite:shop:zyx@host/db", BrokerUrlError::FileAccount),
        ("sqlite:shop:12/zyx@host/db", BrokerUrlError::FileAccount),
        // Addresses.
        ("redis://[::1]7000/0", BrokerUrlError::Address),
        ("amqp://u:zyx@[::1]x/v", BrokerUrlError::Address),
        ("redis://[::1", BrokerUrlError::Address),
        ("redis://[zyx]", BrokerUrlError::Address),
        ("redis://[]", BrokerUrlError::Address),
        ("redis://::1:6379/0", BrokerUrlError::Address),
        ("redis://fe80::1/0", BrokerUrlError::Address),
        ("redis://::1", BrokerUrlError::Address),
        // Hosts.
        ("redis://ca che/0", BrokerUrlError::HostCharacter),
        ("redis://:zyx@ cache", BrokerUrlError::HostCharacter),
        ("redis://ca\u{a0}che", BrokerUrlError::HostCharacter),
        ("redis://ca\\che", BrokerUrlError::HostCharacter),
        ("amqp://b\u{fc}cher.example", BrokerUrlError::HostCharacter),
        ("amqp://ra!bbit", BrokerUrlError::HostCharacter),
        ("redis://ca\nche", BrokerUrlError::Control),
        ("redis://:se\tc@cache", BrokerUrlError::Control),
        ("redis://:se\r\nc@cache", BrokerUrlError::Control),
        ("re\ndis://cache", BrokerUrlError::Control),
        ("amqp://h/a%0Azyx", BrokerUrlError::Control),
        ("sqlite:///a%00zyx", BrokerUrlError::Control),
        // Templates.
        ("${ZYX_URL}", BrokerUrlError::Template),
        ("{{ zyx.url }}", BrokerUrlError::Template),
        ("%ZYX_URL%", BrokerUrlError::Template),
        ("${ZYX}://cache", BrokerUrlError::Template),
        ("redis://$HOST/0", BrokerUrlError::Template),
        ("redis://:zyx@${HOST}:6379/0", BrokerUrlError::Template),
        ("redis://{host}/0", BrokerUrlError::Template),
        ("redis://<host>/0", BrokerUrlError::Template),
        ("redis://%HOST%/0", BrokerUrlError::Template),
        ("redis://cache%2Einternal/0", BrokerUrlError::Template),
        ("redis://cache:${PORT}/0", BrokerUrlError::Template),
        ("redis://cache/${ZYX}", BrokerUrlError::Template),
        ("redis://cache/$ZYX", BrokerUrlError::Template),
        ("amqp://u:${ZYX}@rabbit/v", BrokerUrlError::Template),
        ("amqp://<user>:zyx@rabbit/v", BrokerUrlError::Template),
        ("amqp://u:zyx@rabbit/{{ vhost }}", BrokerUrlError::Template),
        ("postgres://u:%(zyx)s@db/shop", BrokerUrlError::Template),
        ("sqlite:///srv/${ZYX}/db.sqlite3", BrokerUrlError::Template),
        // Quotes of an env file.
        ("\"redis://:zyx@cache/0\"", BrokerUrlError::Quotes),
        ("'redis://:zyx@cache/0'", BrokerUrlError::Quotes),
        ("\"redis://:zyx@cache/0", BrokerUrlError::Quotes),
        ("redis://:zyx@cache/0\"", BrokerUrlError::Quotes),
        ("\u{201c}redis://:zyx@cache/0\u{201d}", BrokerUrlError::Quotes),
        // What may be a password.
        ("redis://zyx@cache", BrokerUrlError::Account),
        ("rediss://zyx@cache/0", BrokerUrlError::Account),
        ("redis://se@c@cache/0", BrokerUrlError::Account),
        // Bytes.
        ("redis://:%FFzyx@cache", BrokerUrlError::NotUtf8),
        ("amqp://h/%C3%28zyx", BrokerUrlError::NotUtf8),
        ("amqp://%ff:zyx@h", BrokerUrlError::NotUtf8),
        // Ports.
        ("redis://cache:zyx/0", BrokerUrlError::Port),
        ("redis://cache:0/0", BrokerUrlError::Port),
        ("redis://cache:65536/0", BrokerUrlError::Port),
        ("redis://user:zyx", BrokerUrlError::Port),
        ("redis://:zyx", BrokerUrlError::Host),
        ("redis:///0", BrokerUrlError::Host),
        ("redis://:zyx?ret@cache", BrokerUrlError::Query),
        ("redis://:zyx#ret@cache", BrokerUrlError::Query),
    ];
    for (text, expected) in mistakes {
        let error = text.parse::<BrokerUrl>().expect_err(text);
        assert_eq!(error, expected, "{text}");
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("zyx"), "{error}");
        }
    }
}

#[test]
fn what_is_unusual_and_can_be_meant_is_taken() {
    assert_eq!(url(" redis://cache/0\n").to_string(), "redis://cache:6379/0");
    assert_eq!(url("redis://:my pass@cache").password.as_deref(), Some("my pass"));
    assert_eq!(url("redis://:a,b;c$d{e}<f>@cache").password.as_deref(), Some("a,b;c$d{e}<f>"));
    assert_eq!(url("redis://:a:b@cache").password.as_deref(), Some("a:b"));
    assert_eq!(url("redis://nop:@cache").user.as_deref(), Some("nop"));
    assert_eq!(url("redis://@cache").to_string(), "redis://cache:6379/0");
    assert_eq!(url("redis://my_cache-1.internal.:6380").to_string(), "redis://my_cache-1.internal.:6380/0");
    assert_eq!(url("redis://Cache:").to_string(), "redis://Cache:6379/0");
    assert_eq!(url("amqp://u:p@[2001:DB8::1]/v").place(), "[2001:db8::1]:5672");
    assert_eq!(url("amqp://h/a/../b").path, "a/../b");
    assert_eq!(url("amqp://h/%2e%2e").path, "..");
    assert_eq!(url("sqlite:///srv/me@home/../my shop").path, "/srv/me@home/../my shop");
    assert_eq!(url("amqp://u:%f0%9f%90%87@h").password.as_deref(), Some("\u{1f407}"));
    assert_eq!(url("amqp://u:\u{1f407}@h").password.as_deref(), Some("\u{1f407}"));
}

#[test]
fn a_transport_that_is_off_is_named() {
    for url in [
        "redis://localhost",
        "rediss://localhost",
        "amqp://localhost",
        "amqps://localhost",
        "sqlite:///db",
        "postgres://localhost",
        "postgres://localhost?sslmode=verify-full",
    ] {
        if let Some(feature) = self::url(url).scheme.missing_feature() {
            let error = self::url(url).usable().expect_err("it is off");
            assert!(error.to_string().contains(&format!("`{feature}`")), "{error}");
        }
    }
}
