use std::collections::BTreeMap;

use chat::Protocol;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use values::{Origin, Secret};

use super::base_url::BaseUrlError;

/// What the person's own configuration says of the network. The environment is never asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The proxy for everything but this machine itself.
    pub proxy: Option<String>,
    /// Certificate authorities to trust beside Mozilla's, as PEM.
    pub extra_ca_pem: Vec<u8>,
    /// The largest answer to read, in bytes.
    pub max_answer_bytes: usize,
}

impl Default for Network {
    fn default() -> Self {
        Self { proxy: None, extra_ca_pem: Vec::new(), max_answer_bytes: 32 << 20 }
    }
}

/// A client cannot be made of these settings. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The protocol is not spoken over HTTP to a model.
    #[error("`{0}` is not a protocol over HTTP for models")]
    Protocol(Protocol),
    /// There is no base URL.
    #[error("the provider has no base URL")]
    NoBaseUrl,
    /// The base URL cannot be used.
    #[error("the base URL: {0}")]
    BaseUrl(#[from] BaseUrlError),
    /// The key was bound to another place than the one that these settings name.
    #[error("the key may go to {bound} only, and the provider is at {wanted}")]
    KeyBoundElsewhere {
        /// Where the key may go.
        bound: Origin,
        /// Where these settings would send it.
        wanted: Origin,
    },
    /// The key cannot stand in a header.
    #[error("the key has characters that a header cannot carry")]
    KeyUnsendable,
    /// A header's name or value is not one.
    #[error("`{0}` is not a header that can be sent")]
    BadHeader(String),
    /// A header that carries credentials, or that the client sets itself.
    #[error("the header `{0}` may not be set: keys are named, and the rest is the client's own")]
    ReservedHeader(String),
    /// The proxy cannot be used.
    #[error("the proxy's URL cannot be used")]
    Proxy,
    /// The certificates cannot be read.
    #[error("the extra certificate authorities: {0}")]
    Certificates(String),
    /// The client could not be made.
    #[error("the HTTP client could not be made: {0}")]
    Client(String),
}

/// Checks the headers that settings want to send along.
pub(super) fn extra_headers(
    wanted: &BTreeMap<String, String>,
    secret: Option<&Secret>,
) -> Result<HeaderMap, SettingsError> {
    let mut headers = HeaderMap::new();
    for (name, value) in wanted {
        let bad = || SettingsError::BadHeader(name.chars().take(80).collect());
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let value_parsed = HeaderValue::from_str(value).map_err(|_| bad())?;
        let carries_key = secret.is_some_and(|secret| value.contains(secret.expose()));
        if catalog::header_refusal(name, value).is_some() || carries_key {
            return Err(SettingsError::ReservedHeader(parsed.as_str().to_owned()));
        }
        headers.insert(parsed, value_parsed);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<HeaderMap, SettingsError> {
        extra_headers(
            &[(name.to_owned(), value.to_owned())].into(),
            Some(&Secret::new("canary-key")),
        )
    }

    #[test]
    fn headers_that_carry_credentials_are_refused() {
        for name in ["Authorization", "x-api-key", "Content-Length"] {
            assert!(check(name, "v").is_err(), "{name}");
        }
        for value in ["Bearer abc", "sk-abc", "prefix canary-key"] {
            let error = check("x-note", value).unwrap_err().to_string();
            assert!(!error.contains(value), "{error}");
        }
    }

    #[test]
    fn ordinary_headers_are_sent_along() {
        assert_eq!(check("OpenAI-Organization", "v").unwrap().len(), 1);
        assert!(check("bad name", "v").is_err() && check("x", "a\nb").is_err());
    }
}
