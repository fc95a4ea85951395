//! The client against a server that writes the protocols down by the vendors' documentation and
//! shares no code with `wire`: the two must mean the same.

use catalog::MaxTokensParameter;
use chat::{FinishReason, Protocol, ToolCall, Usage};
use provider::Sent;
use run::{Bill, FailureKind, Retry};
use serde_json::json;
use test_provider::{
    Answer, Behaviour, Cached, Dialect, Ending, Options, Report, SeenRequest, TestProvider,
};

use crate::support::{CANARY, Setup};

const WIRE: [Protocol; 5] = [
    Protocol::OpenaiChat,
    Protocol::OpenaiResponses,
    Protocol::Anthropic,
    Protocol::Gemini,
    Protocol::Ollama,
];

/// Every protocol, streaming and not.
fn ways() -> impl Iterator<Item = (Protocol, bool)> {
    WIRE.into_iter().flat_map(|protocol| [(protocol, false), (protocol, true)])
}

async fn send(server: &TestProvider, protocol: Protocol, stream: bool) -> Sent {
    Setup::new(protocol, &server.origin()).streaming(stream).send().await
}

fn always(behaviour: Behaviour) -> impl Fn(&SeenRequest) -> Behaviour + Send + Sync + 'static {
    move |_| behaviour.clone()
}

const TEXT: &str = "Größe 🦀 日本 – \"quoted\"\nand a second line";

#[tokio::test]
async fn texts_and_bills_agree_whatever_chunks_they_come_in() {
    for chunk in [1, 2, 3, 5, 17, 4096] {
        let server = TestProvider::start(always(Behaviour::text(TEXT).in_chunks_of(chunk)));
        for (number, (protocol, stream)) in ways().enumerate() {
            let answer = send(&server, protocol, stream).await.outcome.unwrap();
            assert_eq!(answer.reply.text, TEXT, "{protocol}");
            assert_eq!(answer.reply.finish, FinishReason::Complete, "{protocol}");
            assert_eq!(answer.reply.usage, Some(server.billed()[number].usage), "{protocol}");
            assert_eq!(answer.first_token_ms.is_some(), stream, "{protocol}");
        }
    }
}

#[tokio::test]
async fn the_key_goes_into_the_protocols_header_and_nowhere_else() {
    let server = TestProvider::echoing();
    for (protocol, name, value) in [
        (Protocol::OpenaiChat, "authorization", format!("Bearer {CANARY}")),
        (Protocol::OpenaiResponses, "authorization", format!("Bearer {CANARY}")),
        (Protocol::Anthropic, "x-api-key", CANARY.to_owned()),
        (Protocol::Gemini, "x-goog-api-key", CANARY.to_owned()),
        (Protocol::Ollama, "authorization", format!("Bearer {CANARY}")),
    ] {
        send(&server, protocol, false).await.outcome.unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.protocol, Some(protocol));
        assert_eq!(seen.header(name), Some(value.as_str()), "{protocol}");
        let elsewhere = seen.headers.iter().filter(|(other, _)| other.as_str() != name);
        assert!(!format!("{:?} {}", elsewhere.collect::<Vec<_>>(), seen.uri).contains(CANARY));
        assert_eq!(seen.header("anthropic-version").is_some(), protocol == Protocol::Anthropic);
    }
}

/// Bills that each protocol can express.
fn bills(protocol: Protocol) -> Vec<Usage> {
    let plain = Usage { input_uncached: 21, output_visible: 9, ..Usage::default() };
    let cached = Usage { cache_read: 100, ..plain };
    let written = Usage { cache_write_5m: 50, ..cached };
    let long = Usage { cache_write_1h: 70, ..written };
    let thinking = |usage: Usage| Usage { output_reasoning: 33, ..usage };
    match protocol {
        Protocol::Ollama => vec![plain],
        Protocol::Gemini => vec![plain, cached, thinking(plain), thinking(cached)],
        Protocol::Anthropic => vec![plain, cached, written, long, thinking(long)],
        _ => vec![plain, cached, written, thinking(written)],
    }
}

#[tokio::test]
async fn buckets_are_what_the_provider_billed() {
    for (protocol, stream) in ways() {
        for bill in bills(protocol) {
            let server =
                TestProvider::start(always(Behaviour::answer(Answer::text("x").billed(bill))));
            let reply = send(&server, protocol, stream).await.outcome.unwrap().reply;
            assert_eq!(reply.usage, Some(bill), "{protocol}, stream {stream}");
            assert!(reply.raw_usage.is_object(), "{protocol}");
        }
    }
}

