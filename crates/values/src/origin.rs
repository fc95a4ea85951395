use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Scheme, host and port of a server; as text, `https://api.openai.com` (default ports left out).
///
/// Keys and consent are bound to an origin, so two spellings of one origin must be one value, and
/// what cannot be spelled plainly (a user name, a host that is not ASCII) is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

/// A URL does not begin with an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` has no usable origin: {reason}")]
pub struct ParseOriginError {
    url: String,
    reason: &'static str,
}

impl Origin {
    /// Returns the origin of a URL, whatever path follows it.
    ///
    /// # Errors
    /// [`ParseOriginError`] for another scheme than `http` or `https`, a user name or password, an
    /// empty or unusual host, or a bad port.
    pub fn of_url(url: &str) -> Result<Self, ParseOriginError> {
        let bad = |reason| ParseOriginError { url: url.chars().take(120).collect(), reason };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("expected `https://…`"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(bad("expected http or https")),
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(bad("a user name or password does not belong in a URL"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| bad("the host is not closed"))?;
        if !is_plain_host(host) {
            return Err(bad("the host must be an ASCII name or address"));
        }
        let port = match port {
            None if secure => 443,
            None => 80,
            Some(port) => match port.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(bad("the port must be a number from 1 to 65535")),
            },
        };
        Ok(Self { secure, host: host.to_ascii_lowercase(), port })
    }

    /// Returns the host, an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Tells whether connections are encrypted.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Tells whether this is this machine itself: `localhost`, 127.0.0.0/8 or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.trim_matches(['[', ']']);
        self.host == "localhost"
            || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let (host, rest) = authority.split_at(authority.find(']')? + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    Some(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

fn is_plain_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.len() <= 253 && host.bytes().all(label)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of_url(text)
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: &str) -> String {
        Origin::of_url(url).unwrap().to_string()
    }

    #[test]
    fn spellings_of_one_origin_are_one_value() {
        assert_eq!(text("HTTPS://API.OpenAI.com:443/v1/chat?x#y"), "https://api.openai.com");
        assert_eq!(text("http://127.0.0.1:8080/v1"), "http://127.0.0.1:8080");
        assert_eq!(text("http://[::1]:11434"), "http://[::1]:11434");
    }

    #[test]
    fn disguised_hosts_are_refused() {
        for url in [
            "https://api.openai.com@evil.example/",
            "https://",
            "ftp://a.example",
            "https://ex\u{430}mple.com",
            "https://a.example:0",
            "https://a.example:99999",
            "https://[::1",
            "//a.example",
        ] {
            assert!(Origin::of_url(url).is_err(), "{url}");
        }
        assert_eq!(text("https://evil.example\\@api.openai.com"), "https://evil.example");
    }

    #[test]
    fn loopback_is_known() {
        for url in ["http://localhost:1", "http://127.9.9.9", "http://[::1]:5"] {
            assert!(Origin::of_url(url).unwrap().is_loopback(), "{url}");
        }
        assert!(!Origin::of_url("http://localhost.example").unwrap().is_loopback());
    }
}
