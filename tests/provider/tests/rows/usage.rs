//! Section 1.1: usage in disjoint buckets, and section 1.6: what prompt caches read and write.

use chat::{Protocol, Usage};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use test_provider::{Answer, Behaviour, TestProvider};

use crate::support::{answer, client, request, send, ways};

/// The bill that a protocol can express, of one that it may not.
fn expressible(protocol: Protocol, bill: Usage) -> Usage {
    match protocol {
        Protocol::Anthropic => bill,
        Protocol::OpenaiChat | Protocol::OpenaiResponses => Usage { cache_write_1h: 0, ..bill },
        Protocol::Gemini => Usage { cache_write_5m: 0, cache_write_1h: 0, ..bill },
        _ => Usage {
            input_uncached: bill.input_uncached,
            output_visible: bill.output_visible,
            ..Usage::default()
        },
    }
}

#[test]
fn buckets_add_up_to_what_was_billed_whatever_was_billed() {
    // The bill is a function of the request, so that one server serves every case.
    let server = TestProvider::start(|seen| {
        let bill: Usage = serde_json::from_str(seen.last_text()).unwrap();
        Behaviour::answer(Answer::text("x").billed(bill))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clients: Vec<_> =
        ways().map(|(protocol, stream)| (protocol, client(&server, protocol, stream))).collect();
    let count = || prop_oneof![Just(0u64), 1u64..5, 0u64..1_000_000_000];
    let mut runner = TestRunner::new(Config { cases: 40, ..Config::default() });
    runner
        .run(&[count(), count(), count(), count(), count(), count()], |counts| {
            let any = Usage {
                input_uncached: counts[0],
                cache_read: counts[1],
                cache_write_5m: counts[2],
                cache_write_1h: counts[3],
                output_visible: counts[4],
                output_reasoning: counts[5],
            };
            for (protocol, client) in &clients {
                let bill = expressible(*protocol, any);
                let asked = request(&serde_json::to_string(&bill).unwrap());
                let sent = runtime.block_on(send(client, &asked));
                let usage = sent.outcome.unwrap().reply.usage;
                prop_assert_eq!(usage, Some(bill), "{}", protocol);
                prop_assert_eq!(server.billed().last().unwrap().usage, bill);
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn rejected_predictions_are_inside_the_billed_output() {
    let body = json!({
        "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30,
            "completion_tokens_details": {"reasoning_tokens": 5, "rejected_prediction_tokens": 4}},
    });
    let reply = answer(Protocol::OpenaiChat, false, Behaviour::json(200, &body)).await.reply;
    let usage = reply.usage.unwrap();
    assert_eq!((usage.output_visible, usage.output_reasoning), (15, 5));
    assert_eq!(reply.raw_usage, body["usage"]);
}

#[tokio::test]
async fn geminis_thoughts_stand_beside_and_its_tool_use_is_input() {
    let body = json!({
        "candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10, "toolUsePromptTokenCount": 5,
            "cachedContentTokenCount": 4, "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
            "totalTokenCount": 20},
    });
    let reply = answer(Protocol::Gemini, false, Behaviour::json(200, &body)).await.reply;
    let expected = Usage {
        input_uncached: 11,
        cache_read: 4,
        output_visible: 3,
        output_reasoning: 2,
        ..Usage::default()
    };
    assert_eq!(reply.usage, Some(expected));
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

#[tokio::test]
async fn anthropics_counts_are_cumulative_and_null_keeps_what_was_said() {
    let frames = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 9,
            "cache_read_input_tokens": 7, "cache_creation_input_tokens": 0, "output_tokens": 1}}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": "x"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": null},
            "usage": {"output_tokens": 3}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
            "usage": {"input_tokens": null, "cache_read_input_tokens": null, "output_tokens": 5}}),
        json!({"type": "message_stop"}),
    ];
    let behaviour = Behaviour::events(frames.iter().map(event));
    let usage = answer(Protocol::Anthropic, true, behaviour).await.reply.usage;
    let expected =
        Usage { input_uncached: 9, cache_read: 7, output_visible: 5, ..Usage::default() };
    assert_eq!(usage, Some(expected));
}

#[tokio::test]
async fn a_chat_stream_asks_for_usage_and_its_padding_is_dropped() {
    for protocol in [Protocol::OpenaiChat, Protocol::OpenaiResponses] {
        let server = TestProvider::echoing();
        let sent = send(&client(&server, protocol, true), &request("hello")).await;
        let answer = sent.outcome.unwrap();
        assert_eq!(answer.reply.usage, Some(server.billed()[0].usage));
        let kept = serde_json::to_string(&answer.reply).unwrap();
        assert!(!kept.contains("obfuscation") && !kept.contains("k7Jq") && !kept.contains("q9Zx"));
        let asks = &server.seen()[0].json["stream_options"]["include_usage"];
        assert_eq!(asks == &json!(true), protocol == Protocol::OpenaiChat);
    }
}

#[tokio::test]
async fn an_event_that_nobody_knows_changes_nothing() {
    let whole = json!({"id": "r", "status": "completed", "model": "m", "output": [{
        "type": "message", "content": [{"type": "output_text", "text": "x"}]}],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}});
    let frames = [
        json!({"type": "response.created", "response": {}}),
        json!({"type": "response.shell_call.something_new", "delta": {"text": "?"}}),
        json!({"type": "response.completed", "response": whole}),
    ];
    let behaviour = Behaviour::events(frames.iter().map(event));
    let reply = answer(Protocol::OpenaiResponses, true, behaviour).await.reply;
    assert_eq!((reply.text.as_str(), reply.usage.unwrap().output_total()), ("x", 2));
}