#[tokio::test]
async fn a_usage_that_is_missing_is_unknown() {
    let server = TestProvider::start(always(Behaviour::answer(
        Answer::text("x").reporting(Report::Missing),
    )));
    for (protocol, stream) in ways() {
        let reply = send(&server, protocol, stream).await.outcome.unwrap().reply;
        assert_eq!(reply.usage, None, "{protocol}, stream {stream}");
    }
}

#[tokio::test]
async fn a_usage_that_contradicts_itself_is_unknown_and_marked() {
    for (protocol, raw) in [
        (
            Protocol::OpenaiChat,
            json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 99}),
        ),
        (
            Protocol::OpenaiResponses,
            json!({"input_tokens": 1, "output_tokens": 1, "total_tokens": 99}),
        ),
        (Protocol::Gemini, json!({"promptTokenCount": 1, "cachedContentTokenCount": 5})),
    ] {
        let answer = Answer::text("x").reporting(Report::Raw(raw.clone()));
        let server = TestProvider::start(always(Behaviour::answer(answer)));
        for stream in [false, true] {
            let reply = send(&server, protocol, stream).await.outcome.unwrap().reply;
            assert_eq!((reply.usage, &reply.raw_usage), (None, &raw), "{protocol}");
            assert!(reply.extra["usage_problem"].is_string(), "{protocol}");
        }
    }
}

#[tokio::test]
async fn tool_calls_refusals_and_ends_agree() {
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "track".to_owned(),
        arguments: json!({"order": "4711"}),
    };
    let tools = TestProvider::start(always(Behaviour::answer(Answer::tools(vec![call.clone()]))));
    let refusing = TestProvider::start(always(Behaviour::answer(Answer::refusal("I cannot."))));
    let long = TestProvider::start(always(Behaviour::text("word ".repeat(500))));
    for (protocol, stream) in ways() {
        let reply = send(&tools, protocol, stream).await.outcome.unwrap().reply;
        assert_eq!(reply.finish, FinishReason::ToolUse, "{protocol}, stream {stream}");
        assert_eq!(reply.tool_calls.len(), 1);
        assert_eq!(reply.tool_calls[0].name, call.name);
        assert_eq!(reply.tool_calls[0].arguments, call.arguments);

        let reply = send(&long, protocol, stream).await.outcome.unwrap().reply;
        assert_eq!(reply.finish, FinishReason::Length, "{protocol}, stream {stream}");
        assert_eq!(reply.usage.unwrap().output_total(), 64, "the maximum that was sent caps");

        let refuses_in_words = matches!(
            protocol,
            Protocol::OpenaiChat | Protocol::OpenaiResponses | Protocol::Anthropic
        );
        if refuses_in_words {
            let reply = send(&refusing, protocol, stream).await.outcome.unwrap().reply;
            assert_eq!(reply.finish, FinishReason::Refused, "{protocol}, stream {stream}");
        }
    }
}

#[tokio::test]
async fn cached_input_is_seen() {
    let mut answer = Answer::text("x");
    answer.cached = Cached { read: 2, write_5m: 1, write_1h: 0 };
    let server = TestProvider::start(always(Behaviour::answer(answer)));
    for protocol in [Protocol::OpenaiChat, Protocol::OpenaiResponses, Protocol::Anthropic] {
        let usage = send(&server, protocol, true).await.outcome.unwrap().reply.usage.unwrap();
        assert_eq!((usage.cache_read, usage.cache_write_5m), (2, 1), "{protocol}");
    }
}

#[tokio::test]
async fn ollamas_v1_is_capped_only_by_the_old_name() {
    let options = Options { dialect: Dialect::OllamaV1, ..Options::default() };
    let server = TestProvider::start_with(options, always(Behaviour::text("word ".repeat(500))));
    for (parameter, capped) in
        [(MaxTokensParameter::MaxTokens, true), (MaxTokensParameter::MaxCompletionTokens, false)]
    {
        let mut setup = Setup::new(Protocol::OpenaiChat, &server.origin());
        setup.provider.max_tokens_parameter = parameter;
        let usage = setup.send().await.outcome.unwrap().reply.usage.unwrap();
        assert_eq!(usage.output_total() == 64, capped, "{parameter:?}");
        assert_eq!((usage.cache_read, usage.output_reasoning), (0, 0), "it gives no details");
    }
}

