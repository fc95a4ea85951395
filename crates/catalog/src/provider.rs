use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use chat::Protocol;
use serde::{Deserialize, Serialize};
use values::{ContentHash, Origin};

use crate::{PriceList, Tariff};

/// A provider as the project declares it, or as it is built in. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderSettings {
    /// Its name, the part of `provider/model` before the slash.
    pub name: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Where it is, with the path that the protocol's own paths are appended to; `None` for models
    /// inside this process.
    pub base_url: Option<String>,
    /// The name of the key that it wants.
    pub key: Option<String>,
    /// Headers to send with every request.
    pub headers: BTreeMap<String, String>,
    /// How many calls it is given at once.
    pub concurrency: NonZeroU32,
    /// How many calls a run gives it in a minute, retries included; `None` is as many as it takes.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How the limit of output tokens is spelled, where servers of one protocol differ.
    pub max_tokens_parameter: MaxTokensParameter,
    /// Whether answers are streamed, which gives the time to the first token.
    pub stream: bool,
    /// The limit of output tokens that is sent where a prompt states none.
    pub default_max_output_tokens: u64,
    /// What is known of its models, by name.
    pub models: BTreeMap<String, ModelFacts>,
    /// What price lists say of models at its origin; what the project states goes before.
    #[serde(skip)]
    pub listed: Arc<BTreeMap<String, Arc<Tariff>>>,
}

impl ProviderSettings {
    /// Returns the origin of the base URL.
    ///
    /// # Errors
    /// The URL's, though settings that were read have been checked.
    pub fn origin(&self) -> Option<Result<Origin, values::ParseOriginError>> {
        self.base_url.as_deref().map(Origin::of_url)
    }

    /// Returns what a model costs; `None` is unknown. A model inside this process is free.
    pub fn tariff(&self, model: &str) -> Option<Arc<Tariff>> {
        if self.protocol == Protocol::Embedded {
            return Some(Arc::default());
        }
        let stated = self.models.get(model).and_then(|facts| facts.tariff.clone());
        stated.map(Arc::new).or_else(|| self.listed.get(model).map(Arc::clone))
    }

    /// Takes over what price lists say of this provider's origin, the later lists before the earlier.
    pub fn take_prices(&mut self, lists: &[&PriceList]) {
        let Some(Ok(origin)) = self.origin() else { return };
        let origin = origin.to_string();
        let mut listed = BTreeMap::new();
        for list in lists {
            listed.extend(list.of_origin(&origin));
        }
        self.listed = Arc::new(listed);
    }

    /// Returns the most output tokens that a call of a model may ask for, given what its prompt asks.
    pub fn max_output_tokens(&self, model: &str, asked: Option<u64>) -> u64 {
        let most = self.models.get(model).and_then(|facts| facts.max_output_tokens);
        let wanted = asked.or(most).unwrap_or(self.default_max_output_tokens);
        most.map_or(wanted, |most| wanted.min(most))
    }
}

/// Returns the number of calls that a provider is given at once unless its settings say otherwise.
pub fn default_concurrency() -> NonZeroU32 {
    NonZeroU32::new(8).expect("8 is not 0")
}

/// How long to wait for what, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// For the connection.
    pub connect_ms: u64,
    /// From sending to the first byte of content.
    pub first_token_ms: u64,
    /// From sending to the end of the answer.
    pub total_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 10_000, first_token_ms: 120_000, total_ms: 600_000 }
    }
}

/// How OpenAI-compatible servers spell the limit of output tokens. A server that does not know the
/// spelling ignores the limit silently, so this is never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensParameter {
    /// OpenAI's own.
    MaxCompletionTokens,
    /// Most compatible servers'.
    MaxTokens,
}

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Tokens of input and output together.
    pub context_tokens: Option<u64>,
    /// Tokens of output.
    pub max_output_tokens: Option<u64>,
    /// What the project says that it costs; `None` leaves it to the price lists.
    pub tariff: Option<Tariff>,
    /// The GGUF file of a model inside this process, as a path in the project.
    pub file: Option<String>,
    /// That file's SHA-256.
    pub sha256: Option<ContentHash>,
}
