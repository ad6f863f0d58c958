//! The least that does the same job: what somebody in a hurry would write by hand for one program.
//!
//! A thread's stack of scopes, a locked vector a scope, policies asked at the call and in the flush, tasks called
//! through a pointer. No ids, no places of calls, no outcomes, no order across scopes, no care for panics. A plausible
//! minimum, not a proven one.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::{Arc, LazyLock, Mutex};

/// What a task takes, behind one pointer.
type Boxed = Box<dyn Any + Send + Sync>;

/// One wish.
pub(crate) struct Intent {
    name: &'static str,
    args: Boxed,
    run: fn(Boxed) -> Result<(), Box<dyn Error>>,
    show: fn(&(dyn Any + Send + Sync)) -> String,
    origin: Option<Box<str>>,
    options: Option<Box<u64>>,
    local: Option<Arc<u64>>,
}

const _: () = assert!(size_of::<Intent>() == 80);

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let empty = self.origin.is_none() && self.options.is_none() && self.local.is_none();
        write!(f, "{}({}){}", self.name, (self.show)(&*self.args), if empty { "" } else { " with options" })
    }
}

/// Asked at the call and in the flush.
pub(crate) trait Policy: Send + Sync {
    fn on_enqueue(&self, _intent: &Intent) -> Result<(), Refused> {
        Ok(())
    }

    fn allows(&self, intent: &Intent) -> bool;
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Refused;

struct AllowAll;

impl Policy for AllowAll {
    fn allows(&self, _intent: &Intent) -> bool {
        true
    }
}

struct DropAll;

impl Policy for DropAll {
    fn allows(&self, _intent: &Intent) -> bool {
        false
    }
}

struct BlockTasks(HashSet<&'static str>);

impl Policy for BlockTasks {
    fn allows(&self, intent: &Intent) -> bool {
        !self.0.contains(intent.name)
    }
}

pub(crate) static ALLOW_ALL: LazyLock<Arc<dyn Policy>> = LazyLock::new(|| Arc::new(AllowAll));

pub(crate) fn drop_all() -> Arc<dyn Policy> {
    Arc::new(DropAll)
}

pub(crate) fn block(names: impl IntoIterator<Item = &'static str>) -> Arc<dyn Policy> {
    Arc::new(BlockTasks(names.into_iter().collect()))
}

struct Scope {
    policy: Arc<dyn Policy>,
    intents: Mutex<Vec<Intent>>,
}

thread_local! {
    static STACK: RefCell<Vec<Arc<Scope>>> = const { RefCell::new(Vec::new()) };
}

/// Runs the body in a scope; at its end its policy judges what it holds, and the rest goes to the scope around or runs.
pub(crate) fn scope(policy: &Arc<dyn Policy>, body: impl FnOnce()) {
    let scope = Arc::new(Scope { policy: Arc::clone(policy), intents: Mutex::default() });
    STACK.with_borrow_mut(|stack| stack.push(scope));
    body();
    let (scope, parent) = STACK.with_borrow_mut(|stack| (stack.pop().unwrap(), stack.last().cloned()));
    let mut intents = mem::take(&mut *scope.intents.lock().unwrap());
    intents.retain(|intent| scope.policy.allows(intent));
    match parent {
        Some(parent) => {
            let mut outer = parent.intents.lock().unwrap();
            if outer.is_empty() { *outer = intents } else { outer.append(&mut intents) }
        }
        None => intents.into_iter().for_each(|intent| (intent.run)(intent.args).unwrap()),
    }
}

/// Records one call.
pub(crate) fn enqueue(id: u64, text: String) -> Result<(), Refused> {
    let intent = Intent {
        name: "task",
        args: Box::new((id, text)),
        run: |args| {
            let (id, text) = *args.downcast::<(u64, String)>().unwrap();
            super::cases::nothing(id, &text);
            Ok(())
        },
        show: |args| format!("{:?}", args.downcast_ref::<(u64, String)>()),
        origin: None,
        options: None,
        local: None,
    };
    STACK.with_borrow(|stack| {
        let scope = stack.last().ok_or(Refused)?;
        scope.policy.on_enqueue(&intent)?;
        scope.intents.lock().unwrap().push(intent);
        Ok(())
    })
}
