//! URLs with a password anywhere, in every shape in which people paste them, through everything that prints what it was
//! given.

use std::sync::Arc;

use airlock::{
    BrokerUrl, CeleryExecutor, DispatchError, DjangoQExecutor, DjangoTasksExecutor, DramatiqExecutor, Executor,
    Fallback, HueyExecutor, Rejection, SecretKey, Settings, ThreadPoolExecutor, TokioExecutor, Violation,
};
use proptest::prelude::*;

use super::chain;

airlock::register_executor!("secret_urls", |settings| {
    let (url, text) = (settings.optional::<airlock::Secret>("url")?, settings.optional::<String>("text")?);
    if settings.optional::<bool>("refuses")? == Some(true) {
        return Err(settings.refuse("text", format!("{url:?} {text:?}")).into());
    }
    let told = format!(
        "no answer from {} or {}",
        url.map_or_else(String::new, |url| url.expose().to_owned()),
        text.unwrap_or_default()
    );
    if settings.optional::<bool>("fails")? == Some(true) {
        return Err(told.into());
    }
    Ok(airlock::executor_fn(move |_: airlock::Intent| Err::<(), _>(DispatchError::rejected(told.clone()))))
});

/// What shows that it is shown, be it a part.
const MARKS: [&str; 2] = ["zqx", "7qz"];

/// With the signs of which people know that a password should have them.
fn secret() -> impl Strategy<Value = String> {
    "[A-Za-z0-9/@:%+=,;!$#?_~^.-]{0,6}"
        .prop_map(|inner| format!("{}{inner}{}", MARKS[0], MARKS[1]))
        .prop_filter("that is the scheme of another URL", |secret| !secret.contains("://"))
}

