//! The real program against a real server that misbehaves: nothing is lost, nothing is paid twice.
//!
//! No test sleeps: each waits for what the server has seen or for the program's end.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::format_collect,
    reason = "tests start programs and read files"
)]

mod again;
mod cached;
mod costs;
mod decided;
mod disk;
mod judged;
mod keys;
mod kills;
mod kinds;
mod probed;
mod process;
mod programs;
mod project;
mod record;
mod shown;
mod spending;
mod together;
mod trouble;
