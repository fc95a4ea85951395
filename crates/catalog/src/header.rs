/// Words that make a header's name one that carries a credential.
const CREDENTIAL_WORDS: [&str; 19] = [
    "auth",
    "authenticate",
    "authentication",
    "authorization",
    "apikey",
    "bearer",
    "cookie",
    "cookie2",
    "credential",
    "credentials",
    "jwt",
    "key",
    "passwd",
    "password",
    "secret",
    "session",
    "sid",
    "signature",
    "token",
];

/// Headers that frame the message or decide its way, and so are never a setting.
const OWN_HEADERS: [&str; 12] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Why a header may not stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderRefusal {
    /// It carries a credential, and those live in the keyring.
    Credential,
    /// The client sets it itself.
    Own,
}

/// Tells why a header that settings want to send along is refused; `None` if it is not.
///
/// The one list for what files may say and for what clients send, so that what is read without an
/// error can be sent. Names are compared word by word, whatever their case.
pub fn header_refusal(name: &str, value: &str) -> Option<HeaderRefusal> {
    let name = name.to_ascii_lowercase();
    if OWN_HEADERS.contains(&name.as_str()) {
        return Some(HeaderRefusal::Own);
    }
    let is_credential = |word: &str| {
        CREDENTIAL_WORDS.contains(&word) || CREDENTIAL_WORDS.contains(&word.trim_end_matches('s'))
    };
    let named = name.starts_with("proxy-") || name.split(['-', '_']).any(is_credential);
    (named || looks_like_credential(value)).then_some(HeaderRefusal::Credential)
}

fn looks_like_credential(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    ["bearer ", "basic ", "sk-", "aiza"].iter().any(|start| value.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_carry_credentials_are_refused() {
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "x-api-key",
            "api-key",
            "apikey",
            "X-Goog-Api-Key",
            "Helicone-Auth",
            "cf-access-token",
            "X-Auth-Tokens",
            "x_secret",
        ] {
            assert_eq!(header_refusal(name, "v"), Some(HeaderRefusal::Credential), "{name}");
        }
        for value in ["Bearer abc", " sk-abc", "AIzaSy"] {
            assert_eq!(header_refusal("x-note", value), Some(HeaderRefusal::Credential), "{value}");
        }
    }

    #[test]
    fn the_clients_own_headers_are_refused() {
        for name in ["Host", "Content-Length", "Transfer-Encoding", "Connection"] {
            assert_eq!(header_refusal(name, "v"), Some(HeaderRefusal::Own), "{name}");
        }
    }

    #[test]
    fn ordinary_headers_are_not_refused() {
        for name in [
            "OpenAI-Organization",
            "OpenAI-Project",
            "HTTP-Referer",
            "X-Title",
            "anthropic-beta",
            "User-Agent",
            "x-portkey-trace-id",
        ] {
            assert_eq!(header_refusal(name, "v"), None, "{name}");
        }
    }
}
