//! Response bodies as the vendors write them, documents and streams.

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

mod openai_chat {
    use super::*;

    fn document(choice: &Value, usage: &Value) -> Value {
        json!({
            "id": "chatcmpl-B9MBs8", "object": "chat.completion", "created": 1_741_569_952,
            "model": "gpt-5-2026-08-07", "choices": [choice], "usage": usage,
            "service_tier": "default", "system_fingerprint": "fp_1",
        })
    }

    #[test]
    fn a_document_is_read() {
        let choice = json!({"index": 0, "finish_reason": "stop", "logprobs": {"content": [
                {"token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": [
                    {"token": "Hi", "logprob": -0.25, "bytes": null},
                    {"token": "Hello", "logprob": -1.5, "bytes": null}]}], "refusal": null},
            "message": {"role": "assistant", "content": "Hi", "refusal": null, "annotations": []}});
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 20, "rejected_prediction_tokens": 4}});
        let reply = decode(Protocol::OpenaiChat, &document(&choice, &usage)).unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::Complete));
        let expected = Usage {
            input_uncached: 30,
            cache_read: 60,
            cache_write_5m: 10,
            cache_write_1h: 0,
            output_visible: 10,
            output_reasoning: 20,
        };
        assert_eq!(reply.usage, Some(expected));
        assert_eq!(reply.raw_usage, usage);
        assert_eq!(reply.logprobs[0].top[1], ("Hello".to_owned(), -1.5));
        assert_eq!(reply.served_model.as_deref(), Some("gpt-5-2026-08-07"));
        assert_eq!(reply.request_id.as_deref(), Some("chatcmpl-B9MBs8"));
        assert_eq!(reply.extra["system_fingerprint"], json!("fp_1"));
    }

    #[test]
    fn every_finish_reason_has_its_normal_form() {
        for (word, finish) in [
            ("stop", FinishReason::Complete),
            ("length", FinishReason::Length),
            ("tool_calls", FinishReason::ToolUse),
            ("function_call", FinishReason::ToolUse),
            ("content_filter", FinishReason::Filtered),
            ("something_new", FinishReason::Error),
        ] {
            let choice = json!({"message": {"content": "x"}, "finish_reason": word});
            let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
            assert_eq!(reply.finish, finish, "{word}");
        }
        let choice = json!({"message": {"content": "x"}, "finish_reason": null});
        let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
        assert_eq!((reply.finish, reply.usage), (FinishReason::Error, None));
    }

    #[test]
    fn a_refusal_stands_beside_the_finish_reason() {
        let choice =
            json!({"message": {"content": null, "refusal": "I cannot."}, "finish_reason": "stop"});
        let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
        assert_eq!((reply.finish, reply.text.as_str()), (FinishReason::Refused, ""));
        assert_eq!(reply.refusal.as_deref(), Some("I cannot."));
    }

    #[test]
    fn tool_calls_are_data() {
        let choice = json!({"finish_reason": "tool_calls", "message": {"content": null, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "track", "arguments": "{\"order\":\"4711\"}"}},
            {"id": "call_2", "type": "function", "function": {"name": "track", "arguments": "{oops"}}]}});
        let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
        assert_eq!(reply.tool_calls[0].arguments, json!({"order": "4711"}));
        assert_eq!(reply.tool_calls[1].arguments, json!("{oops"));
        let old = json!({"finish_reason": "function_call", "message": {"content": null,
            "function_call": {"name": "track", "arguments": "{}"}}});
        let reply = decode(Protocol::OpenaiChat, &document(&old, &Value::Null)).unwrap();
        assert_eq!(reply.tool_calls[0].name, "track");
    }

    #[test]
    fn a_stream_is_put_together_and_the_extra_chunk_has_the_usage() {
        let delta = |delta: Value, finish: Value| {
            json!({"id": "c1", "model": "m", "obfuscation": "aB3xK", "usage": null,
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        };
        let usage = json!({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13});
        let bytes = chat_stream(&[
            delta(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null),
            delta(json!({"content": "Gr"}), Value::Null),
            delta(json!({"content": "üße"}), Value::Null),
            delta(
                json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
                "function": {"name": "track", "arguments": ""}}]}),
                Value::Null,
            ),
            delta(
                json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"order\":"}}]}),
                Value::Null,
            ),
            delta(
                json!({"tool_calls": [{"index": 1, "id": "call_2", "function": {"name": "stop", "arguments": "{}"}}]}),
                Value::Null,
            ),
            delta(
                json!({"tool_calls": [{"index": 0, "function": {"arguments": "4711}"}}]}),
                Value::Null,
            ),
            delta(json!({}), json!("tool_calls")),
            json!({"id": "c1", "choices": [], "usage": usage}),
        ]);
        let (reply, progress) = read(Protocol::OpenaiChat, &bytes).unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("Grüße", FinishReason::ToolUse));
        assert_eq!(reply.tool_calls.len(), 2);
        assert_eq!(reply.tool_calls[0].arguments, json!({"order": 4711}));
        assert_eq!(reply.usage.unwrap().output_total(), 4);
        assert_eq!(progress[..2], [Progress::Lifecycle, Progress::Content]);
        assert_eq!(progress.last(), Some(&Progress::End));
        assert!(
            !serde_json::to_string(&reply).unwrap().contains("aB3xK"),
            "obfuscation is dropped"
        );
    }

    #[test]
    fn a_refusal_may_come_in_pieces() {
        let delta = |delta: Value, finish: Value| json!({"choices": [{"delta": delta, "finish_reason": finish}]});
        let bytes = chat_stream(&[
            delta(json!({"refusal": "I can"}), Value::Null),
            delta(json!({"refusal": "not."}), Value::Null),
            delta(json!({}), json!("stop")),
        ]);
        let (reply, _) = read(Protocol::OpenaiChat, &bytes).unwrap();
        assert_eq!(
            (reply.finish, reply.refusal.as_deref()),
            (FinishReason::Refused, Some("I cannot."))
        );
    }

    #[test]
    fn a_stream_without_its_end_mark_is_truncated_whatever_it_said() {
        let whole = [
            json!({"choices": [{"delta": {"content": "whole"}, "finish_reason": "stop"}]}),
            json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
        ];
        let error = read(Protocol::OpenaiChat, &events(&whole)).unwrap_err();
        assert_eq!(error.problem, Problem::Truncated);
        assert_eq!(error.billed.unwrap().input_uncached, 1);
        let error = read(Protocol::OpenaiChat, &events(&whole[..1])).unwrap_err();
        assert_eq!(error.billed, None);
    }

    #[test]
    fn counts_along_the_way_are_not_the_bill() {
        let along = json!({"choices": [{"delta": {"content": "a"}}], "usage": {"prompt_tokens": 5, "completion_tokens": 1}});
        assert_eq!(read(Protocol::OpenaiChat, &events(&[along])).unwrap_err().billed, None);
    }

    #[test]
    fn a_usage_that_contradicts_itself_is_marked_and_kept() {
        let choice = json!({"message": {"content": "x"}, "finish_reason": "stop"});
        let usage = json!({"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}});
        let reply = decode(Protocol::OpenaiChat, &document(&choice, &usage)).unwrap();
        assert_eq!((reply.usage, &reply.raw_usage), (None, &usage));
        assert!(reply.extra["usage_problem"].as_str().unwrap().contains("cache exceeds"));
    }

    #[test]
    fn a_servers_own_settings_are_kept() {
        let mut body =
            document(&json!({"message": {"content": "x"}, "finish_reason": "stop"}), &Value::Null);
        body["timings"] = json!({"predicted_ms": 12.5});
        body["generation_settings"] = json!({"temperature": 0.7});
        let reply = decode(Protocol::OpenaiChat, &body).unwrap();
        assert_eq!(reply.extra["generation_settings"], json!({"temperature": 0.7}));
        assert_eq!(reply.extra["timings"]["predicted_ms"], json!(12.5));
    }
}

mod openai_responses {
    use super::*;

    fn response(status: &str, output: &Value) -> Value {
        json!({
            "id": "resp_1", "object": "response", "status": status, "error": null,
            "incomplete_details": null, "model": "gpt-5-2026-08-07", "output": output,
            "usage": {"input_tokens": 36, "input_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 5},
                "output_tokens": 87, "output_tokens_details": {"reasoning_tokens": 80}, "total_tokens": 123},
        })
    }

    fn message(part: &Value) -> Value {
        json!([
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]},
        ])
    }

    fn text(text: &str) -> Value {
        message(&json!({"type": "output_text", "text": text, "annotations": [],
            "logprobs": [{"token": text, "logprob": -0.5, "top_logprobs": []}]}))
    }

    #[test]
    fn a_document_is_read() {
        let reply = decode(Protocol::OpenaiResponses, &response("completed", &text("Hi"))).unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::Complete));
        let expected = Usage {
            input_uncached: 25,
            cache_read: 6,
            cache_write_5m: 5,
            cache_write_1h: 0,
            output_visible: 7,
            output_reasoning: 80,
        };
        assert_eq!(reply.usage, Some(expected));
        assert_eq!(reply.logprobs.len(), 1);
    }

    #[test]
    fn refusals_and_tool_calls_are_read() {
        let refusal = message(&json!({"type": "refusal", "refusal": "I cannot."}));
        let reply = decode(Protocol::OpenaiResponses, &response("completed", &refusal)).unwrap();
        assert_eq!(
            (reply.finish, reply.refusal.as_deref()),
            (FinishReason::Refused, Some("I cannot."))
        );
        let call = json!([{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "track",
            "arguments": "{\"order\":1}", "status": "completed"}]);
        let reply = decode(Protocol::OpenaiResponses, &response("completed", &call)).unwrap();
        assert_eq!(reply.finish, FinishReason::ToolUse);
        assert_eq!(
            (reply.tool_calls[0].id.as_str(), &reply.tool_calls[0].arguments),
            ("call_1", &json!({"order": 1}))
        );
    }

    #[test]
    fn the_status_decides_not_the_200() {
        for (reason, finish) in [
            ("max_output_tokens", FinishReason::Length),
            ("content_filter", FinishReason::Filtered),
            ("something_new", FinishReason::Error),
        ] {
            let mut body = response("incomplete", &text("par"));
            body["incomplete_details"] = json!({"reason": reason});
            assert_eq!(
                decode(Protocol::OpenaiResponses, &body).unwrap().finish,
                finish,
                "{reason}"
            );
        }
        for status in ["in_progress", "queued"] {
            let outcome = decode(Protocol::OpenaiResponses, &response(status, &json!([])));
            assert_eq!(problem(outcome), Problem::Truncated, "{status}");
        }
        let outcome = decode(Protocol::OpenaiResponses, &response("cancelled", &json!([])));
        assert!(matches!(problem(outcome), Problem::Reported(_)));
        assert!(matches!(
            problem(decode(Protocol::OpenaiResponses, &json!({}))),
            Problem::Malformed(_)
        ));
    }

    #[test]
    fn a_response_that_failed_is_an_error_with_its_bill() {
        let mut body = response("failed", &json!([]));
        body["error"] = json!({"code": "rate_limit_exceeded", "message": "slow down"});
        let error = decode(Protocol::OpenaiResponses, &body).unwrap_err();
        let Problem::Reported(reported) = error.problem else { panic!("not reported") };
        assert_eq!(reported.code.as_deref(), Some("rate_limit_exceeded"));
        assert_eq!(error.billed.unwrap().output_total(), 87);
    }

    #[test]
    fn a_stream_ends_with_the_whole_response_and_passes_over_the_unknown() {
        for (last, status) in
            [("response.completed", "completed"), ("response.incomplete", "incomplete")]
        {
            let mut whole = response(status, &text("Hi"));
            whole["incomplete_details"] = json!({"reason": "max_output_tokens"});
            let bytes = events(&[
                json!({"type": "response.created", "response": response("in_progress", &json!([]))}),
                json!({"type": "response.output_item.added", "item": {"type": "message"}}),
                json!({"type": "response.reasoning_summary_text.delta", "delta": "hm"}),
                json!({"type": "response.shell_call_command.added", "anything": [1, 2]}),
                json!({"type": "response.output_text.delta", "delta": "Hi", "obfuscation": "x"}),
                json!({"type": last, "response": whole}),
            ]);
            let (reply, progress) = read(Protocol::OpenaiResponses, &bytes).unwrap();
            assert_eq!(reply.text, "Hi");
            assert_eq!(progress[..2], [Progress::Lifecycle, Progress::Lifecycle]);
            assert_eq!(progress[4..], [Progress::Content, Progress::End]);
        }
    }

    #[test]
    fn a_stream_that_fails_is_an_error_in_each_of_its_forms() {
        let mut failed = response("failed", &json!([]));
        failed["error"] = json!({"code": "server_error", "message": "oops"});
        for last in [
            json!({"type": "response.failed", "response": failed}),
            json!({"type": "error", "code": "server_error", "message": "oops", "param": null}),
            json!({"type": "error", "error": {"code": "server_error", "message": "oops"}}),
        ] {
            let outcome = read(Protocol::OpenaiResponses, &events(&[last]));
            let Problem::Reported(reported) = problem(outcome) else { panic!("not reported") };
            assert_eq!(reported.code.as_deref(), Some("server_error"));
        }
        let cut = events(&[json!({"type": "response.output_text.delta", "delta": "Hi"})]);
        assert_eq!(problem(read(Protocol::OpenaiResponses, &cut)), Problem::Truncated);
    }

    #[test]
    fn a_last_event_without_items_is_filled_from_the_finished_ones() {
        let item = text("Hi")[1].clone();
        let bytes = events(&[
            json!({"type": "response.output_item.done", "item": item}),
            json!({"type": "response.completed", "response": response("completed", &json!([]))}),
        ]);
        assert_eq!(read(Protocol::OpenaiResponses, &bytes).unwrap().0.text, "Hi");
    }
}

