//! A connection that is made when it is needed, and again when it is lost: one for all clones of an executor.
//!
//! One task on the I/O thread owns it and takes jobs in order. While there is no connection, jobs wait for one, each as
//! long as its flush allows; attempts follow each other with full jitter, so that a fleet doesn't return in step.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender, unbounded_channel};

use super::io;
use super::job::{Answer, Answers, Job, Line, Patience};
use super::keeper::Keeper;
use crate::error::DispatchError;
use crate::executors::{BoxFuture, Deadline};

/// How one kind of broker is spoken to.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// What is sent.
    type Message: Send + 'static;
    /// What it is sent through.
    type Connection: Connection<Message = Self::Message>;

    /// How many bytes a message takes, about.
    #[cfg(any(feature = "redis", feature = "amqp"))]
    fn size(message: &Self::Message) -> usize;

    /// Where the broker is, for errors.
    fn place(&self) -> String;

    /// Makes a connection that is ready to send, and that says so when it is lost.
    fn connect(self: Arc<Self>, alive: Alive) -> BoxFuture<'static, Result<Self::Connection, DispatchError>>;
}

/// Whether a connection lives, as far as is known: for the link, which asks before it sends, and for flushes, which
/// needn't wait for one if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Alive {
    this: Arc<AtomicBool>,
    any: Arc<AtomicBool>,
}

impl Alive {
    pub(super) fn new(any: &Arc<AtomicBool>) -> Self {
        Self { this: Arc::new(AtomicBool::new(true)), any: Arc::clone(any) }
    }

    /// Whether it does.
    pub(crate) fn get(&self) -> bool {
        self.this.load(Ordering::Relaxed)
    }

    /// It was lost.
    pub(crate) fn lost(&self) {
        self.this.store(false, Ordering::Relaxed);
        self.any.store(false, Ordering::Relaxed);
    }
}

/// A connection that jobs can be sent through, one after the other without waiting.
pub(crate) trait Connection: Send + 'static {
    /// What is sent.
    type Message: Send + 'static;

    /// Whether it can be sent through, as far as is known.
    fn is_alive(&self) -> bool;

    /// Why nothing can be sent now, although the connection lives.
    fn refuses(&self) -> Option<DispatchError> {
        None
    }

    /// Sends, behind all jobs before, and answers in its own time. What certainly was not sent may be given back to be
    /// sent through another connection.
    fn send(&mut self, job: Job<Self::Message>, back: &Back<Self::Message>);
}

/// The way back for what certainly was not sent, held for each job until it is answered or given back. It leads nowhere
/// once no executor has the link any more.
pub(crate) struct Back<M> {
    requests: WeakUnboundedSender<Request<M>>,
    under_way: Arc<UnderWay>,
}

/// The jobs that connections have in their hands.
#[derive(Debug, Default)]
struct UnderWay {
    count: AtomicUsize,
    none: Notify,
}

impl<M> Back<M> {
    fn new(requests: WeakUnboundedSender<Request<M>>, under_way: Arc<UnderWay>) -> Self {
        under_way.count.fetch_add(1, Ordering::Relaxed);
        Self { requests, under_way }
    }

    /// To be sent through the next connection, if there is one in time.
    pub(crate) fn give(&self, mut job: Job<M>) {
        job.answer.may_have_left(false);
        // Dropped, it says that it has not left.
        let _ = self.requests.upgrade().map(|requests| requests.send(Request::Send(job)));
    }
}

impl<M> Clone for Back<M> {
    fn clone(&self) -> Self {
        Self::new(self.requests.clone(), Arc::clone(&self.under_way))
    }
}

impl<M> Drop for Back<M> {
    fn drop(&mut self) {
        if self.under_way.count.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.under_way.none.notify_one();
        }
    }
}

/// Where ways back begin.
pub(super) struct WaysBack<M> {
    requests: WeakUnboundedSender<Request<M>>,
    under_way: Arc<UnderWay>,
}

impl<M> WaysBack<M> {
    fn new(requests: WeakUnboundedSender<Request<M>>) -> Self {
        Self { requests, under_way: Arc::default() }
    }

    pub(super) fn of_job(&self) -> Back<M> {
        Back::new(self.requests.clone(), Arc::clone(&self.under_way))
    }

