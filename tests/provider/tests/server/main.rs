//! The test provider itself, asked over a plain socket.

#![expect(clippy::unwrap_used, reason = "a test panics where its claim fails")]

mod client;
mod delivers;
mod speaks;
