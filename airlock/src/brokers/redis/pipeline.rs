//! One job as one pipeline.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use redis::{RedisResult, Value};
use tokio::task::unconstrained;

use super::stream::Traffic;
use super::{Driver, RedisConnection, pack, replies};
use crate::brokers::fault::BrokerFault;
use crate::brokers::job::{Answer, Job, Outcome};
use crate::brokers::link::{Alive, Back};
use crate::brokers::message::RedisMessage;
use crate::error::DispatchError;
use crate::executors::BoxFuture;

/// A connection on which nothing has come for this long although an answer is due is given up.
const SILENCE: Duration = Duration::from_secs(1);

type Answered = BoxFuture<'static, RedisResult<Vec<Value>>>;

/// Puts the job behind what was sent before, and answers it in a task of its own.
pub(super) fn send(through: &mut RedisConnection, job: Job<RedisMessage>, back: Back<RedisMessage>) {
    let pipeline = pack::pack(&job.messages);
    let before = through.queued;
    through.queued += pipeline.bytes;
    let mut connection = through.connection.clone();
    let count = pipeline.commands.len();
    // Unconstrained, because a poll without budget would not take its place in the line.
    let mut answered: Answered =
        Box::pin(unconstrained(async move { connection.send_packed_commands(&pipeline.commands, 0, count).await }));
    let pending = match answered.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(result) => Pending::Done(result),
        std::task::Poll::Pending => Pending::Waiting(answered),
    };
    let sent = Sent {
        place: Arc::clone(&through.place),
        alive: through.alive.clone(),
        traffic: Arc::clone(&through.traffic),
        driver: Arc::clone(&through.driver),
        before,
        at: Instant::now(),
    };
    tokio::spawn(sent.answer(pending, job, back));
}

enum Pending {
    Done(RedisResult<Vec<Value>>),
    Waiting(Answered),
}

/// A pipeline that is in the connection's hands.
struct Sent {
    place: Arc<str>,
    alive: Alive,
    traffic: Arc<Traffic>,
    driver: Arc<Driver>,
    /// How many bytes come before its first.
    before: u64,
    at: Instant,
}

impl Sent {
    async fn answer(self, pending: Pending, job: Job<RedisMessage>, back: Back<RedisMessage>) {
        let mut answered = match pending {
            Pending::Done(result) => return self.conclude(result, job, &back),
            Pending::Waiting(answered) => answered,
        };
        if let Some(result) = job.patience.for_answer(&mut answered).await {
            return self.conclude(result, job, &back);
        }
        if self.is_stuck() {
            self.give_up();
            // Without the driver it ends at once, and it is known what was written.
            let _ = answered.await;
            let outcome = if self.was_written() { self.unanswered("no answer came in time") } else { self.unsent() };
            return job.answer.all(&outcome);
        }
        job.answer.all(&self.unanswered("no answer came in time"));
        drop((job.messages, back));
        // The answer may still come, and must not be taken for another one; or the connection is dead.
        while tokio::time::timeout(SILENCE, &mut answered).await.is_err() {
            if self.is_stuck() {
                return self.give_up();
            }
        }
    }

    fn conclude(&self, result: RedisResult<Vec<Value>>, job: Job<RedisMessage>, back: &Back<RedisMessage>) {
        match result {
            Ok(values) => self.read(&values, &job.messages, job.answer),
            Err(_) => {
                self.alive.lost();
                if self.was_written() {
                    job.answer.all(&self.unanswered("the connection ended before the answer"));
                } else {
                    back.give(job);
                }
            }
        }
    }

    fn read(&self, values: &[Value], messages: &[RedisMessage], answer: Answer) {
        let outcomes = replies::outcomes(&self.place, values, messages);
        if outcomes.are_of_another_server {
            // The name may lead to another server by now.
            self.alive.lost();
        }
        answer.each(outcomes.each);
    }

    /// Whether nothing has come for long although it should have.
    fn is_stuck(&self) -> bool {
        self.traffic.silence().min(self.at.elapsed()) >= SILENCE
    }

    fn give_up(&self) {
        self.alive.lost();
        self.driver.end();
    }

    fn was_written(&self) -> bool {
        self.traffic.written() > self.before
    }

    fn unanswered(&self, why: &str) -> Outcome {
        Err(DispatchError::unconfirmed(BrokerFault::new(format!("it was sent to {}, and {why}", self.place))))
    }

    fn unsent(&self) -> Outcome {
        Err(DispatchError::unavailable(BrokerFault::new(format!("{} takes nothing more", self.place))))
    }
}
