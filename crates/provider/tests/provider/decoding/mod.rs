//! Response bodies as the vendors write them, documents and streams.

mod anthropic;
mod decisions;
mod gemini;
mod ollama;
mod openai_chat;
mod openai_responses;

use chat::{FinishReason, Protocol, Reply, Usage};
use proptest::prelude::*;
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

/// A whole document and a whole stream of each protocol, to be damaged.
fn corpus() -> Vec<(Protocol, Vec<u8>, Vec<u8>)> {
    let chat = json!({"choices": [{"message": {"content": "x", "tool_calls": [
        {"id": "1", "function": {"name": "t", "arguments": "{}"}}]}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    let chunk = json!({"choices": [{"delta": {"content": "ü", "tool_calls": [{"index": 0,
        "function": {"name": "t", "arguments": "{}"}}]}, "finish_reason": "stop"}]});
    let response = json!({"status": "completed", "output": [{"type": "message", "content": [
        {"type": "output_text", "text": "x"}]}], "usage": {"input_tokens": 1, "output_tokens": 1}});
    let message = json!({"content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let candidate = json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1}});
    let done = json!({"message": {"content": "x"}, "done": true, "eval_count": 1});
    let text = |value: &Value| value.to_string().into_bytes();
    vec![
        (Protocol::OpenaiChat, text(&chat), chat_stream(&[chunk])),
        (
            Protocol::OpenaiResponses,
            text(&response),
            events(&[json!({"type": "response.completed", "response": response})]),
        ),
        (
            Protocol::Anthropic,
            text(&message),
            events(&[
                json!({"type": "message_start", "message": message}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{"}}),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
                json!({"type": "message_stop"}),
            ]),
        ),
        (Protocol::Gemini, text(&candidate), events(&[candidate])),
        (Protocol::Ollama, text(&done), lines(&[done])),
    ]
}

proptest! {
    /// Whatever a network or a server does to an answer, reading it ends in an answer or an error.
    #[test]
    fn damaged_answers_never_panic(
        which in 0usize..5,
        damage in proptest::collection::vec((any::<usize>(), any::<u8>(), 0u8..3), 1..12),
    ) {
        let (protocol, mut document, mut stream) = corpus().swap_remove(which);
        for bytes in [&mut document, &mut stream] {
            for (at, byte, how) in &damage {
                let at = at % bytes.len();
                match how {
                    0 => bytes[at] = *byte,
                    1 => bytes.insert(at, *byte),
                    _ => bytes.truncate(at.max(1)),
                }
            }
        }
        let document = wire::decode(protocol, &document);
        let stream = read(protocol, &stream);
        for reply in [document.ok(), stream.ok().map(|(reply, _)| reply)].into_iter().flatten() {
            prop_assert!(serde_json::to_string(&reply).is_ok());
        }
    }
}
