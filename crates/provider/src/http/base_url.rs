use std::str::FromStr;

use reqwest::Url;
use values::{Origin, ParseOriginError};

/// An origin and the path below which a provider's endpoints lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl {
    pub(super) origin: Origin,
    /// Without a slash at its end; empty if the URL has no path.
    pub(super) prefix: String,
}

/// The text is not a URL below which endpoints can lie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It has no usable origin.
    #[error(transparent)]
    Origin(#[from] ParseOriginError),
    /// Endpoints cannot be appended to a query or a fragment.
    #[error("a query or a fragment does not belong in a base URL")]
    Trailing,
    /// The host is written in a way that is read in more than one way (`0x7f.1`).
    #[error("the host of {0} has a plainer spelling: use that")]
    Ambiguous(Origin),
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origin = Origin::of_url(text)?;
        // What is checked and what is connected to have to be one place, so the parser that connects
        // is asked as well.
        let url = Url::parse(text).map_err(|_| BaseUrlError::Ambiguous(origin.clone()))?;
        if url.origin().ascii_serialization() != origin.to_string() {
            return Err(BaseUrlError::Ambiguous(origin));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Trailing);
        }
        Ok(Self { origin, prefix: url.path().trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_an_origin_and_a_path() {
        for (text, origin, prefix) in [
            ("HTTPS://A.example:443/openai/v1/", "https://a.example", "/openai/v1"),
            ("http://localhost:11434", "http://localhost:11434", ""),
            ("http://[::1]:80/", "http://[::1]", ""),
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!((base.origin.to_string().as_str(), base.prefix.as_str()), (origin, prefix));
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "http://2130706433",
            "http://0x7f.1/v1",
            "http://127.1",
            "http://[0:0::1]",
            "https://a.example/?key=canary",
            "https://a.example/#x",
            "https://u:canary@a.example",
            "a.example",
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text}");
        }
    }
}
