//! Section 1.4: errors, retries, rates.

use chat::Protocol;
use provider::RateHints;
use run::{Bill, FailureKind as Kind, Retry};
use serde_json::json;
use test_provider::{Behaviour, Ending};

use crate::support::{answer, failure, once, ways};

#[tokio::test]
async fn the_vendors_word_on_retrying_wins_over_the_status() {
    for (status, word, retry) in [
        (400, "true", Retry::Backoff),
        (408, "false", Retry::Never),
        (429, "false", Retry::Never),
        (500, "false", Retry::Never),
        (503, "true", Retry::Backoff),
    ] {
        let refusal = Behaviour::refuse(status, "", "m").header("x-should-retry", word);
        let found = failure(Protocol::OpenaiChat, false, refusal).await;
        assert_eq!(found.retry, retry, "{status} {word}");
    }
    for status in [408, 409, 429, 500, 502, 503, 504, 529] {
        let refusal = Behaviour::refuse(status, "", "m");
        let found = failure(Protocol::Anthropic, false, refusal).await;
        assert_eq!(found.retry, Retry::Backoff, "{status}");
    }
    for status in [400, 401, 402, 403, 404, 413, 422] {
        let refusal = Behaviour::refuse(status, "", "m");
        let found = failure(Protocol::Anthropic, false, refusal).await;
        assert_eq!((found.retry, found.bill), (Retry::Never, Bill::Nothing), "{status}");
    }
}

#[tokio::test]
async fn every_form_of_a_waiting_time_is_read_and_passed_on() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    for (headers, retry) in [
        (vec![("retry-after", "2")], Retry::After { ms: 2000 }),
        (vec![("retry-after", "0.5")], Retry::After { ms: 500 }),
        (vec![("retry-after", "9"), ("retry-after-ms", "70")], Retry::After { ms: 70 }),
        (vec![date, ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")], Retry::After { ms: 3000 }),
        (vec![("retry-after", "600")], Retry::After { ms: 600_000 }),
        (vec![("retry-after", "soon")], Retry::Backoff),
        (vec![], Retry::Backoff),
    ] {
        let refusal =
            headers.iter().fold(Behaviour::rate_limited(None), |refusal, (name, value)| {
                refusal.header(*name, *value)
            });
        let found = failure(Protocol::OpenaiChat, false, refusal).await;
        assert_eq!((found.kind, found.retry), (Kind::RateLimited, retry), "{headers:?}");
    }
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_not_a_rate_limit() {
    let quota = failure(Protocol::OpenaiChat, false, Behaviour::quota_exhausted()).await;
    assert_eq!((quota.kind, quota.retry), (Kind::QuotaExhausted, Retry::Never));
    let billing = Behaviour::refuse(402, "billing_error", "no credit");
    let billing = failure(Protocol::Anthropic, false, billing).await;
    assert_eq!((billing.kind, billing.retry), (Kind::QuotaExhausted, Retry::Never));
}

#[tokio::test]
async fn each_vendors_error_body_gives_its_words_and_its_request_id() {
    for (protocol, _) in ways() {
        let found = failure(protocol, false, Behaviour::refuse(400, "", "the words")).await;
        assert_eq!(found.kind, Kind::InvalidRequest, "{protocol}");
        assert!(found.message.contains("the words"), "{protocol}: {found}");
        assert_eq!(found.request_id.as_deref(), Some("req_0"), "{protocol}");
    }
    let wrapped = json!([{"error": {"code": 429, "message": "the words",
        "status": "RESOURCE_EXHAUSTED", "details": []}}]);
    let found = failure(Protocol::Gemini, false, Behaviour::json(429, &wrapped)).await;
    assert_eq!(found.kind, Kind::RateLimited);
    assert!(found.message.contains("the words"));
}

#[tokio::test]
async fn what_breaks_off_is_an_error_and_never_a_short_answer() {
    for (protocol, stream) in ways() {
        for ending in [Ending::Clean, Ending::Closed, Ending::Reset] {
            let cut = Behaviour::text("a long text that is cut").cut_at(60, ending);
            let found = failure(protocol, stream, cut).await;
            assert_eq!(found.kind, Kind::Truncated, "{protocol} {stream} {ending:?}: {found}");
            assert_eq!(found.retry, Retry::Backoff);
        }
    }
}

#[tokio::test]
async fn an_error_event_ends_a_stream_that_began_with_200() {
    for (protocol, stream) in ways().filter(|(_, stream)| *stream) {
        let broken =
            Behaviour::text("a long text").failing_in_stream(2, "server_error", "it broke");
        let found = failure(protocol, stream, broken).await;
        assert_eq!((found.kind, found.bill), (Kind::ServerError, Bill::Unknown), "{protocol}");
        assert!(found.message.contains("it broke"), "{protocol}: {found}");
    }
}

#[tokio::test]
async fn characters_split_over_chunks_arrive_whole() {
    let text = "Grüße, 世界 🦀";
    for (protocol, stream) in ways() {
        for bytes in [1, 2, 3] {
            let split = Behaviour::text(text).in_chunks_of(bytes);
            assert_eq!(answer(protocol, stream, split).await.reply.text, text, "{protocol}");
        }
    }
}

#[tokio::test]
async fn rates_are_read_in_each_vendors_headers_and_nonsense_is_unknown() {
    let openai = Behaviour::text("x")
        .header("x-ratelimit-limit-requests", "100")
        .header("x-ratelimit-remaining-requests", "99")
        .header("x-ratelimit-reset-requests", "12ms")
        .header("x-ratelimit-limit-tokens", "5000")
        .header("x-ratelimit-remaining-tokens", "4000")
        .header("x-ratelimit-reset-tokens", "6m0s");
    let expected = RateHints {
        requests_left: Some(99),
        requests_reset_ms: Some(12),
        tokens_left: Some(4000),
        tokens_reset_ms: Some(360_000),
    };
    assert_eq!(once(Protocol::OpenaiChat, false, openai).await.rate, expected);
    let azure = Behaviour::text("x")
        .header("x-ratelimit-limit-requests", "-1")
        .header("x-ratelimit-remaining-requests", "0");
    assert_eq!(once(Protocol::OpenaiResponses, false, azure).await.rate.requests_left, None);
    let anthropic = Behaviour::text("x")
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("anthropic-ratelimit-requests-limit", "50")
        .header("anthropic-ratelimit-requests-remaining", "49")
        .header("anthropic-ratelimit-requests-reset", "1994-11-06T08:49:40Z");
    let rate = once(Protocol::Anthropic, false, anthropic).await.rate;
    assert_eq!((rate.requests_left, rate.requests_reset_ms), (Some(49), Some(3000)));
}