#[tokio::test]
async fn a_stream_without_its_terminal_event_is_truncated() {
    let server = TestProvider::start(always(Behaviour::text(TEXT).without_terminal_event()));
    for protocol in WIRE {
        let failure = send(&server, protocol, true).await.outcome.unwrap_err();
        assert_eq!(
            (failure.kind, failure.retry),
            (FailureKind::Truncated, Retry::Backoff),
            "{protocol}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_is_whole_or_an_error_and_never_short() {
    for ending in [Ending::Clean, Ending::Closed, Ending::Reset] {
        for cut in (0..2400).step_by(113) {
            let server = TestProvider::start(always(Behaviour::text(TEXT).cut_at(cut, ending)));
            for (protocol, stream) in ways() {
                match send(&server, protocol, stream).await.outcome {
                    Ok(answer) => assert_eq!(answer.reply.text, TEXT, "{protocol} cut at {cut}"),
                    Err(failure) => {
                        assert_eq!(
                            failure.kind,
                            FailureKind::Truncated,
                            "{protocol} cut at {cut}: {failure}"
                        );
                        assert_ne!(failure.bill, Bill::Nothing, "{protocol} cut at {cut}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn an_error_inside_a_200_stream_is_a_failure_of_its_kind() {
    let server = TestProvider::start(always(Behaviour::text(TEXT).failing_in_stream(
        2,
        "overloaded_error",
        "too busy",
    )));
    for protocol in WIRE {
        let failure = send(&server, protocol, true).await.outcome.unwrap_err();
        // Ollama's errors are words without a kind.
        let expected = match protocol {
            Protocol::Ollama => FailureKind::ServerError,
            _ => FailureKind::Overloaded,
        };
        assert_eq!(failure.kind, expected, "{protocol}: {failure}");
        assert_eq!((failure.retry, failure.bill), (Retry::Backoff, Bill::Unknown), "{protocol}");
        assert!(failure.message.contains("too busy"), "{protocol}: {failure}");
    }
}

#[tokio::test]
async fn refusals_by_status_agree_in_every_vendors_words() {
    for (behaviour, kind, retry, bill) in [
        (Behaviour::rate_limited(None), FailureKind::RateLimited, Retry::Backoff, Bill::Nothing),
        (
            Behaviour::rate_limited(Some("2")),
            FailureKind::RateLimited,
            Retry::After { ms: 2000 },
            Bill::Nothing,
        ),
        (
            Behaviour::rate_limited(Some("3600")),
            FailureKind::RateLimited,
            Retry::After { ms: 3_600_000 },
            Bill::Nothing,
        ),
        (Behaviour::server_error(500), FailureKind::ServerError, Retry::Backoff, Bill::Unknown),
        (Behaviour::server_error(503), FailureKind::Overloaded, Retry::Backoff, Bill::Unknown),
        (Behaviour::overloaded(), FailureKind::Overloaded, Retry::Backoff, Bill::Unknown),
        (
            Behaviour::refuse(401, "", "no"),
            FailureKind::Authentication,
            Retry::Never,
            Bill::Nothing,
        ),
        (Behaviour::refuse(403, "", "no"), FailureKind::Permission, Retry::Never, Bill::Nothing),
        (Behaviour::refuse(404, "", "no"), FailureKind::NotFound, Retry::Never, Bill::Nothing),
        (
            Behaviour::refuse(400, "", "no"),
            FailureKind::InvalidRequest,
            Retry::Never,
            Bill::Nothing,
        ),
    ] {
        let server = TestProvider::start(always(behaviour));
        for (protocol, stream) in ways() {
            let failure = send(&server, protocol, stream).await.outcome.unwrap_err();
            let found = (failure.kind, failure.retry, failure.bill);
            assert_eq!(found, (kind, retry, bill), "{protocol}: {failure}");
        }
    }
}

#[tokio::test]
async fn an_exhausted_quota_is_never_tried_again() {
    let server = TestProvider::start(always(Behaviour::quota_exhausted()));
    for protocol in [Protocol::OpenaiChat, Protocol::OpenaiResponses] {
        let failure = send(&server, protocol, false).await.outcome.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (FailureKind::QuotaExhausted, Retry::Never));
    }
}

#[tokio::test]
async fn headers_that_come_back_carry_no_key_further() {
    let server = TestProvider::start(always(Behaviour::text(TEXT).echoing_headers()));
    for (protocol, stream) in ways() {
        let sent = send(&server, protocol, stream).await;
        assert!(!format!("{sent:?}").contains(CANARY), "{protocol}");
    }
}

#[tokio::test]
async fn an_endless_stream_is_stopped_by_the_limit() {
    let server = TestProvider::start(always(Behaviour::endless()));
    for protocol in WIRE {
        let setup = Setup::new(protocol, &server.origin()).streaming(true).limited_to(1 << 16);
        let failure = setup.send().await.outcome.unwrap_err();
        assert_eq!(
            (failure.kind, failure.bill),
            (FailureKind::TooLarge, Bill::Unknown),
            "{protocol}"
        );
    }
}
