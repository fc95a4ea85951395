use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use chat::Protocol;

use crate::{MaxTokensParameter, ModelFacts, ProviderSettings, Timeouts, default_concurrency};

/// The name of the provider whose models run inside this process.
pub const EMBEDDED: &str = "embedded";
/// The name of the embedded model that `scripts/setup` installs.
pub const SMOLLM2: &str = "smollm2-135m";
/// The SHA-256 of its file, SmolLM2-135M-Instruct in Q4_1.
pub const SMOLLM2_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/// Where a well-known key may go, and which environment variable usually holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDefault {
    /// The key's name.
    pub name: &'static str,
    /// The only origin that it may be sent to.
    pub origin: &'static str,
    /// The environment variable.
    pub variable: &'static str,
}

const KEYS: [KeyDefault; 5] = [
    KeyDefault { name: "openai", origin: "https://api.openai.com", variable: "OPENAI_API_KEY" },
    KeyDefault {
        name: "anthropic",
        origin: "https://api.anthropic.com",
        variable: "ANTHROPIC_API_KEY",
    },
    KeyDefault {
        name: "gemini",
        origin: "https://generativelanguage.googleapis.com",
        variable: "GEMINI_API_KEY",
    },
    KeyDefault {
        name: "openrouter",
        origin: "https://openrouter.ai",
        variable: "OPENROUTER_API_KEY",
    },
    KeyDefault { name: "groq", origin: "https://api.groq.com", variable: "GROQ_API_KEY" },
];

/// Returns what is known of a key by its name.
pub fn well_known_key(name: &str) -> Option<KeyDefault> {
    KEYS.into_iter().find(|key| key.name == name)
}

/// Returns the providers that need no declaration, by name.
pub fn built_in_providers() -> BTreeMap<String, ProviderSettings> {
    use Protocol::{Anthropic, Embedded, Gemini, Ollama, OpenaiChat, OpenaiResponses};
    let rows = [
        ("openai", OpenaiChat, Some("https://api.openai.com/v1"), Some("openai")),
        ("openai-responses", OpenaiResponses, Some("https://api.openai.com/v1"), Some("openai")),
        ("anthropic", Anthropic, Some("https://api.anthropic.com"), Some("anthropic")),
        (
            "gemini",
            Gemini,
            Some("https://generativelanguage.googleapis.com/v1beta"),
            Some("gemini"),
        ),
        // The name that Dotprompt's own examples and Genkit use for the same.
        (
            "googleai",
            Gemini,
            Some("https://generativelanguage.googleapis.com/v1beta"),
            Some("gemini"),
        ),
        ("openrouter", OpenaiChat, Some("https://openrouter.ai/api/v1"), Some("openrouter")),
        ("groq", OpenaiChat, Some("https://api.groq.com/openai/v1"), Some("groq")),
        ("ollama", Ollama, Some("http://localhost:11434"), None),
        ("lmstudio", OpenaiChat, Some("http://localhost:1234/v1"), None),
        (EMBEDDED, Embedded, None, None),
    ];
    rows.into_iter()
        .map(|(name, protocol, base_url, key)| {
            (name.to_owned(), new_provider(name, protocol, base_url, key))
        })
        .collect()
}

/// Makes a provider with the defaults of its protocol.
pub(crate) fn new_provider(
    name: &str,
    protocol: Protocol,
    base_url: Option<&str>,
    key: Option<&str>,
) -> ProviderSettings {
    let own_spelling = name == "openai";
    let mut models = BTreeMap::new();
    if protocol == Protocol::Embedded {
        let facts = ModelFacts { context_tokens: Some(2_048), ..ModelFacts::default() };
        let sha256 = Some(SMOLLM2_SHA256.parse().expect("the constant is a hash"));
        models.insert(SMOLLM2.to_owned(), ModelFacts { sha256, ..facts });
    }
    // One context serves eight sequences of the embedded model, and more would wait anyway.
    let few = NonZeroU32::new(8).expect("8 is not 0");
    ProviderSettings {
        name: name.to_owned(),
        protocol,
        base_url: base_url.map(str::to_owned),
        key: key.map(str::to_owned),
        headers: BTreeMap::new(),
        concurrency: if protocol == Protocol::Embedded { few } else { default_concurrency() },
        requests_per_minute: None,
        timeouts: Timeouts::default(),
        max_tokens_parameter: if own_spelling {
            MaxTokensParameter::MaxCompletionTokens
        } else {
            MaxTokensParameter::MaxTokens
        },
        stream: false,
        default_max_output_tokens: if protocol == Protocol::Embedded { 256 } else { 4_096 },
        models,
        listed: Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_providers_have_usable_origins_and_known_keys() {
        for provider in built_in_providers().values() {
            if let Some(origin) = provider.origin() {
                let origin = origin.unwrap().to_string();
                if let Some(key) = &provider.key {
                    assert_eq!(well_known_key(key).unwrap().origin, origin, "{}", provider.name);
                }
            }
        }
    }

    #[test]
    fn only_the_embedded_model_is_known_to_be_free() {
        let providers = built_in_providers();
        assert!(providers[EMBEDDED].tariff(SMOLLM2).unwrap().is_free());
        assert_eq!(providers["openai"].tariff("gpt-5"), None);
        assert!(providers[EMBEDDED].models[SMOLLM2].sha256.is_some());
    }
}
