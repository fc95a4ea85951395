//! Section 1.3: the names of parameters, as the server finds them, and what comes of them.

use chat::{OutputFormat, Protocol};
use serde_json::json;
use test_provider::{Behaviour, TestProvider};

use crate::support::{client, request, send, ways};

#[tokio::test]
async fn every_server_honours_the_maximum_that_it_is_sent() {
    for (protocol, stream) in ways() {
        let server = TestProvider::start(|_| Behaviour::text("word ".repeat(400)));
        let mut asked = request("hello");
        asked.sampling.max_output_tokens = Some(7);
        let answer = send(&client(&server, protocol, stream), &asked).await.outcome.unwrap();
        assert_eq!(server.seen()[0].max_output_tokens(), Some(7), "{protocol}");
        assert_eq!(answer.reply.finish, chat::FinishReason::Length, "{protocol}");
        assert_eq!(server.billed()[0].usage.output_total(), 7, "{protocol}");
    }
}

#[tokio::test]
async fn schema_and_seed_stand_where_each_vendor_looks() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "string"}},
        "required": ["n"], "additionalProperties": false});
    for (protocol, schema_at, seed_at) in [
        (Protocol::OpenaiChat, "/response_format/json_schema/schema", Some("/seed")),
        (Protocol::OpenaiResponses, "/text/format/schema", None),
        (Protocol::Anthropic, "/output_config/format/schema", None),
        (Protocol::Gemini, "/generationConfig/responseJsonSchema", Some("/generationConfig/seed")),
        (Protocol::Ollama, "/format", Some("/options/seed")),
    ] {
        let server = TestProvider::start(|_| Behaviour::text("{\"n\":\"1\"}"));
        let mut asked = request("hello");
        asked.output = OutputFormat::Json { schema: Some(schema.clone()) };
        asked.sampling.seed = seed_at.map(|_| 42);
        send(&client(&server, protocol, false), &asked).await.outcome.unwrap();
        let body = &server.seen()[0].json;
        assert_eq!(body.pointer(schema_at), Some(&schema), "{protocol}: {body}");
        if let Some(seed_at) = seed_at {
            assert_eq!(body.pointer(seed_at), Some(&json!(42)), "{protocol}: {body}");
        }
    }
}

#[tokio::test]
async fn log_probabilities_come_from_where_they_are_given() {
    for protocol in [Protocol::OpenaiChat, Protocol::OpenaiResponses, Protocol::Gemini] {
        let server = TestProvider::start(|_| Behaviour::text("abcdefgh"));
        let mut asked = request("hello");
        asked.sampling.logprobs = Some(2);
        let sent = send(&client(&server, protocol, false), &asked).await;
        let found = sent.outcome.unwrap().reply.logprobs;
        let tokens: Vec<&str> = found.iter().map(|entry| entry.token.as_str()).collect();
        assert_eq!(tokens, ["abcd", "efgh"], "{protocol}");
        assert!((found[1].logprob + 0.25).abs() < 1e-9, "{protocol}");
        assert_eq!(found[0].top.len(), 2, "{protocol}");
        assert_eq!(found[0].top[0].0, "abcd", "{protocol}");
    }
}

/// Section 1.6: a prefix that two requests share is the same bytes in both, or no cache finds it.
#[tokio::test]
async fn a_shared_beginning_is_sent_as_the_same_bytes() {
    for (protocol, stream) in ways() {
        let server = TestProvider::echoing();
        let client = client(&server, protocol, stream);
        for text in ["shared beginning, then one", "shared beginning, then two"] {
            send(&client, &request(text)).await.outcome.unwrap();
        }
        send(&client, &request("shared beginning, then one")).await.outcome.unwrap();
        let seen = server.seen();
        assert_eq!(seen[0].body, seen[2].body, "{protocol}: nothing varies by itself");
        let common =
            seen[0].body.iter().zip(&seen[1].body).take_while(|(left, right)| left == right);
        let until = seen[0].body.windows(4).position(|bytes| bytes == b"one\"").unwrap();
        assert!(common.count() >= until, "{protocol}");
    }
}
