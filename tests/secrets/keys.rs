//! The keys that sign messages for Huey and Django-Q: in code and in settings, over a broker that works and ones that
//! don't.

use std::fmt::Debug;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use airlock::{DjangoQExecutor, Executor, FlushError, HueyExecutor, Options, SecretKey, Settings};
use airlock_tests::servers::RedisServer;

use super::{LOG, chain};

/// One for each way by which a key comes in.
const KEYS: [&str; 3] = ["canary-key-1618", "canary-in-a-table-5772", "canary-in-a-variable-4669"];

#[airlock::task(name = "secrets.keys.sign")]
fn sign(number: u64);

/// All that is said on the way.
#[derive(Default)]
struct Told(String);

impl Told {
    fn debug(&mut self, what: &dyn Debug) {
        self.0 += &format!("{what:?} {what:#?}\n");
    }

    fn error(&mut self, error: &(dyn std::error::Error + 'static)) {
        self.0 += &chain(error);
    }

    fn flush(&mut self, executor: Arc<dyn Executor>, options: Options) {
        let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(2));
        self.debug(&scope);
        let flush = scope.run_reported(|| sign::enqueue_with(options, 1).map(drop)).flush;
        let report = flush.as_ref().unwrap_or_else(FlushError::report);
        self.debug(report);
        self.0 += &report.to_string();
        if let Err(error) = &flush {
            self.debug(&error.failed());
            self.error(error);
            error.failed().iter().chain(error.unconfirmed()).for_each(|failure| self.error(&failure.error));
        }
    }
}

fn huey(url: &str) -> HueyExecutor {
    HueyExecutor::new(url).unwrap().salt("pepper").signed(SecretKey::new(KEYS[0]).unwrap())
}

fn django_q(url: &str) -> DjangoQExecutor {
    DjangoQExecutor::new(url, SecretKey::new(KEYS[0]).unwrap()).unwrap().cluster("secrets")
}

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Settings, airlock::SettingsError> {
    Settings::loader().text("airlock.toml", text).variables(variables.iter().copied()).load()
}

fn tables(url: &str) -> [String; 2] {
    [
        format!("executor = \"huey\"\n[huey]\nurl = \"{url}\"\nsigned = \"{}\"\n", KEYS[1]),
        format!("executor = \"django_q\"\n[django_q]\nurl = \"{url}\"\nsecret_key = \"{}\"\n", KEYS[1]),
    ]
}

#[test]
fn promise_18_keys_that_sign_are_in_nothing_that_is_said_or_sent() {
    LazyLock::force(&LOG);
    let mut told = Told::default();
    let mut down = RedisServer::start();
    down.kill();
    let server = RedisServer::start();
    let locked = RedisServer::start_with(&["--requirepass", "right"]);
    for url in [server.url(), down.url(), locked.url()] {
        let executors: [Arc<dyn Executor>; 2] = [Arc::new(huey(&url)), Arc::new(django_q(&url))];
        for executor in executors {
            told.flush(Arc::clone(&executor), Options::new());
            told.flush(executor, Options::new().header("refused", "here"));
        }
        for table in tables(&url) {
            let settings = load(&table, &[]).unwrap();
            told.debug(&settings);
            told.0 += &settings.to_string();
            let configured = airlock::testing::with_settings(settings, || {
                let flush = airlock::scope().run_reported(|| sign::enqueue(1).map(drop)).flush;
                (format!("{flush:?}"), airlock::configuration().to_string())
            });
            told.debug(&configured);
        }
    }
    // They were sent, and the message is all there is.
    for list in ["huey.redis.huey", "django_q:secrets:q", "django_q:default:q"] {
        let redis::Value::Array(messages) = server.command(&["LRANGE", list, "0", "-1"]) else { panic!("{list}") };
        assert!(!messages.is_empty(), "{list}");
        messages.iter().for_each(|message| match message {
            redis::Value::BulkString(message) => told.0 += &String::from_utf8_lossy(message),
            other => panic!("{other:?}"),
        });
    }

    let (huey, django_q) = (huey("redis://localhost"), django_q("redis://localhost"));
    told.debug(&(&huey, &django_q, huey.fingerprint(), django_q.fingerprint()));
    told.debug(&huey.message(&sign::intent(1), SystemTime::now()).unwrap());
    told.debug(&django_q.message(&sign::intent(1), SystemTime::now()).unwrap());
    told.debug(&HueyExecutor::new(KEYS[0]).unwrap_err());
    told.error(&HueyExecutor::new(format!("redis://:{}@", KEYS[0])).unwrap_err());
    told.error(&SecretKey::from_file(KEYS[0]).unwrap_err());
    let key = SecretKey::new(KEYS[0]).unwrap();
    told.0 += &format!("{key} {key:?} {key:#?}");
    mistakes(&mut told);

    let told = told.0 + &LOG();
    assert!(told.contains("secrets.keys.sign") && told.contains("SecretKey(***)"), "{told}");
    for key in KEYS {
        let line = told.lines().find(|line| line.contains(key));
        assert_eq!(line, None, "{key} is shown");
    }
}

/// What is said of settings in which there is more than one thing wrong, or a key where none belongs.
fn mistakes(told: &mut Told) {
    let [huey, django_q] = tables("redis://localhost");
    let from_variables: [(&str, &str); 2] =
        [("AIRLOCK_HUEY__SIGNED", KEYS[2]), ("AIRLOCK_DJANGO_Q__SECRET_KEY", KEYS[2])];
    for text in [&huey, &django_q] {
        told.0 += &load(text, &from_variables).unwrap().to_string();
        for wrong in [
            text.clone() + "no_such_key = 1\n",
            text.replace("redis:", "amqp:"),
            text.replace("localhost", KEYS[1]).replace("redis:", "gopher:"),
            // No text, no TOML, and a key that is not the one.
            text.replace(&format!("\"{}\"", KEYS[1]), &format!("[\"{}\"]", KEYS[1])),
            text.replace(&format!("\"{}\"", KEYS[1]), KEYS[1]),
            text.replace("signed", "sined").replace("secret_key", "secretkey"),
            text.replace("executor = ", &format!("policy = \"{}\"\nexecutor = ", KEYS[1])) + "no_such_key = 1\n",
            // Not chosen.
            text.replace("executor = ", "on_failure = ") + "no_such_key = 1\n",
        ] {
            let error = load(&wrong, &[]).unwrap_err();
            told.debug(&error);
            told.error(&error);
        }
    }
    // The key itself, where the path of its file belongs.
    for name in ["AIRLOCK_HUEY__SIGNED_FILE", "AIRLOCK_DJANGO_Q__SECRET_KEY_FILE"] {
        for text in [&huey, &django_q] {
            let error = load(&(text.clone() + "no_such_key = 1\n"), &[(name, KEYS[2])]).unwrap_err();
            told.debug(&error);
            told.error(&error);
        }
    }
}
