//! What editors rely on: the function is there once, token for token, whatever else is emitted.

use proc_macro2::TokenStream;

use super::{scoped, task};

const BODY: &str = "{ let unusual_word = order_id ; println ! (\"{unusual_word}\") ; }";

fn function(signature: &str) -> TokenStream {
    format!("/// Documented.\n#[inline] pub(crate) {signature} {BODY}").parse().expect("tokens")
}

fn expand(options: &str, signature: &str) -> String {
    task(options.parse().expect("tokens"), function(signature)).to_string()
}

/// How often the body is there, and whether the whole function is, as it was written.
fn survival(expansion: &str, signature: &str) -> (usize, bool) {
    let written: TokenStream = format!("{signature} {BODY}").parse().expect("tokens");
    (expansion.matches("let unusual_word = order_id").count(), expansion.contains(&written.to_string()))
}

#[test]
fn the_function_is_emitted_once_and_as_written() {
    for signature in ["fn send(order_id: u64)", "async fn send(mut order_id: u64) -> Result<(), String>"] {
        for options in ["", "queue = \"mail\", priority = 5", "enqueue_only", "shim", "companion = Send, positional"] {
            let expansion = expand(options, signature);
            assert_eq!(survival(&expansion, signature), (1, true), "{options}: {expansion}");
        }
    }
}

#[test]
fn the_function_survives_every_mistake() {
    for (options, signature) in [
        ("quue = \"mail\"", "fn send(order_id: u64)"),
        ("enqueue_only, shim", "fn send(order_id: u64)"),
        ("= = 5, ,", "fn send(order_id: u64)"),
        ("", "fn send<T>(self, order_id: &T)"),
        ("", "unsafe extern \"C\" fn send(order_id: u64, (a, b): (u8, u8))"),
    ] {
        let expansion = expand(options, signature);
        assert_eq!(survival(&expansion, signature), (1, true), "{options}: {expansion}");
        assert!(expansion.contains("compile_error"), "{expansion}");
        assert!(!expansion.contains("TaskEntry :: new") || signature == "fn send(order_id: u64)", "{expansion}");
    }
    let item: TokenStream = "struct Send { order_id : u64 }".parse().expect("tokens");
    for expansion in [task(TokenStream::new(), item.clone()), scoped(TokenStream::new(), item.clone())] {
        assert!(expansion.to_string().starts_with(&item.to_string()), "{expansion}");
    }
}

#[test]
fn a_scoped_function_keeps_its_signature_and_its_body() {
    let signature = "async fn pay<'a>(&'a self, order_id: u64) -> airlock::Result<&'a u64>";
    let expansion = scoped(TokenStream::new(), function(signature)).to_string();
    assert!(expansion.contains("async fn pay < 'a > (& 'a self , order_id : u64) -> airlock :: Result < & 'a u64 >"));
    assert_eq!(expansion.matches("let unusual_word = order_id").count(), 1, "{expansion}");
}

#[test]
fn the_options_of_a_task_are_one_call_however_many_there_are() {
    let length = |options| expand(options, "fn send(order_id: u64)").split_whitespace().count();
    let one = length("queue = \"mail\"");
    let all =
        length("queue = \"mail\", priority = 5, max_retries = 3, delay = \"5m\", expires = \"1h\", timeout = \"9s\"");
    assert!(all < one + 200, "{one} tokens for one option, {all} for six");
}

/// The compiler looks each lint up that it does not know, among all that it does: this was a tenth of what a task costs.
#[test]
fn lints_of_clippy_are_named_to_clippy_alone() {
    for options in ["", "enqueue_only", "shim"] {
        let expansion = expand(options, "fn send(order_id: u64)");
        let attributes = expansion.split("# [").skip(1).filter_map(|rest| rest.split(']').next());
        let (told, rest): (Vec<_>, Vec<_>) =
            attributes.partition(|attribute| attribute.starts_with("cfg_attr (clippy"));
        assert!(!told.is_empty(), "{options}: {expansion}");
        assert!(!rest.iter().any(|attribute| attribute.contains("clippy")), "{options}: {rest:?}");
    }
}

#[test]
fn tasks_of_well_known_types_need_no_trait_of_their_own() {
    for (signature, needs_trait) in [
        ("fn send(order_id: u64, tags: Vec<String>)", false),
        ("fn send(order_id: u64, tags: Vec<Option<Tag>>)", true),
        ("fn send(order_id: other::String)", true),
    ] {
        assert_eq!(expand("", signature).contains("trait __AirlockTyped"), needs_trait, "{signature}");
    }
}
