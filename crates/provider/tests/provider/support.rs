//! Requests and clients for the tests.

use chat::{Message, OutputFormat, Protocol, Request, Role, Sampling, ToolChoice};
use provider::{BoundKey, Client, HttpClient, HttpSettings, Secret, Sent};
use tokio::sync::watch;

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

pub(crate) fn settings(protocol: Protocol, origin: &str) -> HttpSettings {
    HttpSettings::new(protocol, origin)
}

/// A client with the canary key, bound to where it sends.
pub(crate) fn client(settings: &HttpSettings) -> HttpClient {
    let origin = settings.base_url.parse().unwrap();
    HttpClient::new(settings, Some(BoundKey { secret: Secret::new(CANARY), origin })).unwrap()
}

/// Sends the small request once, with nobody to stop it.
pub(crate) async fn send(settings: HttpSettings) -> Sent {
    let client = client(&settings);
    let call = client.prepare(&request()).unwrap();
    let (_stop, stopped) = watch::channel(false);
    client.send(&call, stopped).await
}
