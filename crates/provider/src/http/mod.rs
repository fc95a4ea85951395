//! Sending calls over HTTP, once each, without ever following a redirect or retrying.

mod base_url;
mod client;
mod document;
mod exchange;
mod failure;
mod headers;
mod probe;
mod redaction;
mod settings;

pub use base_url::BaseUrlError;
pub use client::HttpClient;
pub(crate) use document::DocumentClient;
pub use redaction::BoundKey;
pub use settings::{Network, SettingsError};
