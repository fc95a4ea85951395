//! The rules of the repository, as tests.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read files and may fail"
)]

mod dependencies;
mod files;
