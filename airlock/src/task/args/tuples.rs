//! Tuples as arguments, and how a task with such arguments is made. A task costs the compiler a tuple and the types in
//! it: what is written here is compiled for each tuple, and all else once.

use std::mem;

use super::{Args, Argument, BoundArguments};
use crate::encode::Encode;
use crate::state::State;
use crate::task::{
    AnyCall, AnyTask, Call, CallError, Marks, Parameter, SharedBody, Started, TaskDefinition, TaskEntry, TaskFn, moved,
    share,
};

macro_rules! tuples {
    ($make:ident $($name:ident $index:tt)*) => {
        /// What every task has, and the compiler's question about each parameter's type: nothing else that an expansion
        /// touches has bounds on them, as each would be one more error about the same parameter. `itself` is where the
        /// entry will be.
        #[doc(hidden)]
        #[must_use]
        #[track_caller]
        pub const fn $make<$($name: Argument),*>(
            itself: &'static TaskEntry<($($name,)*)>,
            name: &'static str,
            module_path: &'static str,
            parameters: &'static [Parameter],
            run: TaskFn<($($name,)*)>,
        ) -> TaskEntry<($($name,)*)> {
            TaskEntry { definition: TaskDefinition::new(name, module_path, parameters, itself), run, share }
        }

        impl<$($name: Argument),*> Args for ($($name,)*) {
            fn get(&self, index: usize) -> &dyn Encode {
                match index {
                    $($index => &self.$index,)*
                    _ => unreachable!("a task has as many arguments as parameters"),
                }
            }
        }

        impl<$($name: Argument),*> AnyTask for TaskEntry<($($name,)*)> {
            #[allow(unused_variables, reason = "the empty tuple has no fields")]
            #[allow(clippy::question_mark, reason = "a `?` is functions of its own for each tuple")]
            fn decode(&self, bound: &mut BoundArguments) -> Option<SharedBody> {
                let args = ($(match bound.take::<$name>($index) {
                    Some(value) => value,
                    None => return None,
                },)*);
                Some((self.share)(self.run, args, Marks::NEW))
            }
        }

        impl<$($name: Argument),*> AnyCall for Call<($($name,)*)> {
            #[allow(unused_variables, reason = "the empty tuple has no fields")]
            fn argument(&self, index: usize) -> &dyn Encode {
                match (self, index) {
                    $((Self::Waiting { args, .. }, $index) => &args.$index,)*
                    _ => moved(),
                }
            }

            #[allow(unused_variables, reason = "the empty tuple has no fields")]
            fn copy(&self) -> SharedBody {
                match self {
                    Self::Waiting { run, args } => share(*run, ($(args.$index.clone(),)*), Marks::TAKEN),
                    Self::Moved => moved(),
                }
            }

            fn start(&mut self, state: &State) -> Result<Started, CallError> {
                match mem::replace(self, Self::Moved) {
                    Self::Waiting { run, args } => run(args, state),
                    Self::Moved => moved(),
                }
            }
        }
    };
}

tuples!(task_0);
tuples!(task_1 T0 0);
tuples!(task_2 T0 0 T1 1);
tuples!(task_3 T0 0 T1 1 T2 2);
tuples!(task_4 T0 0 T1 1 T2 2 T3 3);
tuples!(task_5 T0 0 T1 1 T2 2 T3 3 T4 4);
tuples!(task_6 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5);
tuples!(task_7 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6);
tuples!(task_8 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7);
tuples!(task_9 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8);
tuples!(task_10 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9);
tuples!(task_11 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10);
tuples!(task_12 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11);
tuples!(task_13 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12);
tuples!(task_14 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12 T13 13);
tuples!(task_15 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12 T13 13 T14 14);
tuples!(task_16 T0 0 T1 1 T2 2 T3 3 T4 4 T5 5 T6 6 T7 7 T8 8 T9 9 T10 10 T11 11 T12 12 T13 13 T14 14 T15 15);
