//! The macros that give names to executors, policies and lifecycles.

/// Gives an executor a name for settings: `executor = "shadow"` in `airlock.toml`, or `AIRLOCK_EXECUTOR=shadow`.
///
/// The closure is given the table of that name, `[shadow]` in the file and `AIRLOCK_SHADOW__…` in the environment, as a
/// [`SettingsTable`](crate::SettingsTable), and returns the executor, or an error. The macro stands outside of
/// functions; the crate it stands in has to be linked (`use your_crate as _;`). A name registered twice is an error of
/// every load, which names both places.
///
/// ```standalone_crate
/// airlock::register_executor!("shout", |settings| {
///     let suffix = settings.optional::<String>("suffix")?.unwrap_or_else(|| "!".to_owned());
///     Ok(airlock::executor_fn(move |intent| {
///         println!("{}{suffix}", intent.name());
///         intent.call()
///     }))
/// });
///
/// # fn main() -> Result<(), airlock::SettingsError> {
/// let settings = airlock::Settings::loader()
///     .text("airlock.toml", "executor = \"shout\"\n[shout]\nsuffix = \"?!\"\n")
///     .without_variables()
///     .load()?;
/// assert!(settings.to_string().contains("shout.suffix"));
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! register_executor {
    ($name:expr, $make:expr $(,)?) => {
        $crate::__register!(Executor, executor, $name, $make);
    };
}

/// Gives a policy a name for settings: `policy = "quiet_nights"`, or `AIRLOCK_POLICY=quiet_nights`. See
/// [`register_executor!`](crate::register_executor).
///
/// ```standalone_crate
/// use airlock::Intent;
///
/// airlock::register_policy!("only_prefix", |settings| {
///     let prefix = settings.required::<String>("prefix")?;
///     Ok(airlock::policy_fn(move |intent: &Intent| intent.name().starts_with(&prefix)))
/// });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! register_policy {
    ($name:expr, $make:expr $(,)?) => {
        $crate::__register!(Policy, policy, $name, $make);
    };
}

/// Gives a lifecycle a name for settings: `lifecycle = "audit_at_once"`, or `AIRLOCK_LIFECYCLE=audit_at_once`. See
/// [`register_executor!`](crate::register_executor).
///
/// ```standalone_crate
/// airlock::register_lifecycle!("always", |_| Ok(airlock::AlwaysFlush));
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! register_lifecycle {
    ($name:expr, $make:expr $(,)?) => {
        $crate::__register!(Lifecycle, lifecycle, $name, $make);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($kind:ident, $erase:ident, $name:expr, $make:expr) => {
        $crate::__private::inventory::submit! {
            $crate::__private::named::Named::new(
                $name,
                $crate::__private::file!(),
                $crate::__private::line!(),
                $crate::__private::named::Make::$kind(|settings| $crate::__private::named::$erase(settings, $make)),
            )
        }
    };
}
