//! What goes along with a row: its options as it was enqueued with them, and no delay.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use airlock::{DispatchError, Executor, Intent, Options, OutboxState, When};

use super::relay;
use crate::home::{Home, on_both};

#[airlock::task(name = "relay.dear", aliases = ["relay.dear_old"], queue = "letters", priority = 5, max_retries = 4, delay = "1ms", expires = "1h", timeout = "90s")]
fn dear(number: u64);

#[airlock::task(name = "relay.bare")]
fn bare(number: u64);

#[airlock::task(name = "relay.urgent", priority = 8)]
fn urgent(number: u64);

/// Says what it is handed.
fn keeping(kept: &Arc<Mutex<Vec<Intent>>>) -> impl Executor + use<> {
    let kept = Arc::clone(kept);
    airlock::executor_fn(move |intent: Intent| {
        kept.lock().expect("no panic").push(intent);
        Ok::<_, DispatchError>(())
    })
}

/// What is handed on of what is enqueued, in the order of that.
async fn handed_on(home: &Home) -> Vec<Intent> {
    let kept = Arc::default();
    home.drain(home.worker().queues(["default", "letters"]).through(keeping(&kept))).await;
    let rows = home.rows().await;
    let mut kept = std::mem::take(&mut *kept.lock().expect("no panic"));
    kept.sort_by_key(|intent| rows.iter().position(|row| row.id == intent.id()));
    kept
}

fn seconds_from_now(when: Option<When>) -> f64 {
    let Some(When::At(time)) = when else { panic!("{when:?} is no time") };
    time.duration_since(SystemTime::now()).expect("it is to come").as_secs_f64()
}

on_both! {
    async fn options_go_along_as_they_were_enqueued(home) {
        let full = Options::new()
            .queue("letters")
            .priority(5)
            .max_retries(7)
            .timeout(Duration::from_millis(1500))
            .header("tenant", "acmé")
            .header("x-request-id", "")
            .origin("POST /orders")
            .label("the first")
            .extra("celery", "ignore_result", true)
            .extra("huey", "retry_delay", 7)
            .expires_in(Duration::from_secs(600));
        home.enqueue(|| {
            bare::enqueue_with(full, 1)?;
            bare::enqueue(2)?;
            dear::enqueue(3)?;
            urgent::enqueue(4)?;
            urgent::enqueue_with(Options::new().priority(5), 5)?;
            bare::enqueue_with(Options::new().priority(0).delay(Duration::from_millis(1)), 6)?;
            dear::enqueue_with(Options::new().max_retries(0).expires_in(Duration::from_secs(60)), 7)
        });
        let intents = handed_on(&home).await;
        let seen: Vec<_> = intents.iter().map(Intent::options).map(|options| {
            assert_eq!(options.get_start(), None);
            (options.get_queue(), options.get_priority(), options.get_max_retries(), options.get_timeout())
        }).collect();
        let minutes = Some(Duration::from_secs(90));
        assert_eq!(seen, [
            (Some("letters"), Some(5), Some(7), Some(Duration::from_millis(1500))),
            (Some("default"), None, None, None),
            (Some("letters"), Some(5), Some(4), minutes),
            (Some("default"), Some(8), None, None),
            (Some("default"), Some(5), None, None),
            (Some("default"), Some(0), None, None),
            (Some("letters"), Some(5), Some(0), minutes),
        ]);
        let options = intents[0].options();
        let headers = [("tenant".to_owned(), "acmé".to_owned()), ("x-request-id".to_owned(), String::new())];
        assert_eq!(options.get_headers(), headers);
        assert_eq!((options.get_origin(), options.get_label()), (Some("POST /orders"), Some("the first")));
        let extras: Vec<_> = options.get_extras().iter().map(|extra| (extra.system(), extra.key(), extra.value().get())).collect();
        assert_eq!(extras, [("celery", "ignore_result", "true"), ("huey", "retry_delay", "7")]);
        for (at, most) in [(0, 600.0), (2, 3600.0), (6, 60.0)] {
            let left = seconds_from_now(intents[at].options().get_expiry());
            assert!(left <= most && left > most - 30.0, "{at}: {left}");
        }
        assert!([1, 3, 4, 5].iter().all(|at| intents[*at].options().get_expiry().is_none()));
        // What it was called with, and nothing else.
        assert_eq!(intents[6].to_json().expect("JSON").get(), r#"{"number":7}"#);
    }

    async fn a_row_under_an_old_name_is_handed_on_under_the_present_one(home) {
        home.run("INSERT INTO airlock_outbox (id, task, queue, arguments)
            VALUES ('00000000-0000-4000-8000-000000000001', 'relay.dear_old', 'letters', '[7]')");
        let intents = handed_on(&home).await;
        assert_eq!((intents[0].name(), intents[0].args::<dear>()), ("relay.dear", Some(&(7,))));
        assert_eq!(intents[0].id().to_string(), "00000000-0000-4000-8000-000000000001");
    }

    async fn a_delay_is_over_when_its_row_is_handed_on_and_not_before(home) {
        let due = SystemTime::now() + Duration::from_millis(400);
        home.enqueue(|| {
            bare::enqueue_with(Options::new().eta(due), 1)?;
            bare::enqueue_with(Options::new().delay(Duration::from_millis(100)), 2)
        });
        let times = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&times);
        let executor = airlock::executor_fn(move |intent: Intent| {
            noted.lock().expect("no panic").push((SystemTime::now(), intent.args::<bare>().map(|(number,)| *number)));
            Ok::<_, DispatchError>(())
        });
        home.drain(relay(&home, executor)).await;
        let times = times.lock().expect("no panic").clone();
        assert_eq!(times.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [Some(2), Some(1)]);
        assert!(times[1].0 >= due && times[1].0 < due + Duration::from_secs(3));
    }

    async fn what_can_not_be_read_costs_itself_alone(home) {
        home.run("INSERT INTO airlock_outbox (id, task, queue, arguments, options, max_retries) VALUES
            ('00000000-0000-4000-8000-000000000001', 'relay.bare', 'default', 'no JSON', NULL, 0),
            ('00000000-0000-4000-8000-000000000002', 'relay.bare', 'default', '[1]', '{\"unknown\": 1}', 0),
            ('00000000-0000-4000-8000-000000000003', 'relay.bare', 'default', '[]', NULL, 0)");
        home.enqueue(|| bare::enqueue(1));
        assert_eq!(handed_on(&home).await.len(), 1);
        assert_eq!(home.states().await, [(OutboxState::Done, 1), (OutboxState::Dead, 3)]);
        for row in home.rows().await.iter().filter(|row| row.state == OutboxState::Dead) {
            assert!(row.error.as_ref().is_some_and(|error| error.starts_with("the row can't be read: ")), "{:?}", row.error);
        }
    }
}
