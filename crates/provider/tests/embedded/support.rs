use std::num::NonZeroU32;
use std::path::PathBuf;

use chat::{FinishReason, Message, OutputFormat, Request, Role, Sampling, ToolChoice};
use provider::Client;
use provider::embedded::{EmbeddedModel, EmbeddedOptions, ModelFile};
use run::{Answer, Failure};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Returns the path of the model, or `None` after saying so.
pub(crate) fn model_path() -> Option<PathBuf> {
    let path = std::env::var_os("TRYSQUARE_SMOLLM2").map(PathBuf::from);
    let required = std::env::var_os("TRYSQUARE_REQUIRE_MODEL").is_some_and(|value| value == "1");
    match path.filter(|path| path.exists()) {
        None if required => panic!("TRYSQUARE_SMOLLM2 does not name the model file"),
        None => {
            println!("did nothing: TRYSQUARE_SMOLLM2 does not name the model file");
            None
        }
        found => found,
    }
}

/// Returns how a model is run in a test, with so many requests at once.
pub(crate) fn options(parallel: u32) -> EmbeddedOptions {
    EmbeddedOptions {
        parallel: NonZeroU32::new(parallel).unwrap(),
        // Tests run side by side; threads that wait for each other would wait for other tests.
        threads: Some(NonZeroU32::MIN),
        context_tokens: NonZeroU32::new(2048).unwrap(),
        request_tokens: None,
    }
}

/// Returns the model with eight requests at once that together hold few tokens.
pub(crate) fn small_model(context_tokens: u32) -> Option<EmbeddedModel> {
    let context_tokens = NonZeroU32::new(context_tokens).unwrap();
    let options = EmbeddedOptions { context_tokens, ..options(8) };
    Some(EmbeddedModel::new(ModelFile::smollm2_135m(model_path()?), options))
}

/// Returns the model with so many requests at once, or `None` if its file is not there.
pub(crate) fn model(parallel: u32) -> Option<EmbeddedModel> {
    Some(EmbeddedModel::new(ModelFile::smollm2_135m(model_path()?), options(parallel)))
}

/// Returns a request of one message with a short, greedy answer.
pub(crate) fn ask(text: &str, tokens: u64) -> Request {
    Request {
        model: "embedded/smollm2-135m".parse().unwrap(),
        messages: vec![Message::text(Role::User, text)],
        tools: vec![],
        tool_choice: ToolChoice::Auto,
        output: OutputFormat::Text,
        sampling: Sampling { max_output_tokens: Some(tokens), ..Sampling::default() },
    }
}

/// Returns the request for the order number in a message, with four examples as turns.
pub(crate) fn order_number(message: &str) -> Request {
    let examples = [
        ("My parcel A-10482 has not come yet.", "A-10482"),
        ("Do you ship to Norway?", "none"),
        ("Hi, I am Tom, phone 555-0182. Order A-77310 arrived broken.", "A-77310"),
        ("I want to return the shoes.", "none"),
    ];
    let mut messages = vec![Message::text(
        Role::System,
        "Find the order number in the message. Answer with the order number only, or none.",
    )];
    for (question, answer) in examples {
        messages.push(Message::text(Role::User, question));
        messages.push(Message::text(Role::Model, answer));
    }
    messages.push(Message::text(Role::User, message));
    Request { messages, ..ask("", 12) }
}

/// Returns the schema of an answer that holds an order number.
pub(crate) fn order_schema() -> Value {
    json!({
        "type": "object",
        "properties": {"order_number": {"type": "string", "pattern": "^(A-[0-9]{5}|none)$"}},
        "required": ["order_number"],
        "additionalProperties": false
    })
}

/// Sends a request that nobody stops.
pub(crate) async fn send(model: &EmbeddedModel, request: &Request) -> Result<Answer, Failure> {
    let call = model.prepare(request).unwrap();
    let (_keep, stop) = watch::channel(false);
    model.send(&call, stop).await.outcome.map(|answer| *answer)
}

/// Sends a request and returns text and finish reason.
pub(crate) async fn text(model: &EmbeddedModel, request: &Request) -> (String, FinishReason) {
    let reply = send(model, request).await.unwrap().reply;
    (reply.text, reply.finish)
}
