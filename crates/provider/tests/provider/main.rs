//! The provider crate as its callers use it: real sockets, realistic bodies.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod agreement;
mod decoding;
mod golden;
mod http;
mod network;
mod server;
mod support;
