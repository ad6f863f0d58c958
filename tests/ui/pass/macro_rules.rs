#![deny(warnings)]

use std::sync::Arc;

trait Store: Send + Sync {
    fn name(&self) -> &str;
}

impl Store for String {
    fn name(&self) -> &str {
        self
    }
}

macro_rules! task {
    ($name:ident($parameter:ident: $ty:ty = $default:expr, $state:ident: $borrowed:ty) $body:block) => {
        #[airlock::task(enqueue_only)]
        fn $name(#[default = $default] $parameter: $ty, #[state] $state: $borrowed) $body

        #[airlock::scoped]
        fn scoped($parameter: $ty) -> airlock::Result<()> {
            $name::enqueue($parameter)?;
            Ok(())
        }
    };
}

task! {
    send(text: Option<String> = Some("x".to_owned()), store: &dyn Store) {
        assert_eq!((text.as_deref(), store.name()), (Some("y"), "disk"));
    }
}

fn main() {
    airlock::provide_arc::<dyn Store>(Arc::new("disk".to_owned()));
    scoped(Some("y".to_owned())).unwrap();
}
