//! What rsyslog loads, behind the C of `c/`. No panic crosses the border: a function that would gives its caller an error instead.

mod connections;
mod line;
mod reader;
mod settings;
mod stream;
pub mod unread;

use std::panic::{catch_unwind, AssertUnwindSafe};

/// What a function gives, or `failed` where it panics. Its state is dropped or replaced by whoever sees `failed`.
fn guarded<T>(failed: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(failed)
}
