//! The manager with connections that do what no real server does on demand.

use std::sync::atomic::AtomicUsize;

use super::io::tests::until;
use super::*;
use crate::brokers::connection::{Connection, Liveness, Requeue};
use crate::dispatch::DispatchErrorKind;
use crate::runtime::{BoxFuture, block_on, timer};

/// What no real server does on demand: the code that speaks to it panics, or it is there at the third attempt.
#[derive(Default)]
struct Moody {
    attempts: AtomicUsize,
    there_after: usize,
}

struct TestConnection(Liveness);

impl Protocol for Moody {
    type Message = bool;
    type Connection = TestConnection;

    fn size(_: &bool) -> usize {
        1
    }

    fn place(&self) -> String {
        "here".to_owned()
    }

    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<TestConnection, DispatchError>> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if attempt < self.there_after {
                Err(DispatchError::unavailable("not yet"))
            } else {
                Ok(TestConnection(liveness))
            }
        })
    }
}

impl Connection for TestConnection {
    type Message = bool;

    fn is_alive(&self) -> bool {
        self.0.get()
    }

    fn send(&mut self, job: Job<bool>, _: &Requeue<bool>) {
        assert!(job.messages.iter().all(|is_fine| *is_fine), "on purpose");
        job.reply.send_all(&Ok(()));
    }
}

/// What comes of it, in a time that no answer takes.
fn in_time<F: Future>(answer: F) -> F::Output {
    let deadline = Deadline::after(Duration::from_secs(20));
    block_on(timer::until(deadline, answer)).unwrap_or_else(|| panic!("no answer in time"))
}

fn send(manager: &ConnectionManager<Moody>, message: bool) -> Result<(), DispatchErrorKind> {
    let timeouts = manager.timeouts(Deadline::after(Duration::from_secs(60)));
    let outcomes = in_time(manager.send(vec![message], timeouts, &FlushDoubt::default()).receive());
    outcomes.into_iter().next().unwrap_or(Ok(())).map_err(|error| error.kind())
}

#[test]
fn a_panic_leaves_what_was_under_way_unconfirmed_and_the_next_job_is_sent() {
    let _alone = io::ALONE.lock();
    let manager = ConnectionManager::new(Moody::default(), Duration::from_secs(60));
    assert_eq!(send(&manager, true), Ok(()));
    assert_eq!(send(&manager, false), Err(DispatchErrorKind::Unconfirmed));
    until("it starts again", || {
        let outcome = send(&manager, true);
        // What comes while it ends is known not to have left.
        assert!(matches!(outcome, Ok(()) | Err(DispatchErrorKind::Unavailable)), "{outcome:?}");
        outcome.is_ok()
    });
}

#[test]
fn attempts_follow_each_other_as_long_as_somebody_waits() {
    let _alone = io::ALONE.lock();
    let manager = ConnectionManager::new(Moody { there_after: 3, ..Moody::default() }, Duration::from_secs(60));
    assert_eq!(send(&manager, true), Ok(()));
    assert_eq!(manager.0.protocol.attempts.load(Ordering::Relaxed), 4);

    let never =
        ConnectionManager::new(Moody { there_after: usize::MAX, ..Moody::default() }, Duration::from_millis(50));
    assert_eq!(send(&never, true), Err(DispatchErrorKind::Unavailable));
}

/// Its connections keep what they are given.
#[derive(Default)]
struct Keeps {
    connections: Mutex<Vec<Kept>>,
}

type Kept = Arc<Mutex<Vec<(Job<u32>, Requeue<u32>)>>>;

struct Keeping {
    liveness: Liveness,
    kept: Kept,
    /// How many jobs it was given: what it keeps is taken from it.
    given: usize,
}

impl Protocol for Keeps {
    type Message = u32;
    type Connection = Keeping;

    fn size(_: &u32) -> usize {
        1
    }

    fn place(&self) -> String {
        "here".to_owned()
    }

    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<Keeping, DispatchError>> {
        let kept = Kept::default();
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&kept));
        Box::pin(async move { Ok(Keeping { liveness, kept, given: 0 }) })
    }
}

impl Connection for Keeping {
    type Message = u32;

    fn is_alive(&self) -> bool {
        // Three jobs are too many for one.
        let dies = self.given == 3;
        if dies {
            self.liveness.lost();
        }
        !dies
    }

    fn send(&mut self, job: Job<u32>, requeue: &Requeue<u32>) {
        self.given += 1;
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push((job, requeue.clone()));
    }
}

impl ConnectionManager<Keeps> {
    /// Waits until the fourth job has found the first connection dead, and a second one is there.
    fn second_connection(&self) {
        let connections = &self.0.protocol.connections;
        until("there is a second connection", || connections.lock().unwrap_or_else(PoisonError::into_inner).len() > 1);
    }

