//! Requests and clients for the tests.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use catalog::{MaxTokensParameter, ProviderSettings, Timeouts};
use chat::{Message, OutputFormat, Protocol, Request, Role, Sampling, ToolChoice};
use provider::{BoundKey, Client, HttpClient, Network, Sent};
use tokio::sync::watch;
use values::Secret;

pub(crate) const CANARY: &str = "sk-canary-0123456789abcdef";

/// A small request.
pub(crate) fn request() -> Request {
    Request {
        model: "p/some-model".parse().unwrap(),
        messages: vec![
            Message::text(Role::System, "Be brief."),
            Message::text(Role::User, "Where is order 4711?"),
        ],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        output: OutputFormat::Text,
        sampling: Sampling { max_output_tokens: Some(64), ..Sampling::default() },
    }
}

/// A provider and the network that it is reached over.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) provider: ProviderSettings,
    pub(crate) network: Network,
}

impl Setup {
    pub(crate) fn new(protocol: Protocol, base_url: &str) -> Self {
        let provider = ProviderSettings {
            name: "p".to_owned(),
            protocol,
            base_url: Some(base_url.to_owned()),
            key: None,
            headers: BTreeMap::new(),
            concurrency: NonZeroU32::MIN,
            requests_per_minute: None,
            timeouts: Timeouts::default(),
            max_tokens_parameter: MaxTokensParameter::MaxCompletionTokens,
            stream: false,
            default_max_output_tokens: 512,
            models: BTreeMap::new(),
            listed: std::sync::Arc::default(),
        };
        Self { provider, network: Network::default() }
    }

    pub(crate) fn streaming(mut self, stream: bool) -> Self {
        self.provider.stream = stream;
        self
    }

    pub(crate) fn limited_to(mut self, bytes: usize) -> Self {
        self.network.max_answer_bytes = bytes;
        self
    }

    /// Makes a client with this key, bound to where the provider is.
    pub(crate) fn client_with(self, key: &str) -> Result<HttpClient, provider::SettingsError> {
        let origin = self.provider.origin().unwrap().unwrap();
        HttpClient::new(
            self.provider,
            &self.network,
            Some(BoundKey { secret: Secret::new(key), origin }),
        )
    }

    /// Makes a client with the canary key.
    pub(crate) fn client(self) -> HttpClient {
        self.client_with(CANARY).unwrap()
    }

    /// Sends the small request once, with nobody to stop it.
    pub(crate) async fn send(self) -> Sent {
        let client = self.client();
        let call = client.prepare(&request()).unwrap();
        let (_stop, stopped) = watch::channel(false);
        client.send(&call, stopped).await
    }
}
