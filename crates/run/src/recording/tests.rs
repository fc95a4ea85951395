use chat::{FinishReason, TokenLogprob, ToolCall, Usage};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn hash(text: &str) -> ContentHash {
    ContentHash::of_bytes(text.as_bytes())
}

fn recording() -> Recording {
    Recording {
        key: hash("key"),
        protocol: Protocol::OpenaiChat,
        model: "m".to_owned(),
        by: RecordedBy::Origin("https://a.example".to_owned()),
        adapter_version: 1,
        sample: 0,
        recorded_at: Timestamp::from_unix_ms(1_763_631_000_000),
        latency_ms: 812,
        first_token_ms: None,
        reply: Reply {
            text: "4711".to_owned(),
            refusal: None,
            tool_calls: Vec::new(),
            finish: FinishReason::Complete,
            usage: Some(Usage { input_uncached: 9, output_visible: 2, ..Usage::default() }),
            raw_usage: json!({"prompt_tokens": 9, "completion_tokens": 2}),
            served_model: None,
            request_id: None,
            logprobs: Vec::new(),
            extra: Value::Null,
        },
        other: Map::new(),
    }
}

#[test]
fn a_row_has_its_keys_in_the_documented_order() {
    insta::assert_snapshot!(recording().row(), @r#"{"format":1,"key":"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683","protocol":"openai-chat","model":"m","origin":"https://a.example","adapter_version":1,"sample":0,"recorded_at":"2025-11-20T09:30:00Z","latency_ms":812,"reply":{"text":"4711","finish":"complete","usage":{"input_uncached":9,"cache_read":0,"cache_write_5m":0,"cache_write_1h":0,"output_visible":2,"output_reasoning":0},"raw_usage":{"prompt_tokens":9,"completion_tokens":2}}}"#);
}

#[test]
fn a_model_in_the_process_is_recorded_with_its_file_and_runtime() {
    let by = RecordedBy::ModelFile { model_file: hash("gguf"), runtime: "llama.cpp b1".to_owned() };
    let row = Recording { by, first_token_ms: Some(40), ..recording() };
    let (read, bad) = read_recordings(&row.row());
    assert_eq!((read, bad), (vec![row], vec![]));
}

#[test]
fn an_answer_comes_back_as_a_replay_with_its_own_latency() {
    let call = Call {
        protocol: Protocol::OpenaiChat,
        endpoint: Endpoint::Remote {
            origin: "https://a.example".to_owned(),
            path: "/x".to_owned(),
        },
        model: "m".to_owned(),
        body: json!({"messages": []}),
        seed: None,
        adapter_version: 3,
    };
    let live = Answer {
        reply: recording().reply,
        latency_ms: 812,
        first_token_ms: Some(9),
        source: AnswerSource::Live,
    };
    let row = Recording::new(&call, 2, &live, Timestamp::from_unix_ms(5));
    assert_eq!(row.key, call.recording_key(2));
    assert_eq!(row.answer(), Answer { source: AnswerSource::Replay, ..live });
}

#[test]
fn a_bad_line_is_named_and_the_others_are_used() {
    let good = recording().row();
    let newer = good.replacen("\"format\":1", "\"format\":2", 1);
    let text = format!("{good}\n\n<<<<<<< ours\n{newer}\n{{\"format\":1,\"é\": nope}}\n[]\n");
    let (rows, bad) = read_recordings(&text);
    assert_eq!(rows, [recording()]);
    let shown: Vec<String> = bad.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    line 3, column 1: expected value
    line 4, column 1: the row has format 2, and this program reads format 1
    line 5, column 19: expected ident
    line 6, column 1: expected a JSON object
    ");
}

#[test]
fn of_one_key_the_last_recorded_stays_and_unknown_keys_are_kept() {
    let mut newer = recording();
    newer.recorded_at = Timestamp::from_unix_ms(1_763_631_000_001);
    newer.other.insert("note".to_owned(), json!({"b": 1, "a": 2}));
    let written = write_recordings([newer.clone(), recording(), newer.clone()]);
    assert_eq!(written, write_recordings([recording(), newer.clone()]));
    assert_eq!(read_recordings(&written).0, [newer]);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e12..1e12).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,4}", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn any_reply()(
        text in ".{0,40}",
        refusal in prop::option::of(".{0,8}"),
        arguments in prop::collection::vec(json_value(), 0..3),
        output in prop::option::of(any::<u64>()),
        raw_usage in json_value(),
        logprob in -30.0..0.0,
        extra in json_value(),
    ) -> Reply {
        let call = |arguments| ToolCall { id: "c".to_owned(), name: "f".to_owned(), arguments };
        Reply {
            text,
            refusal,
            tool_calls: arguments.into_iter().map(call).collect(),
            finish: FinishReason::Complete,
            usage: output.map(|output_visible| Usage { output_visible, ..Usage::default() }),
            raw_usage,
            served_model: None,
            request_id: Some("r".to_owned()),
            logprobs: vec![TokenLogprob {
                token: "t".to_owned(),
                logprob,
                top: vec![("u".to_owned(), logprob)],
            }],
            extra,
        }
    }
}

prop_compose! {
    fn any_recording()(
        key in 0u8..6,
        who in 0u8..3,
        sample in any::<u32>(),
        time in 0i64..4_000_000_000_000,
        latency_ms in any::<u64>(),
        first_token_ms in prop::option::of(any::<u64>()),
        reply in any_reply(),
    ) -> Recording {
        let by = match who {
            0 => RecordedBy::Origin("https://a.example".to_owned()),
            1 => RecordedBy::ModelFile { model_file: hash("g"), runtime: "llama.cpp".to_owned() },
            _ => RecordedBy::Program { declaration: hash("p") },
        };
        Recording {
            key: ContentHash::of_bytes(&[key]),
            by,
            sample,
            recorded_at: Timestamp::from_unix_ms(time),
            latency_ms,
            first_token_ms,
            reply,
            ..recording()
        }
    }
}

/// A double without a fraction is written `1` and reads back as an integer, so rows are compared as
/// they are written.
fn rows(recordings: &[Recording]) -> Vec<String> {
    recordings.iter().map(Recording::row).collect()
}

proptest! {
    #[test]
    fn what_is_written_reads_back_and_is_written_again_as_the_same_bytes(row in any_recording()) {
        let text = row.row();
        prop_assert!(!text.contains('\n'));
        let (read, bad) = read_recordings(&text);
        prop_assert_eq!(bad, vec![]);
        prop_assert_eq!(rows(&read), vec![text]);
        prop_assert_eq!(&read[0].reply.text, &row.reply.text);
        prop_assert_eq!(&read[0].by, &row.by);
    }

    #[test]
    fn order_and_duplicates_do_not_change_the_file(
        mut recordings in prop::collection::vec(any_recording(), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let written = write_recordings(recordings.clone());
        if !recordings.is_empty() {
            let at = cut.index(recordings.len());
            recordings.push(recordings[at].clone());
            recordings.rotate_left(at);
        }
        prop_assert_eq!(write_recordings(recordings), written.as_str());
        let (read, bad) = read_recordings(&written);
        prop_assert!(bad.is_empty());
        prop_assert!(read.is_sorted_by(|a, b| a.key < b.key));
        prop_assert_eq!(write_recordings(read), written);
    }
}