/// A URL with the secret where it may be a password, and whether it may as well be the name of a user.
fn url(secret: &str) -> impl Strategy<Value = (String, bool)> + use<> {
    let schemes = ["redis", "rediss", "amqp", "amqps", "pyamqp", "postgres", "postgresql", "https", "mysql+ssl"];
    let plain: String = secret.chars().filter(char::is_ascii_alphanumeric).collect();
    let secret = secret.to_owned();
    (prop::sample::select(schemes.to_vec()), 0..22).prop_map(move |(scheme, form)| {
        let url = match form {
            0 => format!("{scheme}://:{secret}@cache"),
            1 => format!("{scheme}://me:{secret}@cache:6379/0"),
            2 => format!("{scheme}://{secret}@cache/0"),
            3 => format!("{scheme}://me:{secret}@[::1]:6379/0"),
            4 => format!("{scheme}://{secret}:x@cache"),
            5 => format!("{scheme}://cache/db?password={plain}"),
            6 => format!("{scheme}://cache/db?user=a&sslpassword={plain}&x=1"),
            7 => format!("me:{secret}@cache:6379"),
            8 => format!(":{secret}@cache:6379"),
            // As the clients of each broker have them.
            9 => format!("unix://me:{secret}@/run/redis.sock?db=1"),
            10 => format!("redis+socket:///run/redis.sock?username=me&password={plain}"),
            11 => format!("redis+unix:///run/redis.sock?user=me&pass={plain}"),
            12 => format!("redis://cache/1?password={plain}"),
            13 => format!("rediss://:{secret}@cache?ssl_cert_reqs=none#insecure"),
            14 => format!("postgres:///shop?host=/run/postgresql&user=me&password={plain}"),
            15 => format!("postgresql://me:{secret}@%2Frun%2Fpostgresql:5433/shop"),
            16 => format!("postgresql+psycopg2://me:{secret}@/shop?sslmode=require"),
            17 => format!("amqp://me:{secret}@cache/shop?heartbeat=30"),
            18 => format!("sqlite:me:{secret}@cache/shop.db"),
            19 => format!("sentinel://:{secret}@a:26379;sentinel://:{secret}@b:26379/0"),
            20 => format!("redis+cluster://me:{secret}@cache:6379"),
            _ => format!("valkey://me:{secret}@cache/1"),
        };
        (url, form == 4 || form == 2 && (!scheme.starts_with("redis") || secret.contains(':')))
    })
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// As it is pasted.
fn pasted(url: &str, shape: u8) -> String {
    let after = url.find(MARKS[1]).map_or(url.len(), |at| at + MARKS[1].len());
    match shape {
        0 => url.to_owned(),
        1 => format!("\"{url}\""),
        2 => format!("'{url}'"),
        3 => format!("{url}{url}"),
        4 => format!("{url},{url}"),
        5 => format!("{url};{url};"),
        6 => format!("{url} {url}"),
        7 => escaped(url),
        8 => escaped(&escaped(url)),
        // Cut off behind the password; `me:word` alone is nothing, and what follows an `@` is a host.
        9 | 10 if (url.contains("://:") || url.contains("://me:")) && !url[..after].contains('@') => {
            url[..after].repeat(if shape == 9 { 1 } else { 2 })
        }
        11 => format!("BROKER_URL={url}"),
        12 => format!("[{{\"url\":\"{url}\"}}]"),
        13 => format!("{url}/1\n{url}/2"),
        _ => format!("<{url}>"),
    }
}

fn cases() -> impl Strategy<Value = (String, bool)> {
    secret()
        .prop_flat_map(|secret| (url(&secret), 0..15_u8))
        .prop_map(|((url, is_user), shape)| (pasted(&url, shape), is_user))
}

#[track_caller]
fn assert_hidden(text: &str, told: &str) {
    let line = told.lines().find(|line| MARKS.iter().any(|mark| line.contains(mark)));
    assert_eq!(line, None, "of {text}");
}

/// Every executor that has a URL, as it is printed.
fn executors(url: &str) -> [Result<String, airlock::BrokerUrlError>; 5] {
    let key = || SecretKey::new("of the tests").unwrap();
    [
        CeleryExecutor::new(url).map(|executor| format!("{executor:?} {executor:#?} {}", executor.name())),
        DramatiqExecutor::new(url).map(|executor| format!("{executor:?} {executor:#?} {}", executor.name())),
        HueyExecutor::new(url).map(|executor| format!("{executor:?} {executor:#?} {}", executor.name())),
        DjangoQExecutor::new(url, key()).map(|executor| format!("{executor:?} {executor:#?} {}", executor.name())),
        DjangoTasksExecutor::new(url).map(|executor| format!("{executor:?} {executor:#?} {}", executor.name())),
    ]
}

/// What errors of others say.
fn sentences(text: &str) -> [String; 3] {
    [text.to_owned(), format!("can't reach {text} now"), format!("at `{text}`: refused")]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_18_no_error_shows_a_password_of_a_url_in_whatever_shape_it_was_pasted((text, is_user) in cases()) {
        for sentence in sentences(&text) {
            let mut told = chain(&DispatchError::rejected(sentence.clone()));
            told += &chain(&DispatchError::unavailable(std::io::Error::other(sentence.clone())));
            told += &chain(&Rejection::new(sentence.clone()));
            told += &chain(&Violation::new(sentence));
            assert_hidden(&text, &told);
        }
        let url = text.parse::<BrokerUrl>();
        match &url {
            // A user is shown.
            Ok(_) if is_user => {}
            Ok(url) => assert_hidden(&text, &format!("{url} {url:?}")),
            Err(error) => assert_hidden(&text, &chain(error)),
        }
        for told in executors(&text) {
            match told {
                Ok(_) if is_user => {}
                Ok(told) => assert_hidden(&text, &told),
                Err(error) => assert_hidden(&text, &chain(&error)),
            }
        }
    }
}

/// What is taken and may be one all the same: a text in a parameter, and what stands in its file's name.
#[test]
fn promise_18_no_parameter_of_a_url_that_is_taken_shows_what_is_in_it() {
    for url in [
        "postgres://me:zqx@h/db?options=-c%20app.key%3Dzqx&options[app.key]=zqx&application_name=zqx",
        "postgres://h/db?sslmode=require&sslrootcert=/zqx&sslcert=/zqx&sslkey=/zqx&password=zqx",
        "postgres://:zqx@h/db?user=me&password=7qz",
        "rediss://:zqx@h/1?ssl_ca_certs=/zqx&ssl_certfile=/zqx&ssl_keyfile=/zqx",
        "redis+socket://:zqx@/run/redis.sock?password=7qz&db=1",
        "amqps://me:zqx@h/v?cacertfile=/zqx&certfile=/zqx&keyfile=/zqx&heartbeat=3",
    ] {
        let parsed = url.parse::<BrokerUrl>().unwrap();
        assert_hidden(url, &format!("{parsed} {parsed:?}"));
        executors(url).into_iter().for_each(|told| assert_hidden(url, &told.unwrap_or_else(|error| chain(&error))));
        let file = format!("executor = \"celery\"\n[celery]\nurl = {url:?}\nx = 1\n");
        assert_hidden(url, &load(&file, &[]));
        let file = format!("executor = \"secret_urls\"\n[secret_urls]\nurl = {url:?}\n");
        let settings = Settings::loader().text("airlock.toml", file).without_variables().load().unwrap();
        assert_hidden(url, &format!("{settings} {settings:?}"));
    }
}

#[test]
fn promise_18_no_part_of_a_url_is_taken_for_a_name_in_a_list() {
    for url in ["redis://:zqx,7qz", "sentinel://:zqx/,d7qz,redis://:zqx", "unix://me:zqx,7qz", "me:zqx,7qz,a@cache"] {
        for name in ["AIRLOCK_POLICY", "AIRLOCK_BLOCK_TASKS__TASKS", "AIRLOCK_EXECUTOR", "AIRLOCK_LIFECYCLE"] {
            assert_hidden(url, &load("policy = \"block_tasks\"\n", &[(name, url)]));
        }
    }
}

fn load(text: &str, variables: &[(&str, &str)]) -> String {
    match Settings::loader().text("airlock.toml", text).variables(variables.iter().copied()).load() {
        Ok(settings) => {
            let told = format!("{settings} {settings:?}");
            let flush = airlock::testing::with_settings(settings, || {
                airlock::scope().run_reported(|| drop(super::send::enqueue(String::new(), String::new()))).flush
            });
            match flush {
                Ok(report) => format!("{told} {report} {report:?}"),
                Err(error) => format!("{told} {} {:?} {}", error.report(), error.failed(), chain(&error)),
            }
        }
        Err(error) => chain(&error),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_18_no_settings_show_a_password_of_a_url_wherever_it_was_written((text, _) in cases()) {
        let quoted = format!("{text:?}");
        let table = "executor = \"secret_urls\"\n[secret_urls]\n";
        for file in [
            format!("{table}url = {quoted}\n"),
            format!("{table}text = {quoted}\n"),
            format!("{table}url = {quoted}\ntext = {quoted}\nfails = true\n"),
            format!("{table}text = {quoted}\nfails = true\n"),
            format!("{table}url = {quoted}\ntext = {quoted}\nrefuses = true\n"),
            format!("{table}url = {quoted}\nno_such_key = {quoted}\n"),
            format!("{table}{quoted} = 1\n"),
            format!("{table}fails = {quoted}\n"),
            format!("{quoted} = 1\n"),
            format!("[{quoted}]\n"),
            format!("executor = {quoted}\n"),
            format!("executor = {text}\n"),
            format!("policy = {quoted}\n"),
            format!("policy = [\"drop_all\", {quoted}]\n"),
            format!("lifecycle = {quoted}\n"),
            format!("on_failure = {quoted}\n"),
            format!("deadline = {quoted}\n"),
            format!("timings = {quoted}\n"),
            format!("policy = \"block_tasks\"\n[block_tasks]\ntasks = [{quoted}]\n"),
            format!("executor = \"threads\"\n[threads]\nname = {quoted}\n"),
            format!("executor = \"celery\"\n[celery]\nurl = {quoted}\nmax_priority = \"high\"\n"),
            format!("executor = \"celery\"\n[celery]\nurl = \"redis://h\"\ndefault_queue = {quoted}\nx = 1\n"),
            format!("executor = \"celery\"\n[celery]\nurl = \"redis://h\"\nnamed = {quoted}\nx = 1\n"),
        ] {
            assert_hidden(&text, &load(&file, &[]));
        }
        for name in [
            "AIRLOCK_EXECUTOR",
            "AIRLOCK_POLICY",
            "AIRLOCK_CONFIG",
            "AIRLOCK_DEADLINE",
            "AIRLOCK_NO_SUCH_KEY",
            "AIRLOCK_SECRET_URLS__URL",
            "AIRLOCK_SECRET_URLS__URL_FILE",
            "AIRLOCK_SECRET_URLS__TEXT",
            "AIRLOCK_SECRET_URLS__FAILS",
            "AIRLOCK_CELERY__DEFAULT_QUEUE",
        ] {
            assert_hidden(&text, &load(table, &[(name, &text)]));
            let no_file = Settings::loader().folder("nowhere").variables([(name, &*text)]).load();
            assert_hidden(&text, &no_file.map_or_else(|error| chain(&error), |settings| settings.to_string()));
        }
        let no_file = Settings::loader().file(&text).without_variables();
        assert_hidden(&text, &format!("{no_file:?}"));
        assert_hidden(&text, &chain(&no_file.load().unwrap_err()));
    }

    #[test]
    fn promise_18_no_name_of_an_executor_shows_a_password_of_a_url((text, _) in cases()) {
        let executors: [Arc<dyn Executor>; 4] = [
            Arc::new(ThreadPoolExecutor::new().named(&text)),
            Arc::new(TokioExecutor::new().named(&text)),
            Arc::new(Fallback::new(ThreadPoolExecutor::new().named(&text), airlock::InlineExecutor::new())),
            Arc::new(Named(text.clone())),
        ];
        for executor in executors {
            let scope = airlock::scope().executor(Arc::clone(&executor)).policy(Named(text.clone()));
            let told = format!("{scope:?} {:?} {}", Settings::new().executor(executor), Settings::new().policy(Named(text.clone())));
            let flush = scope.run_reported(|| drop(super::send::enqueue(String::new(), String::new()))).flush;
            let mut refused = String::new();
            let refusing = airlock::scope().policy(Refusing(text.clone()));
            let refuse = || refused = chain(&super::send::enqueue(String::new(), String::new()).unwrap_err());
            assert!(refusing.run_reported(refuse).flush.is_ok());
            assert_hidden(&text, &format!("{told} {flush:?} {refused}"));
        }
        let celery = CeleryExecutor::new("redis://localhost").unwrap().named(&text).default_queue(&text);
        let message = celery.message(&super::send::intent(String::new(), String::new()), std::time::SystemTime::now());
        assert_hidden(&text, &format!("{celery:?} {message:?}"));
    }
}

/// An executor and a policy that are called by what should not be a name.
struct Named(String);

impl Executor for Named {
    fn name(&self) -> &str {
        &self.0
    }

    fn dispatch<'a>(&'a self, batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
        Box::pin(async { drop(batch) })
    }
}

impl airlock::Policy for Named {
    fn name(&self) -> &str {
        &self.0
    }

    fn allows(&self, _: &airlock::Intent) -> bool {
        false
    }
}

/// A policy that refuses at the call.
struct Refusing(String);

impl airlock::Policy for Refusing {
    fn name(&self) -> &str {
        &self.0
    }

    fn on_enqueue(&self, _: &airlock::Intent) -> Result<(), Violation> {
        Err(Violation::new(format!("{} says no", self.0)))
    }
}