    /// Waits until every job has been answered or given back.
    pub(super) async fn none_under_way(&self) {
        while self.under_way.count.load(Ordering::Relaxed) > 0 {
            self.under_way.none.notified().await;
        }
    }
}

pub(crate) enum Request<M> {
    /// Answer once there is a connection.
    Ready(Patience, Answer),
    Send(Job<M>),
}

impl<M> Request<M> {
    pub(super) fn connect_until(&self) -> Instant {
        match self {
            Self::Ready(patience, _) | Self::Send(Job { patience, .. }) => patience.connect(),
        }
    }

    pub(super) fn refuse(self, error: DispatchError) {
        match self {
            Self::Ready(_, answer) | Self::Send(Job { answer, .. }) => answer.all(&Err(error)),
        }
    }
}

/// A handle; clones share the connection.
pub(crate) struct Link<P: Protocol>(Arc<Shared<P>>);

struct Shared<P: Protocol> {
    protocol: Arc<P>,
    connect_timeout: Duration,
    is_connected: Arc<AtomicBool>,
    /// The way to the task on the I/O thread, once it was started.
    task: Mutex<Task<P::Message>>,
}

struct Task<M> {
    requests: Option<UnboundedSender<Request<M>>>,
    /// How many jobs were sent to it and to those before it.
    jobs: u64,
}

impl<P: Protocol> Clone for Link<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Protocol> fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.0.protocol.place()).finish()
    }
}

impl<P: Protocol> Link<P> {
    /// A connection is made at the first need, which takes up to this long before it is given up.
    pub(crate) fn new(protocol: P, connect_timeout: Duration) -> Self {
        let (task, is_connected) = (Mutex::new(Task { requests: None, jobs: 0 }), Arc::default());
        Self(Arc::new(Shared { protocol: Arc::new(protocol), connect_timeout, is_connected, task }))
    }

