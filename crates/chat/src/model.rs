use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A model of a provider; as text, `provider/model` (`openai/gpt-5`, `embedded/smollm2-135m`).
///
/// The provider is a name that `trysquare.yaml` declares or that is built in. The model's own name
/// may contain slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelRef {
    /// The provider's name.
    pub provider: String,
    /// The model's name, as the provider spells it.
    pub model: String,
}

/// The text does not name a provider and a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseModelRefError {
    text: String,
}

impl fmt::Display for ParseModelRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not name a model: expected `provider/model`", self.text)
    }
}

impl std::error::Error for ParseModelRefError {}

impl FromStr for ModelRef {
    type Err = ParseModelRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((provider, model)) if !provider.is_empty() && !model.is_empty() => {
                Ok(Self { provider: provider.to_owned(), model: model.to_owned() })
            }
            _ => Err(ParseModelRefError { text: text.chars().take(120).collect() }),
        }
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl Serialize for ModelRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_part_keeps_its_slashes() {
        let model: ModelRef = "router/meta/llama-3".parse().unwrap();
        assert_eq!((model.provider.as_str(), model.model.as_str()), ("router", "meta/llama-3"));
        assert_eq!(model.to_string(), "router/meta/llama-3");
        assert!("gpt-5".parse::<ModelRef>().is_err());
    }
}
