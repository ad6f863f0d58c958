use super::*;

#[test]
fn urls_are_printed_without_user_and_password() {
    let cases = [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:hunter2@localhost/0", "redis://***@localhost/0"),
        ("amqp://guest:hunter2@mq:5672/%2f", "amqp://***@mq:5672/%2f"),
        ("amqp://guest:hun/ter@2@mq", "amqp://***@mq"),
        ("https://ghp_token@github.com/x", "https://***@github.com/x"),
        ("redis://:hunter2@a;redis://:hunter2@b", "redis://***@b"),
        ("postgres://h/db?user=x&password=hunter2&sslmode=on", "postgres://h/db?user=x&password=***&sslmode=on"),
        ("host=h password=hunter2 dbname=d", "host=h password=*** dbname=d"),
        ("https://h/?api_key=hunter2", "https://h/?api_key=***"),
        ("user:hunter2@host", "***@host"),
        ("ada@example.org", "ada@example.org"),
        ("plain", "plain"),
    ];
    for (url, shown) in cases {
        assert_eq!(redact_url(url), shown, "{url}");
    }
}

#[test]
fn urls_in_a_sentence_are_printed_without_user_and_password_and_the_sentence_stays() {
    let cases = [
        ("can't connect to redis://me:hunter2@h", "can't connect to redis://***@h"),
        ("redis://me:hunter2@h/0: refused; ask ops@h.org", "redis://***@h/0: refused; ask ops@h.org"),
        ("a redis://:hunter2@a and b redis://:hunter2@b fail", "a redis://***@a and b redis://***@b fail"),
        ("redis://:hunter2@a,redis://:hunter2@b", "redis://***@a,redis://***@b"),
        ("redis://:hunter2@a;redis://:hunter2@b;", "redis://***@a;redis://***@b;"),
        ("<amqp://guest:hun/ter@2@mq> is down", "<amqp://***@mq> is down"),
        ("tried 'redis://me:hun ter2@h/0' twice", "tried 'redis://***@h/0' twice"),
        ("redis://localhost:6379: no answer; ask ops@h.org", "redis://localhost:6379: no answer; ask ops@h.org"),
        ("redis://[::1]:6379 is down; ask ops@h.org", "redis://[::1]:6379 is down; ask ops@h.org"),
        ("at \"me:hunter2@h\" nobody answers", "at \"***@h\" nobody answers"),
        ("no answer (host=h password=hunter2 dbname=d)", "no answer (host=h password=*** dbname=d)"),
        ("write to ada@example.org or bob@example.org", "write to ada@example.org or bob@example.org"),
        ("the token is gone", "the token is gone"),
        ("é redis://ü:hunter2@é\u{2003}é:hunter2@ü @", "é redis://***@é\u{2003}***@ü @"),
        ("@", "@"),
        ("://@", "://***@"),
        ("", ""),
    ];
    for (text, shown) in cases {
        assert_eq!(redact_text(text), shown, "{text}");
    }
}

#[test]
fn urls_that_are_cut_off_doubled_escaped_or_parameters_of_others_are_printed_without_user_and_password() {
    let cases = [
        ("redis://:hunter2", "redis://***"),
        ("redis://me:hunter2 is down", "redis://*** is down"),
        ("\"redis://me:4hunter\"", "\"redis://***\""),
        ("(amqp://me:hun/ter2)", "(amqp://***)"),
        ("redis://:hunter2@aredis://:hunter2@a", "redis://***@aredis://***@a"),
        ("redis://:hunter2redis://:hunter2", "redis://***://***"),
        ("redis%3A%2F%2Fme%3Ahunter2%40h is down", "*** is down"),
        ("http://h/?to=redis%253a%252f%252fhunter2", "http://h/?to=redis%253a%252f%252f***"),
        ("redis://me%3Ahunter2%40h/0", "redis://***"),
        ("me%3Ahunter2%40h", "***%40h"),
        (":hunter2@cache:6379", "***@cache:6379"),
        ("{\"url\":\"redis://me:hunter2@h\"}", "{\"url\":\"redis://***@h\"}"),
        ("postgres://h/db?user=a&password=b@c&x=1", "postgres://***&x=1"),
        ("postgres://h/db?user=a&password=b;c?d", "postgres://h/db?user=a&password=***"),
        ("postgres://h/db?user=a&pass%77ord=hunter2", "postgres://h/db?user=a&pass%77ord=***"),
        ("db%3Fpassword%3Dhunter2", "db%3Fpassword%3D***"),
        ("password = 'hun ter2' host=h", "password = *** host=h"),
        ("{\"password\": \"hun ter2\", \"a\": 1}", "{\"password\": ***, \"a\": 1}"),
        ("{\\\"password\\\": \\\"hunter2\\\"}", "{\\\"password\\\": ***}"),
        ("the password: it is wrong", "the password: it is wrong"),
        ("see http://h:80, http://[::1]:80 and http://h.", "see http://h:80, http://[::1]:80 and http://h."),
        ("100% of a::b = c", "100% of a::b = c"),
        ("%25%", "%25%"),
    ];
    for (text, shown) in cases {
        assert_eq!(redact_text(text), shown, "{text}");
    }
}

#[test]
fn a_secret_shows_where_a_broker_is_and_of_other_urls_the_host() {
    let cases = [
        ("redis://:hunter2@h:6379/2", "redis://***@h:6379/2"),
        ("amqps://u:hunter2@h/live?x=hunter2", "amqps://***@h/live?***"),
        ("https://hooks.example.org/T0/hunter2", "https://hooks.example.org/***"),
        ("https://h/?hunter2", "https://h/?***"),
        ("https://h#hunter2", "https://h?***"),
        ("https://h/", "https://h/"),
        ("\"redis://:hunter2@h\"", "***"),
        ("redis://:hunter2@a,redis://:hunter2@b", "***"),
        ("redis://:hunter2 @h", "***"),
        ("redis://:hunter2", "redis://***"),
        ("://hunter2", "***"),
        (":hunter2@h:6379", "***"),
        ("hunter2", "***"),
    ];
    for (text, shown) in cases {
        assert_eq!(redact_secret(text), shown, "{text}");
    }
}

#[test]
fn the_secret_parts_of_a_url_are_user_and_password_as_written_and_as_read() {
    assert_eq!(secret_parts("redis://me:hun%2Fter@h/0"), ["me:hun%2Fter", "hun%2Fter", "me:hun/ter", "hun/ter"]);
    assert_eq!(secret_parts("https://ghp_1@h/?api_key=k%zz"), ["ghp_1", "k%zz"]);
    assert!(["redis://h/0", "ada@example.org", "plain", "x://", "a@b://c"].iter().all(|t| secret_parts(t).is_empty()));
}

#[test]
fn names_that_promise_a_secret_are_known() {
    assert!(["password", "DB_PASSWD", "api_key", "auth", "access_token"].iter().all(|name| is_secret_name(name)));
    assert!(!["author", "keyspace", "monkey", "path"].iter().any(|name| is_secret_name(name)));
}