    /// What the connection was given, once it is so many jobs.
    fn kept(&self, connection: usize, jobs: usize) -> Vec<(Job<u32>, Requeue<u32>)> {
        let mut taken = Vec::new();
        until("the connection has the jobs", || {
            let connections = self.0.protocol.connections.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(kept) = connections.get(connection) else { return false };
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= jobs {
                taken = std::mem::take(&mut *kept);
            }
            !taken.is_empty()
        });
        taken
    }
}

#[test]
fn what_is_given_back_late_goes_before_what_was_sent_after_it() {
    let _alone = io::ALONE.lock();
    let manager = ConnectionManager::new(Keeps::default(), Duration::from_secs(60));
    let timeouts = manager.timeouts(Deadline::after(Duration::from_secs(60)));
    let replies: Vec<_> = (1..=5).map(|number| manager.send(vec![number], timeouts, &FlushDoubt::default())).collect();
    manager.second_connection();
    let [first, second, third] = manager.kept(0, 3).try_into().unwrap_or_else(|_| panic!("three"));
    for (job, requeue) in [third, first, second] {
        requeue.give(job);
    }
    for (at, expected) in [(1, vec![1, 2, 3]), (2, vec![4, 5])] {
        let jobs = manager.kept(at, expected.len());
        assert_eq!(jobs.iter().flat_map(|(job, _)| job.messages.clone()).collect::<Vec<_>>(), expected);
        jobs.into_iter().for_each(|(job, _)| job.reply.send_all(&Ok(())));
    }
    for reply in replies {
        assert_eq!(in_time(reply.receive()).len(), 1);
    }
}

#[test]
fn what_might_overtake_an_earlier_one_of_its_flush_is_not_sent_through_another_connection() {
    let _alone = io::ALONE.lock();
    let manager = ConnectionManager::new(Keeps::default(), Duration::from_secs(60));
    let timeouts = manager.timeouts(Deadline::after(Duration::from_secs(60)));
    let (doubt, other) = (FlushDoubt::default(), FlushDoubt::default());
    let replies = [&doubt, &doubt, &other, &other].map(|doubt| manager.send(vec![1], timeouts, doubt));
    manager.second_connection();
    let [first, second, third] = manager.kept(0, 3).try_into().unwrap_or_else(|_| panic!("three"));
    let (first, its_back) = first;
    first.reply.send_each(vec![Err(DispatchError::unconfirmed("lost"))]);
    drop(its_back);
    for (job, requeue) in [second, third] {
        requeue.give(job);
    }
    manager.kept(1, 2).into_iter().for_each(|(job, _)| job.reply.send_all(&Ok(())));
    let errors = replies.map(|replies| in_time(replies.receive()).remove(0).err());
    let text = errors[1].as_ref().and_then(std::error::Error::source).map(ToString::to_string).unwrap_or_default();
    assert!(text.contains("overtake") && text.contains("once it is known"), "{text}");
    let kinds = errors.map(|error| error.map(|error| error.kind()));
    assert_eq!(kinds, [Some(DispatchErrorKind::Unconfirmed), Some(DispatchErrorKind::Unavailable), None, None]);
}

/// It takes connections, and ends each at the first message.
#[derive(Default)]
struct Ends {
    connections: AtomicUsize,
}

struct EndingConnection(Liveness);

impl Protocol for Ends {
    type Message = ();
    type Connection = EndingConnection;

    fn size((): &()) -> usize {
        1
    }

    fn place(&self) -> String {
        "here".to_owned()
    }

    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<EndingConnection, DispatchError>> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { Ok(EndingConnection(liveness)) })
    }
}

impl Connection for EndingConnection {
    type Message = ();

    fn is_alive(&self) -> bool {
        self.0.get()
    }

    fn send(&mut self, job: Job<()>, requeue: &Requeue<()>) {
        self.0.lost();
        requeue.give(job);
    }
}

#[test]
fn a_server_that_ends_every_connection_is_not_stormed() {
    let _alone = io::ALONE.lock();
    let manager = ConnectionManager::new(Ends::default(), Duration::from_millis(500));
    let outcomes = in_time(
        manager
            .send(vec![()], manager.timeouts(Deadline::after(Duration::from_secs(60))), &FlushDoubt::default())
            .receive(),
    );
    assert!(matches!(&outcomes[..], [Err(error)] if error.kind() == DispatchErrorKind::Unavailable));
    // Without pauses it would be hundreds.
    let connections = manager.0.protocol.connections.load(Ordering::Relaxed);
    assert!((2..100).contains(&connections), "{connections} connections");
}
