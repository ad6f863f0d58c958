//! From the end of a flush to the start of its run by an idle worker: in this process, in another one that listens, and in
//! another one that polls.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::{Outbox, Worker};

use super::Place;

const SAMPLES: usize = 60;

/// How often the polling worker looks.
const POLL: Duration = Duration::from_millis(200);

/// The URL, in the environment of a child.
const URL: &str = "AIRLOCK_BENCH_OUTBOX";
const LISTENS: &str = "AIRLOCK_BENCH_LISTENS";

/// Says when it runs.
#[airlock::task]
async fn tell_time(_number: u64) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "ran {}", nanos());
    let _ = out.flush();
}

static HERE: std::sync::Mutex<Option<mpsc::Sender<u128>>> = std::sync::Mutex::new(None);

#[airlock::task]
async fn note_time(_number: u64) {
    if let Some(here) = &*HERE.lock().expect("no panic") {
        let _ = here.send(nanos());
    }
}

fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

pub(super) fn is_child() -> bool {
    std::env::var_os(URL).is_some()
}

/// A worker until its input ends.
pub(super) fn run_child() {
    let url = std::env::var(URL).expect("it is set");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let worker = Worker::new(Outbox::new(&url).expect("a URL"));
        let worker = match std::env::var_os(LISTENS) {
            Some(_) => worker.listen().poll(Duration::from_secs(30)),
            None => worker.poll(POLL),
        };
        let ends = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
        worker.run_until(async { drop(ends.await) }).await.expect("it starts");
    });
}

pub(super) async fn measure(place: &Place) {
    println!("{}: picked up in this process in {}, at most 10 ms (p95)", place.name, here(place).await);
    if !place.is_sqlite() {
        println!("{}: picked up by one that listens in {}, at most 50 ms", place.name, elsewhere(place, true).await);
    }
    println!(
        "{}: picked up by one that polls every {POLL:?} in {}, at most that and 50 ms",
        place.name,
        elsewhere(place, false).await
    );
}

async fn here(place: &Place) -> String {
    let (sender, times) = mpsc::channel();
    *HERE.lock().expect("no panic") = Some(sender);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = tokio::spawn(Worker::new(place.outbox.clone()).run_until(async { drop(stopped.await) }));
    let mut taken = Vec::new();
    for number in 0..SAMPLES as u64 {
        let scope = airlock::scope().executor(place.outbox.clone()).open();
        scope.run(|| note_time::enqueue(number)).expect("there is a scope");
        scope.flush_async().await.expect("it is written");
        let committed = nanos();
        let ran = tokio::task::block_in_place(|| times.recv()).expect("it runs");
        taken.push(ran.saturating_sub(committed));
        tokio::time::sleep(Duration::from_millis(number % 20)).await;
    }
    drop(stop);
    worker.await.expect("no panic").expect("it starts");
    shown(taken)
}

async fn elsewhere(place: &Place, listens: bool) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.env(URL, &place.url).stdin(Stdio::piped()).stdout(Stdio::piped());
    if listens {
        command.env(LISTENS, "1");
    }
    let mut child = command.spawn().expect("it starts");
    let (sender, times) = mpsc::channel();
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    let reader = std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let ran = line.strip_prefix("ran ").and_then(|nanos| nanos.parse::<u128>().ok());
            if let Some(ran) = ran {
                let _ = sender.send(ran);
            }
        }
    });
    let outbox = place.outbox.clone().notify(listens);
    let mut taken = Vec::new();
    for number in 0..SAMPLES as u64 {
        let scope = airlock::scope().executor(outbox.clone()).open();
        scope.run(|| tell_time::enqueue(number)).expect("there is a scope");
        scope.flush_async().await.expect("it is written");
        let committed = nanos();
        let ran = tokio::task::block_in_place(|| times.recv()).expect("it runs");
        // The first one finds a worker that starts.
        if number > 0 {
            taken.push(ran.saturating_sub(committed));
        }
        tokio::time::sleep(Duration::from_millis(number * 7 % 90)).await;
    }
    drop(child.stdin.take());
    child.wait().expect("it ends");
    reader.join().expect("no panic");
    shown(taken)
}

fn shown(mut nanos: Vec<u128>) -> String {
    nanos.sort_unstable();
    let at = |share: usize| nanos[nanos.len() * share / 100] as f64 / 1e6;
    format!("{:.1} ms (p50), {:.1} ms (p95)", at(50), at(95))
}
