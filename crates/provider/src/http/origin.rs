use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// A scheme, host and port; as text `https://api.openai.com`, with the port where it is not the
/// scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

/// The text is not an HTTP origin or base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseOriginError {
    text: String,
    expected: &'static str,
}

impl Origin {
    /// Returns the text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether it is this machine itself: `localhost`, 127.0.0.0/8, or `::1`.
    pub fn is_loopback(&self) -> bool {
        let url = Url::parse(&self.0).expect("was parsed when made");
        let host = url.host_str().unwrap_or_default();
        let address =
            host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let base: BaseUrl = text.parse()?;
        if !base.prefix.is_empty() {
            return Err(error(text, "an origin such as https://api.openai.com, without a path"));
        }
        Ok(base.origin)
    }
}

/// An origin and the path below which a provider's endpoints lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl {
    pub(super) origin: Origin,
    /// Without a slash at its end; empty if the URL has no path.
    pub(super) prefix: String,
}

impl FromStr for BaseUrl {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "a URL such as https://api.openai.com/v1, without a user, query or fragment";
        let url = Url::parse(text).map_err(|_| error(text, expected))?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !plain {
            return Err(error(text, expected));
        }
        let origin = Origin(url.origin().ascii_serialization());
        Ok(Self { origin, prefix: url.path().trim_end_matches('/').to_owned() })
    }
}

/// A mistyped URL may hold a password or a key, so only what stands before them is shown.
fn error(text: &str, expected: &'static str) -> ParseOriginError {
    let shown = text.split(['?', '#']).next().unwrap_or_default();
    let shown = match shown.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => shown.to_owned(),
    };
    ParseOriginError { text: shown.chars().take(120).collect(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_in_one_spelling() {
        for (text, expected) in [
            ("HTTPS://API.OpenAI.com:443/", "https://api.openai.com"),
            ("http://localhost:11434", "http://localhost:11434"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://2130706433", "http://127.0.0.1"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), expected);
        }
        let base: BaseUrl = "https://a.example/openai/v1/".parse().unwrap();
        assert_eq!(
            (base.origin.as_str(), base.prefix.as_str()),
            ("https://a.example", "/openai/v1")
        );
    }

    #[test]
    fn what_is_no_base_url_is_refused_without_showing_a_password() {
        for text in
            ["api.openai.com", "ftp://a", "https://u:canary@a.example", "https://a/?key=canary"]
        {
            let error = text.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
        assert!("https://a.example/v1".parse::<Origin>().is_err());
    }

    #[test]
    fn loopback_is_known_by_address_not_by_look() {
        let loopback = |text: &str| text.parse::<Origin>().unwrap().is_loopback();
        assert!(
            loopback("http://localhost:1")
                && loopback("http://127.9.9.9")
                && loopback("http://[::1]")
        );
        assert!(!loopback("http://localhost.example") && !loopback("http://10.0.0.1"));
    }
}
