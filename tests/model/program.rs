//! Random programs: what a user's code may do with scopes, as data.
//!
//! Numbers in a program are dynamic where it matters: handles are taken modulo those there are, and intents, scopes
//! and policies are numbered as they come into being, so that every part of a program can be cut out and the rest
//! still means something.

use airlock::OnFailure;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Statements run one after the other outside of any scope; a panic ends only the one it happens in.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) statements: Vec<Statement>,
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    /// The body returns an error.
    Fail,
    Panic,
}

#[derive(Debug, Clone)]
pub(crate) enum Statement {
    Enqueue(Call),
    /// Through a handle, to whatever scope it is one of; maybe the same intent a second time.
    Push {
        handle: usize,
        call: Call,
        twice: bool,
    },
    Look {
        handle: usize,
    },
    /// Takes one more handle here, with the local policies in force.
    TakeHandle,
    /// In an async body: lets others run.
    Yield,
    Scope(Box<ScopeStatement>),
    Local {
        policy: PolicySpec,
        form: LocalForm,
        body: Block,
    },
    /// Stops panics, not errors.
    Catch(Block),
    /// Runs the body with another scope as the current one.
    Carry {
        handle: usize,
        how: Carry,
        body: Block,
    },
    /// A thread that nothing is carried into.
    Thread(Block),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) task: Task,
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Note,
    Mail,
    /// An `async fn`.
    Later,
    /// A `local` one.
    Near,
    /// One without a body.
    Remote,
}

/// What happens at the hand-over, by argument. Inline tasks know `Fail`, `Panic` and `Enqueue`; all else is `Well`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Fate {
    Well,
    Fail,
    /// Of the task or of the executor.
    Panic,
    Reject,
    Unavailable,
    Unconfirmed,
    /// Never settled.
    Forget,
    /// The executor goes home after this one.
    End,
    /// `accepts` says no.
    Refuse,
    /// It enqueues something itself.
    Enqueue,
}

#[derive(Debug, Clone)]
pub(crate) struct ScopeStatement {
    pub(crate) policy: Option<PolicySpec>,
    pub(crate) executor: ExecutorSpec,
    pub(crate) lifecycle: LifecycleSpec,
    pub(crate) on_failure: OnFailure,
    pub(crate) form: Form,
    pub(crate) on_error: OnError,
    /// Whether a failed scope makes the body around it fail.
    pub(crate) propagate: bool,
    pub(crate) body: Block,
}

#[derive(Debug, Clone)]
pub(crate) enum Form {
    Run { unit: bool, reported: bool },
    Guard(GuardEnd),
    Async { reported: bool, drive: Drive },
}

