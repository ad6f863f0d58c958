//! Expansions work wherever a function can stand, whatever it is called.

use std::sync::atomic::{AtomicU64, Ordering};

use airlock::{Task, TaskKind};

mod mail {
    use super::{AtomicU64, Ordering};

    pub(super) static SENT: AtomicU64 = AtomicU64::new(0);

    #[airlock::task(name = "hygiene.send")]
    pub(super) fn send(order_id: u64) {
        SENT.fetch_add(order_id, Ordering::Relaxed);
    }

    pub(super) mod inner {
        #[airlock::task(name = "hygiene.visible_above")]
        pub(in super::super) fn visible_above(order_id: u64) {
            super::send(order_id);
        }
    }
}

/// Lints that only clippy knows; those of the compiler are in `ui/pass/strict_lints.rs`.
mod strict {
    #![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, clippy::cargo)]

    #[airlock::task(name = "hygiene.strict", timeout = "5s")]
    pub(super) fn strict(order_id: u64, text: String) -> Result<(), std::fmt::Error> {
        if order_id == 0 || text == "fail" { Err(std::fmt::Error) } else { Ok(()) }
    }

    #[airlock::scoped]
    pub(super) async fn scoped(count: &mut u64, mut by: u64) -> airlock::Result<&u64> {
        by += 1;
        *count += std::future::ready(by).await;
        if by > 3 {
            return Ok(count);
        }
        Ok(count)
    }

    #[airlock::scoped(on_flush_error = drop)]
    pub(super) fn nothing(mut by: u64) {
        by += 1;
        assert!(by > 0);
    }
}

#[test]
fn one_import_brings_the_function_and_its_companion() -> airlock::Result<()> {
    use mail::send;

    airlock::scope().run(|| -> airlock::Result<()> {
        send::enqueue(20)?;
        send(1);
        mail::inner::visible_above::enqueue(300)?;
        Ok(())
    })?;
    assert_eq!(mail::SENT.load(Ordering::Relaxed), 321);
    Ok(())
}

#[test]
fn a_task_may_be_defined_in_a_function_body() -> airlock::Result<()> {
    static SENT: AtomicU64 = AtomicU64::new(0);

    #[airlock::task(name = "hygiene.in_a_body")]
    fn send(order_id: u64) {
        SENT.fetch_add(order_id, Ordering::Relaxed);
    }

    airlock::scope().run(|| send::enqueue(42).map(drop).map_err(airlock::Error::from))?;
    assert_eq!(SENT.load(Ordering::Relaxed), 42);
    assert!(airlock::registry().get("hygiene.in_a_body").is_some());
    Ok(())
}

#[test]
fn raw_identifiers_are_plain_on_the_wire() {
    #[airlock::task]
    fn r#match(r#in: u64, send: u64) {
        let _ = (r#in, send);
    }

    assert_eq!(r#match::NAME, "match");
    let intent = r#match::intent(1, 2);
    assert_eq!(intent.to_string(), "match(in=1, send=2)");
    assert!(airlock::registry().get("match").is_some());
}

#[test]
fn a_task_may_come_out_of_a_macro() {
    macro_rules! tasks {
        ($krate:path: $($name:ident($parameter:ident: $ty:ty) as $wire:literal, $priority:expr;)*) => {
            $(
                #[airlock::task(name = $wire, priority = $priority, crate = $krate)]
                fn $name($parameter: $ty) {
                    let _ = $parameter;
                }
            )*
        };
    }

    tasks! {
        ::airlock: first(text: Option<String>) as "hygiene.first", 3; second(pair: (u8, u8)) as "hygiene.second", 4;
    }

    let first = first::definition();
    assert_eq!((first.name, first.parameters[0].type_name), ("hygiene.first", "Option<String>"));
    assert_eq!(second::definition().options.get_priority(), Some(4));
}

#[test]
fn definitions_say_where_and_what() {
    #[airlock::task(name = "hygiene.described")]
    async fn described(ids: Vec<Option<u64>>, #[redact] token: String) {
        let _ = (ids, token);
    }

    let definition = described::definition();
    assert_eq!(definition.module_path, module_path!());
    assert_eq!((definition.file, definition.line), (file!(), line!() - 7));
    assert_eq!(definition.kind, TaskKind::Async);
    let parameters: Vec<_> = definition.parameters.iter().map(|p| (p.name, p.type_name, p.redacted)).collect();
    assert_eq!(parameters, [("ids", "Vec<Option<u64>>", false), ("token", "String", true)]);
}

#[test]
fn intents_know_the_call_that_made_them() {
    let intent = mail::send::intent(1);
    assert_eq!((intent.location().file(), intent.location().line()), (file!(), line!() - 1));
}

#[test]
fn functions_under_strict_lints_still_work() -> airlock::Result<()> {
    let _ = strict::strict::intent(1, String::new());
    assert!(strict::strict(1, String::new()).is_ok());
    strict::nothing(1);
    assert_eq!(futures::executor::block_on(strict::scoped(&mut 1, 1))?, &3);
    Ok(())
}
