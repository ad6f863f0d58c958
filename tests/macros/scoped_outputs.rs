//! What a `#[scoped]` function may return, how that is judged, and what becomes of a flush error.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Mutex;

use airlock::{AlwaysFlush, DispatchError, FlushError, Intent};
use airlock_tests::recorder::Recorder;
use futures::executor::block_on;

#[airlock::task(name = "scoped_outputs.note")]
fn note(id: u64) {
    let _ = id;
}

fn down(_: Intent) -> Result<(), DispatchError> {
    Err(DispatchError::unavailable("down"))
}

/// As in a web framework.
#[derive(Debug, PartialEq)]
struct Status(u16);

#[derive(Debug, PartialEq)]
struct Response(u16);

trait IntoResponse {
    fn status(&self) -> u16;
}

impl IntoResponse for Response {
    fn status(&self) -> u16 {
        self.0
    }
}

fn below_400(response: &Response) -> bool {
    response.0 < 400
}

fn answered(response: &impl IntoResponse) -> bool {
    response.status() < 400
}

fn unavailable(_: FlushError) -> Status {
    Status(503)
}

fn unavailable_response(_: FlushError) -> Response {
    Response(503)
}

static TOLD: Mutex<usize> = Mutex::new(0);

fn tell(error: FlushError) {
    *TOLD.lock().unwrap() += error.into_intents().len();
}

#[airlock::scoped(executor = down, lifecycle = AlwaysFlush, on_flush_error = unavailable)]
fn status(fails: bool) -> Result<u64, Status> {
    note::enqueue(1).unwrap();
    if fails { Err(Status(404)) } else { Ok(1) }
}

#[airlock::scoped(executor = down, on_flush_error = unavailable)]
async fn status_later() -> Result<impl IntoResponse + std::fmt::Debug, Status> {
    note::enqueue(1).unwrap();
    Ok(Response(200))
}

#[test]
fn the_function_of_on_flush_error_may_give_the_error_of_the_result() {
    assert_eq!(status(false), Err(Status(503)));
    assert_eq!(status(true), Err(Status(404)), "the body's own error stays");
    assert_eq!(block_on(status_later()).unwrap_err(), Status(503));
}

#[airlock::scoped(executor = recorder.clone(), succeeded = below_400, on_flush_error = unavailable_response)]
async fn respond(recorder: &Recorder, status: u16) -> Response {
    note::enqueue(u64::from(status)).unwrap();
    Response(status)
}

#[airlock::scoped(executor = recorder.clone(), succeeded = answered, on_flush_error = drop)]
fn respond_somehow(recorder: &Recorder, status: u16) -> impl IntoResponse {
    note::enqueue(u64::from(status)).unwrap();
    Response(status)
}

#[airlock::scoped(executor = recorder.clone(), succeeded = Option::is_some, on_flush_error = drop)]
fn find(recorder: &Recorder, id: u64) -> Option<u64> {
    note::enqueue(id).unwrap();
    id.checked_sub(1)
}

#[airlock::scoped(executor = recorder.clone(), succeeded = Result::is_err)]
fn on_errors(recorder: &Recorder, id: u64) -> airlock::Result<u64> {
    note::enqueue(id)?;
    id.checked_sub(1).ok_or_else(|| airlock::Error::other("no"))
}

#[test]
fn succeeded_says_whether_any_type_is_a_success() {
    let recorder = Recorder::new();
    for status in [200, 404] {
        assert_eq!(block_on(respond(&recorder, status)), Response(status));
        assert_eq!(respond_somehow(&recorder, status).status(), status);
    }
    assert_eq!(find(&recorder, 1), Some(0));
    assert_eq!(find(&recorder, 0), None);
    on_errors(&recorder, 5).unwrap();
    on_errors(&recorder, 0).unwrap_err();
    let ids = [200, 200, 1, 0].map(|id| format!("scoped_outputs.note(id={id})"));
    assert_eq!(recorder.calls(), ids);
}

#[airlock::scoped(executor = down, succeeded = below_400, on_flush_error = unavailable_response)]
fn answer(status: u16) -> Response {
    note::enqueue(1).unwrap();
    Response(status)
}

#[airlock::scoped(executor = down, lifecycle = AlwaysFlush, succeeded = below_400, on_flush_error = unavailable_response)]
async fn answer_always(status: u16) -> Response {
    note::enqueue(1).unwrap();
    Response(status)
}