mod anthropic {
    use super::*;

    fn message(content: &Value, stop: &str) -> Value {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5",
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": {"input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 100,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
                "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 40}},
        })
    }

    #[test]
    fn a_document_is_read() {
        let content = json!([
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "toolu_1", "name": "track", "input": {"order": 1}},
        ]);
        let reply = decode(Protocol::Anthropic, &message(&content, "tool_use")).unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::ToolUse));
        assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
        let expected = Usage {
            input_uncached: 10,
            cache_read: 100,
            cache_write_5m: 20,
            cache_write_1h: 10,
            output_visible: 10,
            output_reasoning: 40,
        };
        assert_eq!(reply.usage, Some(expected));
    }

    #[test]
    fn every_stop_reason_has_its_normal_form() {
        for (word, finish) in [
            ("end_turn", FinishReason::Complete),
            ("max_tokens", FinishReason::Length),
            ("stop_sequence", FinishReason::StopSequence),
            ("tool_use", FinishReason::ToolUse),
            ("pause_turn", FinishReason::Paused),
            ("refusal", FinishReason::Refused),
            ("model_context_window_exceeded", FinishReason::ContextExceeded),
            ("something_new", FinishReason::Error),
        ] {
            let reply = decode(
                Protocol::Anthropic,
                &message(&json!([{"type": "text", "text": "x"}]), word),
            );
            assert_eq!(reply.unwrap().finish, finish, "{word}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let mut body = message(&json!([]), "refusal");
        body["stop_details"] =
            json!({"type": "refusal", "category": "cyber", "explanation": "Not that."});
        let reply = decode(Protocol::Anthropic, &body).unwrap();
        assert_eq!(
            (reply.finish, reply.refusal.as_deref()),
            (FinishReason::Refused, Some("Not that."))
        );
        assert_eq!(reply.extra["stop_details"]["category"], json!("cyber"));
    }

    fn stream(delta_usage: &Value) -> Vec<Value> {
        vec![
            json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-opus-4-5", "content": [],
                "stop_reason": null, "usage": {"input_tokens": 25, "cache_read_input_tokens": 5,
                    "cache_creation_input_tokens": 0, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "ping"}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Gr"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "üße"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1,
                "content_block": {"type": "tool_use", "id": "toolu_1", "name": "track", "input": {}}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"order\": "}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "something_newer", "x": 1}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": delta_usage}),
            json!({"type": "message_stop"}),
        ]
    }

    #[test]
    fn counts_of_a_stream_replace_each_other_and_never_add_up() {
        let usage =
            json!({"output_tokens": 15, "input_tokens": null, "cache_read_input_tokens": 6});
        let (reply, progress) = read(Protocol::Anthropic, &events(&stream(&usage))).unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("Grüße", FinishReason::ToolUse));
        assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
        let usage = reply.usage.unwrap();
        assert_eq!((usage.input_uncached, usage.cache_read, usage.output_total()), (25, 6, 15));
        let first = progress.iter().position(|progress| *progress == Progress::Content);
        assert_eq!(first, Some(3), "neither the start, nor a block's start, nor a ping is content");
    }

    #[test]
    fn a_tool_without_arguments_has_an_empty_object() {
        let mut events_list = stream(&json!({"output_tokens": 15}));
        events_list.drain(8..10);
        let (reply, _) = read(Protocol::Anthropic, &events(&events_list)).unwrap();
        assert_eq!(reply.tool_calls[0].arguments, json!({}));
    }

    #[test]
    fn a_stream_is_complete_only_with_its_stop() {
        let all = stream(&json!({"output_tokens": 15}));
        for length in 0..all.len() {
            let error = read(Protocol::Anthropic, &events(&all[..length])).unwrap_err();
            assert_eq!(error.problem, Problem::Truncated, "{length} events");
            assert_eq!(error.billed.is_some(), length == all.len() - 1, "{length} events");
        }
    }

    #[test]
    fn an_error_event_is_an_error() {
        let mut all = stream(&json!({}));
        all[5] = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        let Problem::Reported(reported) = problem(read(Protocol::Anthropic, &events(&all))) else {
            panic!("not reported")
        };
        assert_eq!(reported.kind.as_deref(), Some("overloaded_error"));
    }
}

