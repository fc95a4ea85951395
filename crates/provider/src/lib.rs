//! Model clients: what puts a request on the wire and reads the answer.
//!
//! `wire/` encodes and decodes, purely, one module per protocol; `http/` sends; `embedded/` runs a
//! GGUF file in this process; targets hand a case to the user's own application; replay answers
//! from recordings. Retrying, caching, caps and records are the engine's business, not a client's.

mod client;
#[cfg(feature = "embedded-model")]
pub mod embedded;
mod http;
mod replay;
mod stop;
mod target;
pub mod wire;

pub use client::{Client, PrepareError, RateHints, Sent};
pub use http::{BaseUrlError, BoundKey, HttpClient, Network, SettingsError};
pub use replay::{Replay, ReplayClient};
pub use target::{
    BadReading, BadTemplate, HttpTarget, HttpTargetSpec, ProgramCommand, ProgramRun, ProgramTarget,
    Reading, TARGET_ADAPTER_VERSION, Template, Trusted, run_program,
};
