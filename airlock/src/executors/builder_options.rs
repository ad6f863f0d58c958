//! The options of an executor: builder methods, which are keys of its table in settings as well.

/// An option is one function below its documentation. It becomes a builder method and a key of that name, so that
/// neither is without the other:
///
/// ```text
/// pub fn threads(executor, threads: usize) from positive_count { … }
///                `self`    what the        how the key is read: a method of `OptionReader`
///                          method takes
/// ```
///
/// What no file can say, such as a function to call, is a method beside the macro.
macro_rules! builder_options {
    (
        impl $type:ident;
        $(
            $(#[$about:meta])*
            pub fn $option:ident($executor:ident $(, $argument:ident: $taken:ty)?) from $read:ident $change:block
        )*
    ) => {
        impl $type {
            $(
                $(#[$about])*
                pub fn $option(self $(, $argument: $taken)?) -> Self {
                    let $executor = self;
                    $change
                }
            )*

            /// What is made, with the options of the table. Every key is read before the first mistake ends it, so that
            /// all mistakes are reported at once.
            #[allow(unused_parens, reason = "the pattern of an option that takes something has some to spare")]
            fn read_options<R: $crate::executors::OptionReader>(
                table: &mut R,
                make: impl FnOnce(&mut R) -> Result<Self, R::Error>,
            ) -> Result<Self, R::Error> {
                $(let $option = table.$read(stringify!($option));)*
                let mut executor = make(table)?;
                $(
                    // One that takes nothing is read as nothing: `Some(())` calls it.
                    if let Some(($($argument)?)) = $option? {
                        executor = executor.$option($($argument)?);
                    }
                )*
                Ok(executor)
            }
        }
    };
}

pub(crate) use builder_options;
pub(crate) use reader::OptionReader;

mod reader {
    use std::fmt::Display;
    use std::time::Duration;

    /// Reads the options of an executor by the names of their builder methods: a table of settings. Each method gives what
    /// the builder method takes, or `None` where the option is left out.
    pub(crate) trait OptionReader {
        type Error;

        /// A URL, wiped when it is dropped.
        type Url: AsRef<str>;

        fn text(&mut self, key: &str) -> Result<Option<String>, Self::Error>;

        /// Text that isn't empty.
        fn filled_text(&mut self, key: &str) -> Result<Option<String>, Self::Error>;

        fn bool(&mut self, key: &str) -> Result<Option<bool>, Self::Error>;

        /// Of a method that takes nothing: `Some` calls it.
        fn flag(&mut self, key: &str) -> Result<Option<()>, Self::Error>;

        fn small_number(&mut self, key: &str) -> Result<Option<u8>, Self::Error>;

        fn small_numbers(&mut self, key: &str) -> Result<Option<Vec<u8>>, Self::Error>;

        fn priority(&mut self, key: &str) -> Result<Option<u8>, Self::Error>;

        fn bytes(&mut self, key: &str) -> Result<Option<usize>, Self::Error>;

        fn count(&mut self, key: &str) -> Result<Option<usize>, Self::Error>;

        /// A number of which none would be too few.
        fn positive_count(&mut self, key: &str) -> Result<Option<usize>, Self::Error>;

        fn duration(&mut self, key: &str) -> Result<Option<Duration>, Self::Error>;

        #[cfg(feature = "_secret")]
        fn secret_key(&mut self, key: &str) -> Result<Option<crate::SecretKey>, Self::Error>;

        /// One that has to be there.
        #[cfg(feature = "_secret")]
        fn needed_secret_key(&mut self, key: &str) -> Result<crate::SecretKey, Self::Error>;

        /// `url`, which has to be there.
        fn url(&mut self) -> Result<Self::Url, Self::Error>;

        /// What is wrong with the `url`.
        fn refuse_url(&mut self, reason: impl Display) -> Self::Error;
    }
}