#[derive(Debug, Clone)]
pub(crate) enum GuardEnd {
    Flush,
    Discard,
    Drop,
    Seal { meanwhile: Block, then: SealEnd },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum SealEnd {
    Dispatch,
    /// Awaited, maybe given up after some polls.
    DispatchAsync(Option<usize>),
    Discard,
    Drop,
}

#[derive(Debug, Clone)]
pub(crate) enum Drive {
    /// Awaited in an async body, polled to the end elsewhere.
    Await,
    /// Polled by hand, with other statements between the polls, and dropped after so many.
    ByHand { polls: Option<usize>, between: Vec<Statement> },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum LocalForm {
    Run,
    Enter,
    Wrap,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Carry {
    Run,
    Thread,
    Wrap,
}

/// What becomes of an error that is not returned.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OnError {
    Drop,
    Take,
    Resend { unconfirmed: bool, lenient: bool },
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PolicySpec {
    pub(crate) rule: Rule,
    /// It tries to enqueue while it is asked.
    pub(crate) nosy: bool,
}

/// Intents are told apart by number. A `Closure` is one that the library knows not to look at enqueues.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    Unless { modulus: u64, rest: u64 },
    Closure { modulus: u64, rest: u64 },
    Quota(usize),
    RejectIf { modulus: u64, rest: u64 },
    RejectAfter(usize),
    PanicIf { modulus: u64, rest: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExecutorSpec {
    /// The default: inline.
    Inline,
    /// Settles by the task's argument; with a pause in each dispatch, or without.
    Script { slow: bool },
    /// The same as a closure.
    Closure,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum LifecycleSpec {
    OnSuccess,
    Always,
    Never,
    ReleaseNested,
    ReleaseIf {
        modulus: u64,
        rest: u64,
    },
    /// Releases, and panics at some.
    PanicIf {
        modulus: u64,
        rest: u64,
    },
}

pub(crate) fn program() -> impl Strategy<Value = Program> {
    let nested = block(leaf().boxed(), 4).prop_recursive(4, 40, 4, |inner| block(compound(inner), 5));
    // At the top, scopes are what is of interest.
    let top = prop_oneof![12 => scope(nested.clone().boxed()), 1 => compound(nested.boxed())];
    vec(top, 1..4).prop_map(|statements| Program { statements })
}

fn block(statement: BoxedStrategy<Statement>, most: usize) -> BoxedStrategy<Block> {
    let end = prop_oneof![16 => Just(End::Done), 2 => Just(End::Fail), 2 => Just(End::Panic)];
    let statement = prop_oneof![1 => leaf(), 1 => statement];
    (vec(statement, 0..=most), end).prop_map(|(statements, end)| Block { statements, end }).boxed()
}

fn leaf() -> impl Strategy<Value = Statement> + Clone {
    prop_oneof![
        20 => call().prop_map(Statement::Enqueue),
        3 => (0..8_usize, call(), prop::bool::weighted(0.2))
            .prop_map(|(handle, call, twice)| Statement::Push { handle, call, twice }),
        1 => (0..8_usize).prop_map(|handle| Statement::Look { handle }),
        1 => Just(Statement::TakeHandle),
        3 => Just(Statement::Yield),
    ]
}

fn compound(inner: BoxedStrategy<Block>) -> BoxedStrategy<Statement> {
    let form = prop_oneof![Just(LocalForm::Run), Just(LocalForm::Enter), Just(LocalForm::Wrap)];
    let how = prop_oneof![2 => Just(Carry::Run), 6 => Just(Carry::Thread), 2 => Just(Carry::Wrap)];
    prop_oneof![
        8 => scope(inner.clone()),
        3 => (policy(), form, inner.clone()).prop_map(|(policy, form, body)| Statement::Local { policy, form, body }),
        3 => inner.clone().prop_map(Statement::Catch),
        5 => (0..8_usize, how, inner.clone()).prop_map(|(handle, how, body)| Statement::Carry { handle, how, body }),
        1 => inner.prop_map(Statement::Thread),
    ]
    .boxed()
}

fn scope(body: BoxedStrategy<Block>) -> impl Strategy<Value = Statement> + Clone {
    let executor = prop_oneof![
        3 => Just(ExecutorSpec::Inline),
        3 => any::<bool>().prop_map(|slow| ExecutorSpec::Script { slow }),
        1 => Just(ExecutorSpec::Closure),
    ];
    let on_failure = prop_oneof![2 => Just(OnFailure::Continue), 1 => Just(OnFailure::FailFast)];
    let on_error = prop_oneof![
        3 => Just(OnError::Drop),
        1 => Just(OnError::Take),
        2 => any::<(bool, bool)>().prop_map(|(unconfirmed, lenient)| OnError::Resend { unconfirmed, lenient }),
    ];
    let described = (option::weighted(0.6, policy()), executor, lifecycle(), on_failure);
    (described, form(), on_error, prop::bool::weighted(0.2), body).prop_map(
        |((policy, executor, lifecycle, on_failure), form, on_error, propagate, body)| {
            let statement = ScopeStatement { policy, executor, lifecycle, on_failure, form, on_error, propagate, body };
            Statement::Scope(Box::new(statement))
        },
    )
}

fn form() -> impl Strategy<Value = Form> + Clone {
    let polls = || option::weighted(0.6, 0..6_usize);
    let then = prop_oneof![
        4 => Just(SealEnd::Dispatch),
        2 => polls().prop_map(SealEnd::DispatchAsync),
        1 => Just(SealEnd::Discard),
        1 => Just(SealEnd::Drop),
    ];
    let meanwhile = prop_oneof![6 => Just(End::Done), 1 => Just(End::Fail), 1 => Just(End::Panic)];
    let meanwhile = (vec(leaf(), 0..3), meanwhile).prop_map(|(statements, end)| Block { statements, end });
    let end = prop_oneof![
        3 => Just(GuardEnd::Flush),
        1 => Just(GuardEnd::Discard),
        1 => Just(GuardEnd::Drop),
        3 => (meanwhile, then).prop_map(|(meanwhile, then)| GuardEnd::Seal { meanwhile, then }),
    ];
    let drive = prop_oneof![
        1 => Just(Drive::Await),
        2 => (polls(), vec(leaf(), 0..3)).prop_map(|(polls, between)| Drive::ByHand { polls, between }),
    ];
    prop_oneof![
        4 => (prop::bool::weighted(0.2), any::<bool>()).prop_map(|(unit, reported)| Form::Run { unit, reported }),
        3 => end.prop_map(Form::Guard),
        4 => (any::<bool>(), drive).prop_map(|(reported, drive)| Form::Async { reported, drive }),
    ]
}

fn call() -> impl Strategy<Value = Call> + Clone {
    let task = prop_oneof![
        12 => Just(Task::Note),
        6 => Just(Task::Mail),
        2 => Just(Task::Later),
        2 => Just(Task::Near),
        1 => Just(Task::Remote),
    ];
    let fate = prop_oneof![
        40 => Just(Fate::Well),
        3 => Just(Fate::Fail),
        2 => Just(Fate::Panic),
        2 => Just(Fate::Reject),
        2 => Just(Fate::Unavailable),
        2 => Just(Fate::Unconfirmed),
        1 => Just(Fate::Forget),
        1 => Just(Fate::End),
        1 => Just(Fate::Refuse),
        1 => Just(Fate::Enqueue),
    ];
    (task, fate).prop_map(|(task, fate)| Call { task, fate })
}

fn policy() -> impl Strategy<Value = PolicySpec> + Clone {
    let some = || (2..5_u64, 0..5_u64);
    let rule = prop_oneof![
        6 => some().prop_map(|(modulus, rest)| Rule::Unless { modulus, rest }),
        3 => some().prop_map(|(modulus, rest)| Rule::Closure { modulus, rest }),
        4 => (0..5_usize).prop_map(Rule::Quota),
        3 => some().prop_map(|(modulus, rest)| Rule::RejectIf { modulus, rest }),
        2 => (1..5_usize).prop_map(Rule::RejectAfter),
        1 => (5..9_u64, 0..5_u64).prop_map(|(modulus, rest)| Rule::PanicIf { modulus, rest }),
    ];
    (rule, prop::bool::weighted(0.1)).prop_map(|(rule, nosy)| PolicySpec { rule, nosy })
}

fn lifecycle() -> impl Strategy<Value = LifecycleSpec> + Clone {
    let some = || (2..4_u64, 0..4_u64);
    prop_oneof![
        10 => Just(LifecycleSpec::OnSuccess),
        4 => Just(LifecycleSpec::ReleaseNested),
        3 => some().prop_map(|(modulus, rest)| LifecycleSpec::ReleaseIf { modulus, rest }),
        3 => Just(LifecycleSpec::Always),
        1 => Just(LifecycleSpec::Never),
        1 => (4..7_u64, 0..4_u64).prop_map(|(modulus, rest)| LifecycleSpec::PanicIf { modulus, rest }),
    ]
}
