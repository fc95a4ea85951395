use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use catalog::{MaxTokensParameter, ProviderSettings, Timeouts};
use chat::{Message, OutputFormat, Protocol, Request, Role, Sampling, ToolChoice};
use provider::{BoundKey, Client, HttpClient, Network, Sent};
use run::{Answer, Failure};
use test_provider::{Behaviour, TestProvider, plan};
use tokio::sync::watch;
use values::Secret;

pub(crate) const CANARY: &str = "sk-canary-6d1f0c7e5b9a4d2e";

/// The protocols of models over HTTP, streaming and not.
pub(crate) fn ways() -> impl Iterator<Item = (Protocol, bool)> {
    let wires = [
        Protocol::OpenaiChat,
        Protocol::OpenaiResponses,
        Protocol::Anthropic,
        Protocol::Gemini,
        Protocol::Ollama,
    ];
    wires.into_iter().flat_map(|protocol| [(protocol, false), (protocol, true)])
}

pub(crate) fn settings(origin: String, protocol: Protocol, stream: bool) -> ProviderSettings {
    ProviderSettings {
        name: "p".to_owned(),
        protocol,
        base_url: Some(origin),
        key: None,
        headers: BTreeMap::new(),
        concurrency: NonZeroU32::MIN,
        requests_per_minute: None,
        timeouts: Timeouts::default(),
        max_tokens_parameter: MaxTokensParameter::MaxCompletionTokens,
        stream,
        default_max_output_tokens: 512,
        models: BTreeMap::new(),
        listed: std::sync::Arc::default(),
    }
}

/// A client that holds the canary key for this server.
pub(crate) fn client(server: &TestProvider, protocol: Protocol, stream: bool) -> HttpClient {
    let origin = server.origin().parse().unwrap();
    let key = BoundKey { secret: Secret::new(CANARY), origin };
    let settings = settings(server.origin(), protocol, stream);
    HttpClient::new(settings, &Network::default(), Some(key)).unwrap()
}

pub(crate) fn request(text: &str) -> Request {
    Request {
        model: "p/m".parse().unwrap(),
        messages: vec![Message::text(Role::User, text)],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        output: OutputFormat::Text,
        sampling: Sampling { max_output_tokens: Some(50), ..Sampling::default() },
    }
}

pub(crate) async fn send(client: &HttpClient, request: &Request) -> Sent {
    client.send(&client.prepare(request).unwrap(), never()).await
}

/// Asks a server that behaves like this once.
pub(crate) async fn once(protocol: Protocol, stream: bool, behaviour: Behaviour) -> Sent {
    let server = TestProvider::start(plan([behaviour]));
    send(&client(&server, protocol, stream), &request("hello")).await
}

pub(crate) async fn answer(protocol: Protocol, stream: bool, behaviour: Behaviour) -> Box<Answer> {
    once(protocol, stream, behaviour).await.outcome.unwrap()
}

pub(crate) async fn failure(protocol: Protocol, stream: bool, behaviour: Behaviour) -> Failure {
    once(protocol, stream, behaviour).await.outcome.unwrap_err()
}

/// A stop signal that nobody gives.
pub(crate) fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

/// Long enough for a test that does not wait for it, on a machine that is busy.
pub(crate) const LONG: Duration = Duration::from_mins(10);
/// For tests whose claim is that a limit ends a wait.
pub(crate) const SHORT: Duration = Duration::from_millis(50);