mod gemini {
    use super::*;

    fn response(parts: &Value, finish: &Value) -> Value {
        json!({
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
            "usageMetadata": {"promptTokenCount": 30, "cachedContentTokenCount": 10, "toolUsePromptTokenCount": 3,
                "candidatesTokenCount": 7, "thoughtsTokenCount": 40, "totalTokenCount": 80},
            "modelVersion": "gemini-2.5-flash", "responseId": "r1",
        })
    }

    #[test]
    fn a_document_is_read_and_thoughts_stand_beside_the_answer() {
        let parts = json!([
            {"text": "hm", "thought": true},
            {"text": "Hi"},
            {"functionCall": {"name": "track", "args": {"order": 1}}},
        ]);
        let mut body = response(&parts, &json!("STOP"));
        body["candidates"][0]["logprobsResult"] = json!({
            "chosenCandidates": [{"token": "Hi", "tokenId": 1, "logProbability": -0.5}],
            "topCandidates": [{"candidates": [{"token": "Hi", "logProbability": -0.5}, {"token": "Yo", "logProbability": -2.0}]}],
        });
        let reply = decode(Protocol::Gemini, &body).unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::ToolUse));
        assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
        let expected = Usage {
            input_uncached: 23,
            cache_read: 10,
            output_visible: 7,
            output_reasoning: 40,
            ..Usage::default()
        };
        assert_eq!(reply.usage, Some(expected));
        assert_eq!(reply.logprobs[0].top.len(), 2);
        assert_eq!(
            (reply.served_model.as_deref(), reply.request_id.as_deref()),
            (Some("gemini-2.5-flash"), Some("r1"))
        );
    }

    #[test]
    fn every_finish_reason_has_its_normal_form() {
        let filtered = ["SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"];
        let malformed = ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"];
        let error = ["RECITATION", "LANGUAGE", "OTHER", "NO_IMAGE", "SOMETHING_NEW"];
        let mut all = vec![("STOP", FinishReason::Complete), ("MAX_TOKENS", FinishReason::Length)];
        all.extend(filtered.map(|word| (word, FinishReason::Filtered)));
        all.extend(malformed.map(|word| (word, FinishReason::MalformedTool)));
        all.extend(error.map(|word| (word, FinishReason::Error)));
        for (word, finish) in all {
            let reply =
                decode(Protocol::Gemini, &response(&json!([{"text": "x"}]), &json!(word))).unwrap();
            assert_eq!(reply.finish, finish, "{word}");
        }
        let reply = decode(Protocol::Gemini, &response(&json!([]), &json!("RECITATION"))).unwrap();
        assert_eq!(reply.extra["finish_reason"], json!("RECITATION"));
    }

    #[test]
    fn a_blocked_prompt_is_filtered_not_malformed() {
        let body = json!({"promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}});
        let reply = decode(Protocol::Gemini, &body).unwrap();
        assert_eq!((reply.finish, reply.usage.unwrap().input_total()), (FinishReason::Filtered, 8));
        let (reply, _) = read(Protocol::Gemini, &events(&[body])).unwrap();
        assert_eq!(reply.finish, FinishReason::Filtered);
        assert!(matches!(problem(decode(Protocol::Gemini, &json!({}))), Problem::Malformed(_)));
    }

    #[test]
    fn a_stream_is_complete_if_it_closes_after_a_finish_reason() {
        let mut first = response(&json!([{"text": "Gr"}]), &Value::Null);
        first["usageMetadata"] = json!({"promptTokenCount": 30});
        let last = response(&json!([{"text": "üße"}]), &json!("STOP"));
        let (reply, _) = read(Protocol::Gemini, &events(&[first.clone(), last])).unwrap();
        assert_eq!((reply.text.as_str(), reply.usage.unwrap().output_total()), ("Grüße", 47));
        assert_eq!(problem(read(Protocol::Gemini, &events(&[first.clone()]))), Problem::Truncated);
        assert_eq!(problem(decode(Protocol::Gemini, &first)), Problem::Truncated);
    }

    #[test]
    fn an_error_in_a_list_of_one_is_an_error() {
        let body = json!([{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}]);
        assert!(matches!(problem(decode(Protocol::Gemini, &body)), Problem::Reported(_)));
        assert!(matches!(problem(read(Protocol::Gemini, &events(&[body]))), Problem::Reported(_)));
    }
}

mod ollama {
    use super::*;

    fn piece(content: &str) -> Value {
        json!({"model": "smollm2", "created_at": "2026-08-01T00:00:00Z",
            "message": {"role": "assistant", "content": content}, "done": false})
    }

    fn last(reason: &Value) -> Value {
        json!({"model": "smollm2", "message": {"role": "assistant", "content": ""}, "done": true,
            "done_reason": reason, "total_duration": 5, "prompt_eval_count": 26, "eval_count": 298})
    }

    #[test]
    fn a_document_is_read() {
        let mut body = last(&json!("stop"));
        body["message"] = json!({"role": "assistant", "content": "Hi", "tool_calls": [
            {"function": {"name": "track", "arguments": {"order": 1}}}]});
        let reply = decode(Protocol::Ollama, &body).unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::ToolUse));
        assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
        let usage = reply.usage.unwrap();
        assert_eq!((usage.input_total(), usage.output_total()), (26, 298));
        assert_eq!(reply.raw_usage["total_duration"], json!(5));
        for (reason, finish) in [
            (json!("stop"), FinishReason::Complete),
            (json!("length"), FinishReason::Length),
            (json!("load"), FinishReason::Error),
            (Value::Null, FinishReason::Complete),
        ] {
            assert_eq!(
                decode(Protocol::Ollama, &last(&reason)).unwrap().finish,
                finish,
                "{reason}"
            );
        }
    }

    #[test]
    fn a_stream_of_lines_is_put_together() {
        let bytes = lines(&[piece("Gr"), piece("üße"), last(&json!("stop"))]);
        let (reply, progress) = read(Protocol::Ollama, &bytes).unwrap();
        assert_eq!(reply.text, "Grüße");
        assert_eq!(progress, [Progress::Content, Progress::Content, Progress::End]);
    }

    #[test]
    fn a_stream_that_is_not_done_is_truncated() {
        assert_eq!(problem(read(Protocol::Ollama, &lines(&[piece("Gr")]))), Problem::Truncated);
        assert_eq!(problem(decode(Protocol::Ollama, &piece("Gr"))), Problem::Truncated);
    }

    #[test]
    fn an_error_in_the_middle_is_an_error() {
        let bytes = lines(&[
            piece("Gr"),
            json!({"error": "an error was encountered while running the model"}),
        ]);
        let Problem::Reported(reported) = problem(read(Protocol::Ollama, &bytes)) else {
            panic!("not reported")
        };
        assert!(reported.message.contains("running the model"));
    }
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
