//! What a failed dispatch means for the intents after it.

/// What a failed dispatch means for the intents after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnFailure {
    /// They are dispatched all the same: one failure doesn't cost the others.
    #[default]
    Continue,
    /// They stay unattempted.
    FailFast,
}