    /// How the broker is spoken to.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn protocol(&self) -> &P {
        &self.0.protocol
    }

    /// How long a flush with this deadline waits.
    pub(crate) fn patience(&self, deadline: Deadline) -> Patience {
        Patience::new(deadline, self.0.connect_timeout)
    }

    /// Waits for a connection, if there is none.
    pub(crate) async fn ready(&self, patience: Patience) -> Result<(), DispatchError> {
        if self.0.is_connected.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (answer, answers) = Answer::channel(1, Line::default());
        self.request(Request::Ready(patience, answer));
        answers.receive().await.pop().unwrap_or(Ok(()))
    }

    /// Sends behind all that was sent before, as one of the jobs of a flush.
    pub(crate) fn send(&self, messages: Vec<P::Message>, patience: Patience, line: &Line) -> Answers {
        let (answer, answers) = Answer::channel(messages.len(), line.clone());
        self.request(Request::Send(Job { number: 0, messages, patience, answer }));
        answers
    }

    fn request(&self, mut request: Request<P::Message>) {
        if let Err(fault) = io::check_process() {
            return request.refuse(DispatchError::unavailable(fault));
        }
        let mut task = self.0.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Request::Send(job) = &mut request {
            task.jobs += 1;
            job.number = task.jobs;
        }
        let request = match &task.requests {
            Some(running) => match running.send(request) {
                Ok(()) => return,
                // The thread has ended, or a panic has ended the task.
                Err(unsent) => unsent.0,
            },
            None => request,
        };
        let (requests, receiver) = unbounded_channel();
        let back = WaysBack::new(requests.downgrade());
        let keeper = Keeper::new(Arc::clone(&self.0.protocol), Arc::clone(&self.0.is_connected), back);
        match io::spawn(keeper.run(receiver)) {
            Ok(()) => {
                let _ = requests.send(request);
                task.requests = Some(requests);
            }
            Err(fault) => request.refuse(DispatchError::unavailable(fault)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DispatchErrorKind;
    use crate::scope::block_on;

    /// What no real server does on demand: the code that speaks to it panics, or it is there at the third attempt.
    #[derive(Default)]
    struct Moody {
        attempts: AtomicUsize,
        there_after: usize,
    }

    struct Through(Alive);

    impl Protocol for Moody {
        type Message = bool;
        type Connection = Through;

        #[cfg(any(feature = "redis", feature = "amqp"))]
        fn size(_: &bool) -> usize {
            1
        }

        fn place(&self) -> String {
            "here".to_owned()
        }

        fn connect(self: Arc<Self>, alive: Alive) -> BoxFuture<'static, Result<Through, DispatchError>> {
            let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                if attempt < self.there_after { Err(DispatchError::unavailable("not yet")) } else { Ok(Through(alive)) }
            })
        }
    }

    impl Connection for Through {
        type Message = bool;

        fn is_alive(&self) -> bool {
            self.0.get()
        }

        fn send(&mut self, job: Job<bool>, _: &Back<bool>) {
            assert!(job.messages.iter().all(|is_fine| *is_fine), "on purpose");
            job.answer.all(&Ok(()));
        }
    }

    fn send(link: &Link<Moody>, message: bool) -> Result<(), DispatchErrorKind> {
        let patience = link.patience(Deadline::after(Duration::from_secs(60)));
        let outcomes = block_on(link.send(vec![message], patience, &Line::default()).receive());
        outcomes.into_iter().next().unwrap_or(Ok(())).map_err(|error| error.kind())
    }

    #[test]
    fn a_panic_leaves_what_was_under_way_unconfirmed_and_the_next_job_is_sent() {
        let _alone = io::ALONE.lock();
        let link = Link::new(Moody::default(), Duration::from_secs(60));
        assert_eq!(send(&link, true), Ok(()));
        assert_eq!(send(&link, false), Err(DispatchErrorKind::Unconfirmed));
        let start = Instant::now();
        // What comes while it ends is known not to have left.
        while let Err(kind) = send(&link, true) {
            assert_eq!(kind, DispatchErrorKind::Unavailable);
            assert!(start.elapsed() < Duration::from_secs(60), "it doesn't start again");
        }
    }

    #[test]
    fn attempts_follow_each_other_as_long_as_somebody_waits() {
        let _alone = io::ALONE.lock();
        let link = Link::new(Moody { there_after: 3, ..Moody::default() }, Duration::from_secs(60));
        assert_eq!(send(&link, true), Ok(()));
        assert_eq!(link.0.protocol.attempts.load(Ordering::Relaxed), 4);

        let never = Link::new(Moody { there_after: usize::MAX, ..Moody::default() }, Duration::from_millis(50));
        assert_eq!(send(&never, true), Err(DispatchErrorKind::Unavailable));
    }

    /// Its connections keep what they are given.
    #[derive(Default)]
    struct Keeps {
        connections: Mutex<Vec<Kept>>,
    }

    type Kept = Arc<Mutex<Vec<(Job<u32>, Back<u32>)>>>;

    struct Keeping(Alive, Kept);

    impl Protocol for Keeps {
        type Message = u32;
        type Connection = Keeping;

        #[cfg(any(feature = "redis", feature = "amqp"))]
        fn size(_: &u32) -> usize {
            1
        }

        fn place(&self) -> String {
            "here".to_owned()
        }

        fn connect(self: Arc<Self>, alive: Alive) -> BoxFuture<'static, Result<Keeping, DispatchError>> {
            let kept = Kept::default();
            self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&kept));
            Box::pin(async move { Ok(Keeping(alive, kept)) })
        }
    }

    impl Connection for Keeping {
        type Message = u32;

        fn is_alive(&self) -> bool {
            // Three jobs are too many for one.
            let dies = self.kept().len() == 3;
            if dies {
                self.0.lost();
            }
            !dies
        }

        fn send(&mut self, job: Job<u32>, back: &Back<u32>) {
            self.kept().push((job, back.clone()));
        }
    }

    impl Keeping {
        fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(Job<u32>, Back<u32>)>> {
            self.1.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Link<Keeps> {
        /// Waits until the fourth job has found the first connection dead, and a second one is there.
        fn second_connection(&self) {
            while self.0.protocol.connections.lock().unwrap_or_else(PoisonError::into_inner).len() < 2 {
                std::thread::yield_now();
            }
        }

        /// What the connection was given, once it is so many jobs.
        fn kept(&self, connection: usize, jobs: usize) -> Vec<(Job<u32>, Back<u32>)> {
            let start = Instant::now();
            loop {
                let connections = self.0.protocol.connections.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(kept) = connections.get(connection) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    if kept.len() >= jobs {
                        return std::mem::take(&mut *kept);
                    }
                }
                drop(connections);
                assert!(start.elapsed() < Duration::from_secs(60), "connection {connection} has no {jobs} jobs");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn what_is_given_back_late_goes_before_what_was_sent_after_it() {
        let _alone = io::ALONE.lock();
        let link = Link::new(Keeps::default(), Duration::from_secs(60));
        let patience = link.patience(Deadline::after(Duration::from_secs(60)));
        let answers: Vec<_> = (1..=5).map(|number| link.send(vec![number], patience, &Line::default())).collect();
        link.second_connection();
        let [first, second, third] = link.kept(0, 3).try_into().unwrap_or_else(|_| panic!("three"));
        for (job, back) in [third, first, second] {
            back.give(job);
        }
        for (at, expected) in [(1, vec![1, 2, 3]), (2, vec![4, 5])] {
            let jobs = link.kept(at, expected.len());
            assert_eq!(jobs.iter().flat_map(|(job, _)| job.messages.clone()).collect::<Vec<_>>(), expected);
            jobs.into_iter().for_each(|(job, _)| job.answer.all(&Ok(())));
        }
        for answer in answers {
            assert_eq!(block_on(answer.receive()).len(), 1);
        }
    }

    #[test]
    fn what_might_overtake_an_earlier_one_of_its_flush_is_not_sent_through_another_connection() {
        let _alone = io::ALONE.lock();
        let link = Link::new(Keeps::default(), Duration::from_secs(60));
        let patience = link.patience(Deadline::after(Duration::from_secs(60)));
        let (line, other) = (Line::default(), Line::default());
        let answers = [&line, &line, &other, &other].map(|line| link.send(vec![1], patience, line));
        link.second_connection();
        let [first, second, third] = link.kept(0, 3).try_into().unwrap_or_else(|_| panic!("three"));
        let (first, its_back) = first;
        first.answer.each(vec![Err(DispatchError::unconfirmed("lost"))]);
        drop(its_back);
        for (job, back) in [second, third] {
            back.give(job);
        }
        link.kept(1, 2).into_iter().for_each(|(job, _)| job.answer.all(&Ok(())));
        let kinds = answers.map(|answers| block_on(answers.receive()).remove(0).err().map(|error| error.kind()));
        assert_eq!(kinds, [Some(DispatchErrorKind::Unconfirmed), Some(DispatchErrorKind::Unavailable), None, None]);
    }

    /// It takes connections, and ends each at the first message.
    #[derive(Default)]
    struct Ends {
        connections: AtomicUsize,
    }

    struct Ending(Alive);

    impl Protocol for Ends {
        type Message = ();
        type Connection = Ending;

        #[cfg(any(feature = "redis", feature = "amqp"))]
        fn size((): &()) -> usize {
            1
        }

        fn place(&self) -> String {
            "here".to_owned()
        }

        fn connect(self: Arc<Self>, alive: Alive) -> BoxFuture<'static, Result<Ending, DispatchError>> {
            self.connections.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { Ok(Ending(alive)) })
        }
    }

    impl Connection for Ending {
        type Message = ();

        fn is_alive(&self) -> bool {
            self.0.get()
        }

        fn send(&mut self, job: Job<()>, back: &Back<()>) {
            self.0.lost();
            back.give(job);
        }
    }

    #[test]
    fn a_server_that_ends_every_connection_is_not_stormed() {
        let _alone = io::ALONE.lock();
        let link = Link::new(Ends::default(), Duration::from_millis(500));
        let outcomes = block_on(
            link.send(vec![()], link.patience(Deadline::after(Duration::from_secs(60))), &Line::default()).receive(),
        );
        assert!(matches!(&outcomes[..], [Err(error)] if error.kind() == DispatchErrorKind::Unavailable));
        // Without pauses it would be hundreds.
        let connections = link.0.protocol.connections.load(Ordering::Relaxed);
        assert!((2..100).contains(&connections), "{connections} connections");
    }
}
