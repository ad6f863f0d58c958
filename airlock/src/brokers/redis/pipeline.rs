//! One job as one pipeline.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, Value};
use tokio::task::unconstrained;

use super::replies::Outcomes;
use super::stream::IoCounters;
use super::{ClientDriver, RedisConnection, pack, replies};
use crate::brokers::connection::{BrokerFault, Job, JobOutcome, JobTimeouts, Liveness, Requeue};
use crate::brokers::message::RedisMessage;
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::runtime::BoxFuture;

/// A connection on which nothing has come for this long although an answer is due is given up.
const SILENCE: Duration = Duration::from_secs(1);

type Answered = BoxFuture<'static, RedisResult<Vec<Value>>>;

/// Puts the job behind what was sent before, and answers it in a task of its own.
pub(super) fn send(through: &mut RedisConnection, job: Job<RedisMessage>, requeue: Requeue<RedisMessage>) {
    let pipeline = pack::pack(&job.messages);
    let before = through.counters.queue(pipeline.bytes);
    let pending = put_in_line(&through.connection, pipeline.commands);
    let sent = Sent {
        place: Arc::clone(&through.place),
        liveness: through.liveness.clone(),
        counters: Arc::clone(&through.counters),
        driver: Arc::clone(&through.driver),
        connection: through.connection.clone(),
        before,
        bytes: pipeline.bytes,
        at: Instant::now(),
    };
    tokio::spawn(sent.answer(pending, job, requeue));
}

/// Hands the commands to the connection, behind those before.
fn put_in_line(connection: &MultiplexedConnection, commands: Pipeline) -> Pending {
    let (mut connection, count) = (connection.clone(), commands.len());
    // Unconstrained, because a poll without budget would not take its place in the line.
    let mut answered: Answered =
        Box::pin(unconstrained(async move { connection.send_packed_commands(&commands, 0, count).await }));
    match answered.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(result) => Pending::Done(result),
        std::task::Poll::Pending => Pending::Waiting(answered),
    }
}

enum Pending {
    Done(RedisResult<Vec<Value>>),
    Waiting(Answered),
}

/// A pipeline that is in the connection's hands.
struct Sent {
    place: Arc<str>,
    liveness: Liveness,
    counters: Arc<IoCounters>,
    driver: Arc<ClientDriver>,
    connection: MultiplexedConnection,
    /// How many bytes come before its first.
    before: u64,
    bytes: u64,
    at: Instant,
}

impl Sent {
    async fn answer(self, pending: Pending, job: Job<RedisMessage>, requeue: Requeue<RedisMessage>) {
        let mut answered = match pending {
            Pending::Done(result) => return self.conclude(result, job, &requeue).await,
            Pending::Waiting(answered) => answered,
        };
        if let Some(result) = job.timeouts.for_answer(&mut answered).await {
            return self.conclude(result, job, &requeue).await;
        }
        if self.is_stuck() {
            self.give_up();
            // Without the driver it ends at once, and it is known what was written.
            let _ = answered.await;
            let outcome = if self.was_written() { self.unanswered("no answer came in time") } else { self.unsent() };
            return job.reply.send_all(&outcome);
        }
        job.reply.send_all(&self.unanswered("no answer came in time"));
        drop((job.messages, requeue));
        // The answer may still come, and must not be taken for another one; or the connection is dead.
        while tokio::time::timeout(SILENCE, &mut answered).await.is_err() {
            if self.is_stuck() {
                return self.give_up();
            }
        }
    }

    async fn conclude(&self, result: RedisResult<Vec<Value>>, job: Job<RedisMessage>, requeue: &Requeue<RedisMessage>) {
        match result {
            Ok(values) => self.read(&values, job).await,
            Err(_) => {
                self.liveness.lost();
                if self.was_written() {
                    job.reply.send_all(&self.unanswered("the connection ended before the answer"));
                } else {
                    requeue.give(job);
                }
            }
        }
    }

    async fn read(&self, values: &[Value], job: Job<RedisMessage>) {
        let mut outcomes = replies::outcomes(&self.place, values, &job.messages);
        if outcomes.are_of_another_server {
            // The name may lead to another server by now.
            self.liveness.lost();
        }
        if outcomes.are_open || !outcomes.halves.is_empty() {
            self.clear_up(&mut outcomes, job.timeouts).await;
        }
        job.reply.send_each(outcomes.each);
    }

    /// Takes back what was done by half, and discards what waits for an `EXEC` that was refused.
    async fn clear_up(&self, outcomes: &mut Outcomes, timeouts: JobTimeouts) {
        // What came behind may have brought an `EXEC` for both.
        let is_last = self.counters.queued() == self.before + self.bytes;
        let mut commands = Pipeline::new();
        let discards = is_last && outcomes.are_open;
        if discards {
            commands.add_command(redis::cmd("DISCARD"));
        }
        for command in outcomes.halves.iter().flat_map(|(_, commands)| commands) {
            commands.add_command(command.clone());
        }
        let bytes = pack::bytes(&commands);
        self.counters.queue(bytes);
        let answers = match commands.is_empty() {
            true => None,
            false => match put_in_line(&self.connection, commands) {
                Pending::Done(result) => result.ok(),
                Pending::Waiting(answered) => timeouts.for_answer(answered).await.and_then(Result::ok),
            },
        };
        let answers = answers.unwrap_or_default();
        let mut answers = answers.iter();
        if outcomes.are_open {
            let is_discarded = discards && matches!(answers.next(), Some(Value::Okay));
            if !is_discarded {
                self.liveness.lost();
                if is_last && self.counters.queued() == self.before + self.bytes + bytes {
                    // What is open on a connection ends with it.
                    self.driver.end();
                } else {
                    let unknown = self.unanswered("EXEC was refused while more was under way");
                    outcomes.open.drain(..).for_each(|open| outcomes.each[open].fill(unknown.clone()));
                }
            }
        }
        for (half, commands) in std::mem::take(&mut outcomes.halves) {
            let is_back =
                answers.by_ref().take(commands.len()).filter(|answer| matches!(answer, Value::Int(_))).count();
            if is_back < commands.len() {
                outcomes.each[half].iter_mut().for_each(|outcome| *outcome = left_by_half(outcome));
            }
        }
    }

    /// Whether nothing has come for long although it should have.
    fn is_stuck(&self) -> bool {
        self.counters.silence().min(self.at.elapsed()) >= SILENCE
    }

    fn give_up(&self) {
        self.liveness.lost();
        self.driver.end();
    }

    fn was_written(&self) -> bool {
        self.counters.written() > self.before
    }

    fn unanswered(&self, why: &str) -> JobOutcome {
        Err(DispatchError::unconfirmed(BrokerFault::new(format!("it was sent to {}, and {why}", self.place))))
    }

    fn unsent(&self) -> JobOutcome {
        Err(DispatchError::unavailable(BrokerFault::new(format!("{} takes nothing more", self.place))))
    }
}

/// The same failure, of a message that could not be taken back.
fn left_by_half(outcome: &JobOutcome) -> JobOutcome {
    let error = outcome.as_ref().err().ok_or(()).map_or_else(|()| String::new(), |error| error.get_ref().to_string());
    let what = format!("{error}; one half of it stays there, which no worker runs, because HDEL or LREM failed");
    let fault = BrokerFault::new(what);
    let is_rejected = outcome.as_ref().is_err_and(|error| error.kind() == DispatchErrorKind::Rejected);
    Err(if is_rejected { DispatchError::rejected(fault) } else { DispatchError::unavailable(fault) })
}
