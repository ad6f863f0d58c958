//! Tuples as arguments. A task costs the compiler a tuple and the types in it: all else is written for any tuple.

use super::{Args, Argument, BoundArguments};
use crate::encode::Encode;
use crate::task::{Make, TaskEntry};

macro_rules! tuples {
    ($make:ident $($name:ident $index:tt)*) => {
        /// Asks the compiler about each parameter's type. Stands outside `__private` because it is named in messages.
        #[doc(hidden)]
        #[must_use]
        pub const fn $make<$($name: Argument),*>(
            entry: &'static TaskEntry<($($name,)*)>,
        ) -> Make<($($name,)*)> {
            Make::of(entry)
        }

        impl<$($name: Argument),*> Args for ($($name,)*) {
            fn get(&self, index: usize) -> &dyn Encode {
                match index {
                    $($index => &self.$index,)*
                    _ => unreachable!("a task has as many arguments as parameters"),
                }
            }

            #[allow(unused_variables, reason = "the empty tuple has no fields")]
            #[allow(clippy::question_mark, reason = "a `?` is functions of its own for each tuple")]
            fn decode(bound: &mut BoundArguments) -> Option<Self> {
                Some(($(match bound.take::<$name>($index) {
                    Some(value) => value,
                    None => return None,
                },)*))
            }

            #[allow(clippy::unused_unit, reason = "the empty tuple has no fields")]
            fn duplicate(&self) -> Self {
                ($(self.$index.clone(),)*)
            }
        }
    };
}

tuples!(arguments_0);
tuples!(arguments_1 T0 0);
tuples!(arguments_2 T0 0 T1 1);
tuples!(arguments_3 T0 0 T1 1 T2 2);
tuples!(arguments_4 T0 0 T1 1 T2 2 T3 3);
tuples!(arguments_5 T0 0 T1 1 T2 2 T3 3 T4 4);
tuples!(arguments_6 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5);
tuples!(arguments_7 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6);
tuples!(arguments_8 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7);
tuples!(arguments_9 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8);
tuples!(arguments_10 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9);
tuples!(arguments_11 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10);
tuples!(arguments_12 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11);
tuples!(arguments_13 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12);
tuples!(arguments_14 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12 T13 13);
tuples!(arguments_15 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12 T13 13 T14 14);
tuples!(arguments_16 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12 T13 13 T14 14 T15 15);
