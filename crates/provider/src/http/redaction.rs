use chat::TokenLogprob;
use run::{Answer, Failure};
use serde_json::Value;
use values::{Origin, Secret};

/// A key and the one place that it may go to.
#[derive(Debug, Clone)]
pub struct BoundKey {
    /// The key.
    pub secret: Secret,
    /// The scheme, host and port that the person bound it to.
    pub origin: Origin,
}

/// Texts shorter than this are placeholders for servers that want some key (`ollama`, `EMPTY`):
/// taking them out of answers would spoil answers and protect nothing.
const SHORTEST_KEY: usize = 16;

/// The most of a failure's text that is kept, in characters: a page of HTML helps nobody.
const SHOWN: usize = 500;

/// Takes a secret out of texts, wherever it stands in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Redaction {
    secret: Option<Secret>,
}

impl Redaction {
    pub(super) fn new(secret: Option<Secret>) -> Self {
        Self { secret: secret.filter(|secret| !secret.expose().is_empty()) }
    }

    /// Takes the secret out of whatever came of a call, and then clips what a failure says.
    pub(super) fn outcome(&self, outcome: &mut Result<Box<Answer>, Box<Failure>>) {
        match outcome {
            Ok(answer) => self.reply(&mut answer.reply),
            Err(failure) => {
                self.message(&mut failure.message);
                for text in [&mut failure.hint, &mut failure.request_id].into_iter().flatten() {
                    self.message(text);
                }
            }
        }
    }

    /// Takes the secret out of what we say ourselves, and clips it.
    fn message(&self, text: &mut String) {
        if let Some(secret) = &self.secret {
            replace(text, secret);
        }
        if let Some((end, _)) = text.char_indices().nth(SHOWN) {
            text.truncate(end);
            text.push('…');
        }
    }

    /// Takes the secret out of an answer: a server may echo what it was sent.
    fn reply(&self, reply: &mut chat::Reply) {
        let Some(secret) = self.secret.as_ref().filter(|s| s.expose().len() >= SHORTEST_KEY) else {
            return;
        };
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
        if spells(&reply.logprobs, secret.expose()) {
            // The tokens would spell out what was taken out of the text.
            reply.logprobs.clear();
        }
    }
}

/// Tells whether a secret stands in tokens, in one of them or across several.
fn spells(tokens: &[TokenLogprob], secret: &str) -> bool {
    let text: String = tokens.iter().map(|one| one.token.as_str()).collect();
    text.contains(secret)
        || tokens.iter().flat_map(|one| &one.top).any(|(token, _)| token.contains(secret))
}

fn replace(text: &mut String, secret: &Secret) {
    if text.contains(secret.expose()) {
        *text = secret.redact(text);
    }
}

fn replace_in(value: &mut Value, secret: &Secret) {
    match value {
        Value::String(text) => replace(text, secret),
        Value::Array(list) => list.iter_mut().for_each(|inner| replace_in(inner, secret)),
        Value::Object(members) => {
            // A key cannot be renamed in place; an object that carries the secret there is hostile.
            if members.keys().any(|key| key.contains(secret.expose())) {
                *value = Value::String(secret.redact(secret.expose()));
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
    fn a_secret_is_taken_out_of_nested_values() {
        let mut value =
            json!({"a": ["x sk-canary-0123456789 y"], "b": {"sk-canary-0123456789": 1}});
        replace_in(&mut value, &Secret::new("sk-canary-0123456789"));
        assert_eq!(value, json!({"a": ["x [key] y"], "b": "[key]"}));
    }

    const KEY: &str = "sk-canary-0123456789";

    fn failed(message: String) -> String {
        let failure = Failure {
            kind: run::FailureKind::Authentication,
            message,
            hint: None,
            status: Some(401),
            request_id: None,
            retry: run::Retry::Never,
            bill: run::Bill::Nothing,
        };
        let mut outcome = Err(Box::new(failure));
        Redaction::new(Some(Secret::new(KEY))).outcome(&mut outcome);
        outcome.unwrap_err().message
    }

    #[test]
    fn a_secret_that_clipping_would_cut_in_two_is_taken_out_whole() {
        for before in SHOWN - KEY.len()..=SHOWN {
            let message = failed(format!("{}{KEY} is no key", "x".repeat(before)));
            assert!(!message.contains("sk-can"), "{before}: {message}");
            assert!(message.chars().count() <= SHOWN + 1);
        }
        assert_eq!(failed("short".to_owned()), "short");
        assert!(failed("ä".repeat(1000)).ends_with("ä…"));
    }

    #[test]
    fn tokens_that_spell_out_the_secret_are_not_kept() {
        let token = |text: &str| TokenLogprob {
            token: text.to_owned(),
            logprob: -0.1,
            top: vec![(text.to_owned(), -0.1)],
        };
        let tokens = |texts: &[&str]| texts.iter().map(|text| token(text)).collect::<Vec<_>>();
        assert!(spells(&tokens(&["it is ", "sk-canary-", "0123456789"]), KEY));
        assert!(!spells(&tokens(&["it is ", "sk-canary-"]), KEY));
        let mut only_likely = tokens(&["a"]);
        only_likely[0].top.push((KEY.to_owned(), -2.0));
        assert!(spells(&only_likely, KEY));
    }
}