#[test]
fn the_function_of_on_flush_error_may_give_what_the_function_returns() {
    assert_eq!(answer(200), Response(503));
    assert_eq!(answer(404), Response(404), "nothing was flushed");
    assert_eq!(block_on(answer_always(200)), Response(503));
    assert_eq!(block_on(answer_always(404)), Response(404), "the body's own answer stays");
}

#[airlock::scoped(executor = down, on_flush_error = tell)]
fn told() -> Result<(), ()> {
    note::enqueue(1).map(drop).map_err(drop)
}

#[airlock::scoped(executor = down, on_flush_error = tell)]
fn nothing() {
    note::enqueue(1).unwrap();
}

#[test]
fn a_function_that_gives_nothing_changes_nothing() {
    told().unwrap();
    nothing();
    assert_eq!(*TOLD.lock().unwrap(), 2);
}

/// Notes its caller, as an `eyre::Report` does.
#[derive(Debug)]
struct Located(&'static Location<'static>);

impl From<FlushError> for Located {
    #[track_caller]
    fn from(_: FlushError) -> Self {
        Self(Location::caller())
    }
}

const LOCATED: u32 = line!() + 2;

#[airlock::scoped(executor = down)]
fn located() -> Result<(), Located> {
    note::enqueue(1).unwrap();
    Ok(())
}

const LOCATED_LATER: u32 = line!() + 2;

#[airlock::scoped(executor = down)]
async fn located_later() -> Result<(), Located> {
    note::enqueue(1).unwrap();
    Ok(())
}

#[track_caller]
#[airlock::scoped(executor = down)]
fn located_at_the_caller() -> Result<(), Located> {
    note::enqueue(1).unwrap();
    Ok(())
}

#[test]
fn an_error_that_notes_its_caller_notes_the_users_code() {
    let body = || {
        note::enqueue(1).unwrap();
        Ok::<(), Located>(())
    };
    let run = (airlock::scope().executor(down).run(body), line!());
    let run_async = block_on(async {
        let scope = airlock::scope().executor(down);
        (scope.run_async(async { body() }).await, line!())
    });
    let caller = (located_at_the_caller(), line!());
    for (error, line) in [(located(), LOCATED), (block_on(located_later()), LOCATED_LATER), run, run_async, caller] {
        let noted = error.unwrap_err().0;
        assert_eq!((noted.file(), noted.line()), (file!(), line));
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[airlock::scoped(executor = recorder.clone())]
fn boxed<'a>(recorder: &'a Recorder, id: &'a u64) -> Pin<Box<dyn Future<Output = airlock::Result<u64>> + Send + 'a>> {
    Box::pin(async move {
        note::enqueue(*id)?;
        assert_eq!(recorder.calls().len(), 0);
        Ok(*id)
    })
}

#[airlock::scoped(executor = recorder.clone())]
fn aliased(recorder: &Recorder, id: u64) -> BoxFuture<'_, airlock::Result<u64>> {
    if id == 0 {
        return Box::pin(async { Err(airlock::Error::other("no")) });
    }
    Box::pin(async move {
        note::enqueue(id)?;
        Ok(id)
    })
}

#[airlock::scoped(executor = recorder.clone())]
fn opaque(recorder: &Recorder, id: u64) -> impl Future<Output = airlock::Result<u64>> + Send + use<> {
    async move {
        note::enqueue(id)?;
        if id == 0 { Err(airlock::Error::other("no")) } else { Ok(id) }
    }
}

#[async_trait::async_trait]
trait Shop {
    async fn pay(&self, id: u64, note: String) -> airlock::Result<usize>;
}

#[async_trait::async_trait]
impl Shop for Recorder {
    #[airlock::scoped(name = "pay", executor = self.clone())]
    async fn pay(&self, id: u64, note: String) -> airlock::Result<usize> {
        note::enqueue(id)?;
        std::future::ready(()).await;
        Ok(note.len() + self.calls().len())
    }
}

#[test]
fn a_plain_function_that_returns_a_future_is_taken_as_an_async_one() {
    let recorder = Recorder::new();
    assert_eq!(block_on(boxed(&recorder, &1)).unwrap(), 1);
    drop(boxed(&recorder, &2));
    block_on(aliased(&recorder, 0)).unwrap_err();
    assert_eq!(block_on(aliased(&recorder, 3)).unwrap(), 3);
    block_on(opaque(&recorder, 0)).unwrap_err();
    assert_eq!(block_on(opaque(&recorder, 4)).unwrap(), 4);
    assert_eq!(block_on(recorder.pay(5, String::new())).unwrap(), 3);
    let ids = [1, 3, 4, 5].map(|id| format!("scoped_outputs.note(id={id})"));
    assert_eq!(recorder.calls(), ids);
}
