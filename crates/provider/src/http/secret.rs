use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use super::origin::Origin;

/// A key, or any other text that must never be seen. Wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Makes a secret of a text, without the white space around it.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.trim().to_owned()))
    }

    /// Returns the text. Only what puts it on the wire, or into a keyring, has a reason to call this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A key and the one place that it may go to.
#[derive(Debug, Clone)]
pub struct BoundKey {
    /// The key.
    pub secret: Secret,
    /// The scheme, host and port that the person bound it to.
    pub origin: Origin,
}

/// What stands where a secret stood.
const MARK: &str = "[redacted]";

/// Texts shorter than this are placeholders for servers that want some key (`ollama`, `EMPTY`):
/// taking them out of answers would spoil answers and protect nothing.
const SHORTEST_KEY: usize = 16;

/// Takes a secret out of texts, wherever it stands in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Redaction {
    secret: Option<Secret>,
}

impl Redaction {
    pub(super) fn new(secret: Option<&Secret>) -> Self {
        Self { secret: secret.filter(|secret| !secret.expose().is_empty()).cloned() }
    }

    /// Takes the secret out of what we say ourselves.
    pub(super) fn message(&self, text: &mut String) {
        if let Some(secret) = &self.secret {
            replace(text, secret.expose());
        }
    }

    /// Takes the secret out of an answer: a server may echo what it was sent.
    pub(super) fn reply(&self, reply: &mut chat::Reply) {
        let Some(secret) = self.secret.as_ref().filter(|s| s.expose().len() >= SHORTEST_KEY) else {
            return;
        };
        let secret = secret.expose();
        replace(&mut reply.text, secret);
        for text in [&mut reply.refusal, &mut reply.served_model, &mut reply.request_id]
            .into_iter()
            .flatten()
        {
            replace(text, secret);
        }
        for call in &mut reply.tool_calls {
            replace(&mut call.id, secret);
            replace(&mut call.name, secret);
            replace_in(&mut call.arguments, secret);
        }
        replace_in(&mut reply.raw_usage, secret);
        replace_in(&mut reply.extra, secret);
    }
}

fn replace(text: &mut String, secret: &str) {
    if text.contains(secret) {
        *text = text.replace(secret, MARK);
    }
}

fn replace_in(value: &mut Value, secret: &str) {
    match value {
        Value::String(text) => replace(text, secret),
        Value::Array(list) => list.iter_mut().for_each(|inner| replace_in(inner, secret)),
        Value::Object(members) => {
            if members.keys().any(|key| key.contains(secret)) {
                *value = Value::String(MARK.to_owned());
                return;
            }
            members.values_mut().for_each(|inner| replace_in(inner, secret));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        let key = BoundKey {
            secret: Secret::new(" sk-canary-0123456789 "),
            origin: "https://a.example".parse().unwrap(),
        };
        assert!(!format!("{key:?}").contains("canary"));
        assert_eq!(key.secret.expose(), "sk-canary-0123456789");
    }

    #[test]
    fn a_secret_is_taken_out_of_nested_values() {
        let mut value =
            json!({"a": ["x sk-canary-0123456789 y"], "b": {"sk-canary-0123456789": 1}});
        replace_in(&mut value, "sk-canary-0123456789");
        assert_eq!(value, json!({"a": ["x [redacted] y"], "b": "[redacted]"}));
    }
}
