//! What is set.

use std::time::Duration;

use super::{Extra, Options, When};

impl Options {
    /// See [`queue`](Self::queue).
    #[must_use]
    pub fn get_queue(&self) -> Option<&str> {
        self.queue.as_deref()
    }

    /// See [`priority`](Self::priority).
    #[must_use]
    pub fn get_priority(&self) -> Option<u8> {
        self.priority
    }

    /// See [`max_retries`](Self::max_retries).
    #[must_use]
    pub fn get_max_retries(&self) -> Option<u32> {
        self.max_retries
    }

    /// See [`delay`](Self::delay) and [`eta`](Self::eta).
    #[must_use]
    pub fn get_start(&self) -> Option<When> {
        self.start
    }

    /// See [`expires_in`](Self::expires_in) and [`expires_at`](Self::expires_at).
    #[must_use]
    pub fn get_expiry(&self) -> Option<When> {
        self.expiry
    }

    /// See [`timeout`](Self::timeout).
    #[must_use]
    pub fn get_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// See [`origin`](Self::origin).
    #[must_use]
    pub fn get_origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// See [`label`](Self::label).
    #[must_use]
    pub fn get_label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Names and values, in the order they were set.
    #[must_use]
    pub fn get_headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The extras of every system, in the order they were set.
    #[must_use]
    pub fn get_extras(&self) -> &[Extra] {
        &self.extras
    }
}
