//! Sending calls over HTTP, once each, without ever following a redirect or retrying.

mod client;
mod exchange;
mod failure;
mod headers;
mod origin;
mod secret;
mod settings;

pub use client::HttpClient;
pub use origin::{Origin, ParseOriginError};
pub use secret::{BoundKey, Secret};
pub use settings::{HttpSettings, SettingsError, Timeouts};
