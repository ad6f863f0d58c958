//! Many scopes at the same time.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use airlock::{DropAll, Scope};
use airlock_tests::recorder::Recorder;

use super::{note, yield_now};

const MANY: usize = 64;
const STEPS: usize = 16;

/// Enqueues under `owner` at every step, yields, and sees no other owner's intents. Starts only once all of them have
/// opened their scopes, so that all are under way at once.
async fn crowd_member(owner: usize, opened: Arc<AtomicUsize>) -> Recorder {
    let recorder = Recorder::new();
    let body = async {
        opened.fetch_add(1, Ordering::SeqCst);
        while opened.load(Ordering::SeqCst) < MANY {
            yield_now().await;
        }
        for step in 0..STEPS {
            // Half of them are under a local policy in every other step: those don't leak either.
            if step % 2 == 1 && owner % 2 == 1 {
                let dropped = async {
                    yield_now().await;
                    note::enqueue(owner, step).unwrap();
                };
                airlock::policy(DropAll).wrap(dropped).await;
            } else {
                note::enqueue(owner, step).unwrap();
            }
            yield_now().await;
            let seen = Scope::current().expect("a scope in every poll").intents();
            let seen: Vec<_> = seen.iter().map(|intent| *intent.args::<note>().unwrap()).collect();
            let own: Vec<_> = (0..=step).map(|step| (owner, step)).collect();
            assert_eq!(seen, own);
        }
    };
    let name = format!("owner {owner}");
    airlock::scope().name(name).executor(recorder.clone()).run_async(body).await.unwrap();
    assert!(Scope::current().is_none());
    recorder
}

fn assert_crowd(recorders: &[Recorder]) {
    assert_eq!(recorders.len(), MANY);
    for (owner, recorder) in recorders.iter().enumerate() {
        let expected: Vec<_> = (0..STEPS)
            .filter(|step| step % 2 == 0 || owner % 2 == 0)
            .map(|step| format!("p11.note(owner={owner}, step={step})"))
            .collect();
        assert_eq!(recorder.calls(), expected);
    }
}

async fn crowd_on_tokio() {
    let opened = Arc::new(AtomicUsize::new(0));
    let members: Vec<_> = (0..MANY).map(|owner| tokio::spawn(crowd_member(owner, Arc::clone(&opened)))).collect();
    let mut recorders = Vec::new();
    for member in members {
        recorders.push(member.await.unwrap());
    }
    assert_crowd(&recorders);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_futures_on_a_multi_thread_runtime_never_see_each_others_intents() {
    crowd_on_tokio().await;
}

#[tokio::test(flavor = "current_thread")]
async fn sixty_four_futures_on_a_current_thread_runtime_never_see_each_others_intents() {
    crowd_on_tokio().await;
}

#[test]
fn sixty_four_futures_joined_without_a_runtime_never_see_each_others_intents() {
    let opened = Arc::new(AtomicUsize::new(0));
    let members = (0..MANY).map(|owner| crowd_member(owner, Arc::clone(&opened)));
    assert_crowd(&futures::executor::block_on(futures::future::join_all(members)));
}

#[test]
fn sixty_four_threads_never_see_each_others_intents() {
    let barrier = Barrier::new(MANY);
    let member = |owner: usize| {
        let recorder = Recorder::new();
        let guard = airlock::scope().executor(recorder.clone()).enter();
        barrier.wait();
        for step in 0..STEPS {
            let dropping = (step % 2 == 1 && owner % 2 == 1).then(|| airlock::policy(DropAll).enter());
            note::enqueue(owner, step).unwrap();
            drop(dropping);
            std::thread::yield_now();
            let owners: HashSet<_> =
                guard.scope().intents().iter().map(|intent| intent.args::<note>().unwrap().0).collect();
            assert_eq!(owners, HashSet::from([owner]));
        }
        guard.flush().unwrap();
        recorder
    };
    let recorders: Vec<_> = std::thread::scope(|threads| {
        let member = &member;
        let handles: Vec<_> = (0..MANY).map(|owner| threads.spawn(move || member(owner))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert_crowd(&recorders);
}

#[test]
fn joined_futures_in_one_scope_share_it_and_their_nested_scopes_stay_apart() {
    let recorder = Recorder::new();
    let body = async {
        let nested = (0..8).map(|owner| {
            airlock::scope().name(format!("nested {owner}")).run_async(async move {
                for step in 0..STEPS {
                    note::enqueue(owner, step).unwrap();
                    yield_now().await;
                    assert_eq!(Scope::current().unwrap().intents().len(), step + 1);
                }
            })
        });
        for ended in futures::future::join_all(nested).await {
            ended.unwrap();
        }
        assert_eq!(Scope::current().unwrap().captured_intents().len(), 8 * STEPS);
    };
    futures::executor::block_on(airlock::scope().executor(recorder.clone()).run_async(body)).unwrap();
    // The order of the calls, whichever scope they were made in: round robin.
    let expected: Vec<_> =
        (0..STEPS).flat_map(|step| (0..8).map(move |owner| format!("p11.note(owner={owner}, step={step})"))).collect();
    assert_eq!(recorder.calls(), expected);
}
