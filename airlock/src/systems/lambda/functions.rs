//! Which function runs a task.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::dispatch::Rejection;
use crate::intent::Intent;
use crate::runtime::panics::catch_panic;

/// More than any name, ARN or partial ARN with a qualifier has (256 in the API's model of 2026).
const LONGEST: usize = 256;

type Choose = dyn Fn(&Intent) -> Option<String> + Send + Sync;

/// The user's mapping: a table, and what is asked about tasks that it lacks.
#[derive(Clone, Default)]
pub(super) struct Functions {
    named: HashMap<String, String>,
    otherwise: Option<Arc<Choose>>,
}

impl Functions {
    pub(super) fn add(&mut self, task: String, function: String) {
        self.named.insert(task, function);
    }

    pub(super) fn otherwise(&mut self, choose: impl Fn(&Intent) -> Option<String> + Send + Sync + 'static) {
        self.otherwise = Some(Arc::new(choose));
    }

    /// The function of the intent's task.
    pub(super) fn of(&self, intent: &Intent) -> Result<String, Rejection> {
        let task = intent.name();
        let function = match (self.named.get(task), &self.otherwise) {
            (Some(function), _) => Some(function.clone()),
            (None, Some(choose)) => catch_panic(|| choose(intent))
                .map_err(|_| Rejection::new(format!("what names the function of task `{task}` panicked")))?,
            (None, None) => None,
        };
        let function = function.ok_or_else(|| {
            Rejection::new(format!(
                "no function is set for task `{task}`; name it with `LambdaExecutor::function` or `functions_by`"
            ))
        })?;
        check(&function).map(|()| function)
    }
}

/// Whether the text names a function: its name, its ARN or a part of that, each with or without a version or alias.
fn check(function: &str) -> Result<(), Rejection> {
    let written = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'$');
    if function.is_empty() || function.len() > LONGEST || !function.bytes().all(written) {
        return Err(Rejection::new(format!(
            "the function's name is empty, longer than {LONGEST} bytes, or has other characters than letters, digits, `-` and `_`; \
             give it a name or an ARN"
        )));
    }
    Ok(())
}

/// Whether a version or an alias is part of the name: `name:live`, `…:function:name:live`.
pub(super) fn has_qualifier(function: &str) -> bool {
    let named = function.rsplit_once(":function:").map(|(_, name)| name);
    named.or_else(|| function.strip_prefix("function:")).unwrap_or(function).contains(':')
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").field("named", &self.named).field("otherwise", &self.otherwise.is_some()).finish()
    }
}
