//! Response bodies as the vendors write them, documents and streams.

mod anthropic;
mod gemini;
mod ollama;
mod openai_chat;
mod openai_responses;

use chat::{FinishReason, Protocol, Reply, Usage};
use provider::wire::{self, DecodeError, Frames, Problem, Progress, StreamDecoder, Syntax};
use serde_json::{Value, json};

fn decode(protocol: Protocol, body: &Value) -> Result<Reply, DecodeError> {
    wire::decode(protocol, body.to_string().as_bytes())
}

/// Reads a stream of events as they would come, and returns the answer with what each event brought.
fn read(protocol: Protocol, bytes: &[u8]) -> Result<(Reply, Vec<Progress>), DecodeError> {
    let syntax = match protocol {
        Protocol::Ollama => Syntax::JsonLines,
        _ => Syntax::ServerSentEvents,
    };
    let mut frames = Frames::new(syntax, 1 << 20);
    frames.push(bytes);
    let mut decoder = StreamDecoder::new(protocol).unwrap();
    let mut progress = Vec::new();
    while let Some(frame) = frames.next_frame().unwrap() {
        progress.push(decoder.push(frame)?);
    }
    Ok((decoder.finish()?, progress))
}

fn events(events: &[Value]) -> Vec<u8> {
    let mut out = String::new();
    for event in events {
        if let Some(name) = event.get("type").and_then(Value::as_str) {
            out.push_str(&format!("event: {name}\n"));
        }
        out.push_str(&format!("data: {event}\n\n"));
    }
    out.into_bytes()
}

fn chat_stream(chunks: &[Value]) -> Vec<u8> {
    let mut out = events(chunks);
    out.extend_from_slice(b"data: [DONE]\n\n");
    out
}

fn lines(documents: &[Value]) -> Vec<u8> {
    let mut out = String::new();
    for document in documents {
        out.push_str(&format!("{document}\n"));
    }
    out.into_bytes()
}

fn problem(outcome: Result<impl std::fmt::Debug, DecodeError>) -> Problem {
    outcome.unwrap_err().problem
}

#[test]
fn every_byte_boundary_of_every_protocols_stream_gives_the_same_answer() {
    let chat = chat_stream(&[
        json!({"choices": [{"delta": {"content": "Grüße 🦀"}, "finish_reason": null}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    ]);
    let ollama =
        lines(&[json!({"message": {"content": "Grüße 🦀"}, "done": false}), json!({"done": true})]);
    for (protocol, syntax, bytes) in [
        (Protocol::OpenaiChat, Syntax::ServerSentEvents, chat),
        (Protocol::Ollama, Syntax::JsonLines, ollama),
    ] {
        for cut in 0..=bytes.len() {
            let mut frames = Frames::new(syntax, 1 << 20);
            let mut decoder = StreamDecoder::new(protocol).unwrap();
            for part in [&bytes[..cut], &bytes[cut..]] {
                frames.push(part);
                while let Some(frame) = frames.next_frame().unwrap() {
                    decoder.push(frame).unwrap();
                }
            }
            assert_eq!(decoder.finish().unwrap().text, "Grüße 🦀", "{protocol} cut at {cut}");
        }
    }
}

#[test]
fn hostile_documents_are_errors_and_never_panics() {
    let deep = "[".repeat(100_000);
    for protocol in [
        Protocol::OpenaiChat,
        Protocol::OpenaiResponses,
        Protocol::Anthropic,
        Protocol::Gemini,
        Protocol::Ollama,
    ] {
        for body in ["", "null", "[]", "7", "{}", "\"x\"", "[{}]", "{\"error\":{}}", deep.as_str()]
        {
            assert!(wire::decode(protocol, body.as_bytes()).is_err(), "{protocol}: {body:.20}");
        }
        assert!(wire::decode(protocol, b"\xff\xfe").is_err());
    }
}
