//! The core: each promise of the design by its number, and the parts behind them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod promise_01_no_scope_no_enqueue;
mod promise_02_nothing_escapes_early;
mod promise_03_how_scopes_end;
mod promise_04_order;
mod promise_05_one_outcome_each;
mod promise_06_judging_first;
mod promise_07_policies_narrow;
mod promise_08_nesting;
mod promise_09_policies_cannot_enqueue;
mod promise_10_closed_scopes;
mod promise_11_no_leaks;
mod promise_12_failures_do_not_spread;
mod promise_13_four_kinds;
mod promise_14_deadlines;
mod promise_15_errors_are_not_masked;
mod promise_16_inline_context;
mod promise_17_options;
mod promise_18_values_stay_private;
mod promise_19_no_unsafe;
mod promise_20_open_scopes;
mod promise_27_decoding_is_the_inverse;

mod encoding;
mod executors;
mod intents;
mod library;
mod names;
mod options;
mod pages;
mod parity;
mod policies;
mod registry;
mod reports;
mod rooms;
mod settings;
mod sources;
mod values;
