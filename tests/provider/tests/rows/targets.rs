use std::collections::BTreeMap;

use catalog::Timeouts;
use chat::Usage;
use provider::{
    BoundKey, Client, HttpTarget, HttpTargetSpec, Network, Reading, SettingsError, Template,
};
use run::{Bill, FailureKind, Retry};
use serde_json::{Map, Value, json};
use test_provider::{Behaviour, Ending, Gate, TestProvider, plan};
use tokio::sync::watch;
use values::Secret;

use crate::support::never;

const CANARY: &str = "sk-canary-6d1f0c7e5b";

fn spec(server: &TestProvider) -> HttpTargetSpec {
    HttpTargetSpec {
        name: "app".to_owned(),
        url: format!("{}/answer/", server.origin()),
        headers: BTreeMap::new(),
        timeouts: Timeouts::default(),
        request: Template::new(&json!({"question": "{{q}}", "about": ["for {{q}}"]})).unwrap(),
        response: Reading::new("$.text").unwrap(),
    }
}

fn inputs(text: &str) -> Map<String, Value> {
    json!({ "q": text }).as_object().unwrap().clone()
}

async fn ask(spec: HttpTargetSpec, network: &Network) -> Result<Box<run::Answer>, run::Failure> {
    let target = HttpTarget::new(spec, network, None).unwrap();
    let call = target.prepare_case(&inputs("hi")).unwrap();
    target.send(&call, never()).await.outcome
}

#[tokio::test]
async fn a_case_is_posted_as_data_and_every_part_of_the_answer_is_read() {
    let server = TestProvider::start(|_| {
        let document = json!({
            "text": "fine", "used": {"in": 4, "out": 2},
            "docs": [{"t": "one"}], "calls": [{"name": "look", "arguments": {}}],
        });
        Behaviour::json(200, &document).header("x-request-id", "r-7")
    });
    let usage = [("input_uncached", "$.used.in"), ("output_visible", "$.used.out")];
    let usage = usage.map(|(bucket, path)| (bucket.to_owned(), path.to_owned())).into();
    let response = Reading::new("$.text").unwrap().usage(&usage).unwrap();
    let response = response.documents("$.docs[*].t").unwrap().tool_calls("$.calls").unwrap();
    let target =
        HttpTarget::new(HttpTargetSpec { response, ..spec(&server) }, &Network::default(), None)
            .unwrap();
    let hostile = "\"}, \"admin\": true, {{q}} \u{0}";
    let call = target.prepare_case(&inputs(hostile)).unwrap();
    let answer = target.send(&call, never()).await.outcome.unwrap();

    assert_eq!(answer.reply.text, "fine");
    let used = Usage { input_uncached: 4, output_visible: 2, ..Usage::default() };
    assert_eq!(answer.reply.usage, Some(used));
    assert_eq!(answer.reply.extra, json!({"documents": ["one"]}));
    assert_eq!(answer.reply.tool_calls[0].name, "look");
    assert_eq!(answer.reply.request_id.as_deref(), Some("r-7"));
    let seen = &server.seen()[0];
    assert_eq!(seen.path(), "/answer/");
    assert_eq!(seen.json, json!({"question": hostile, "about": [format!("for {hostile}")]}));
}

#[tokio::test]
async fn another_reading_of_the_response_is_another_call() {
    let server = TestProvider::echoing();
    let key = |response| {
        let target = HttpTarget::new(
            HttpTargetSpec { response, ..spec(&server) },
            &Network::default(),
            None,
        )
        .unwrap();
        target.prepare_case(&inputs("hi")).unwrap().cache_key(0)
    };
    assert_ne!(key(Reading::new("$.a").unwrap()), key(Reading::new("$.b").unwrap()));
    let target = HttpTarget::new(spec(&server), &Network::default(), None).unwrap();
    let error = target.prepare_case(&Map::new()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the case has no input `q`, which is asked for at `/question` of the request template"
    );
}

#[tokio::test]
async fn a_targets_faults_are_told_apart() {
    let answer = json!({"text": "a longer text than was expected"});
    let server = TestProvider::start(plan([
        Behaviour::raw(200, "text/html", "<html>"),
        Behaviour::json(200, &json!({"anwser": 1})),
        Behaviour::json(200, &answer).cut_at(9, Ending::Closed),
        Behaviour::json(200, &answer).cut_at(9, Ending::Clean),
        Behaviour::raw(503, "text/plain", "down").header("retry-after", "3"),
        Behaviour::redirect(307, "http://127.0.0.1:1/"),
        Behaviour::json(200, &json!("x".repeat(1000))),
        Behaviour::json(422, &json!({"detail": "no question"})),
        Behaviour::reset(),
    ]));
    let limited = Network { max_answer_bytes: 500, ..Network::default() };
    let mut found = Vec::new();
    for _ in 0..9 {
        let failure = ask(spec(&server), &limited).await.unwrap_err();
        found.push((failure.kind, failure.retry, failure.bill));
    }
    let (unknown, nothing) = (Bill::Unknown, Bill::Nothing);
    assert_eq!(
        found,
        [
            (FailureKind::BadResponse, Retry::Backoff, unknown),
            (FailureKind::BadResponse, Retry::Never, unknown),
            (FailureKind::Truncated, Retry::Backoff, unknown),
            (FailureKind::Truncated, Retry::Backoff, unknown),
            (FailureKind::Overloaded, Retry::After { ms: 3000 }, unknown),
            (FailureKind::Redirected, Retry::Never, nothing),
            (FailureKind::TooLarge, Retry::Never, unknown),
            (FailureKind::InvalidRequest, Retry::Never, nothing),
            (FailureKind::Truncated, Retry::Backoff, unknown),
        ]
    );
}

#[tokio::test]
async fn a_target_that_hangs_meets_the_time_limit_and_a_stop_closes_the_connection() {
    let gate = Gate::closed();
    let server = TestProvider::start(move |seen| Behaviour::echo(seen).after(&gate));
    let mut slow = spec(&server);
    slow.timeouts.total_ms = 50;
    assert_eq!(ask(slow, &Network::default()).await.unwrap_err().kind, FailureKind::Timeout);
    server.wait_for_aborts(1).await;

    let target = HttpTarget::new(spec(&server), &Network::default(), None).unwrap();
    let call = target.prepare_case(&inputs("hi")).unwrap();
    let (stop, stopped) = watch::channel(false);
    let (sent, ()) = tokio::join!(target.send(&call, stopped), async {
        server.wait_for_requests(2).await;
        stop.send_replace(true);
    });
    assert_eq!(sent.outcome.unwrap_err().kind, FailureKind::Cancelled);
    server.wait_for_aborts(2).await;
}

#[tokio::test]
async fn a_targets_key_goes_to_its_origin_and_is_taken_out_of_what_comes_back() {
    let elsewhere = TestProvider::echoing();
    let to = elsewhere.origin();
    let server = TestProvider::start(move |seen| match seen.number {
        0 => Behaviour::json(200, &json!({"text": seen.header("authorization")})),
        1 => Behaviour::raw(400, "text/plain", format!("bad key {CANARY}")),
        _ => Behaviour::redirect(307, to.clone()),
    });
    let key =
        |origin: String| BoundKey { secret: Secret::new(CANARY), origin: origin.parse().unwrap() };
    let target =
        HttpTarget::new(spec(&server), &Network::default(), Some(key(server.origin()))).unwrap();
    let call = target.prepare_case(&inputs("hi")).unwrap();
    let answer = target.send(&call, never()).await.outcome.unwrap();
    assert_eq!(answer.reply.text, "Bearer [key]");
    let failure = target.send(&call, never()).await.outcome.unwrap_err();
    assert!(failure.message.contains("bad key [key]"), "{}", failure.message);
    target.send(&call, never()).await.outcome.unwrap_err();
    assert_eq!(elsewhere.received_bytes(), 0);

    let refused =
        HttpTarget::new(spec(&server), &Network::default(), Some(key(elsewhere.origin())))
            .unwrap_err();
    assert!(matches!(refused, SettingsError::KeyBoundElsewhere { .. }));
}

#[tokio::test]
async fn a_target_sends_no_call_that_is_not_its_own() {
    let server = TestProvider::echoing();
    let other = TestProvider::echoing();
    let target = HttpTarget::new(spec(&server), &Network::default(), None).unwrap();
    let strange = HttpTarget::new(spec(&other), &Network::default(), None)
        .unwrap()
        .prepare_case(&inputs("hi"))
        .unwrap();
    let failure = target.send(&strange, never()).await.outcome.unwrap_err();
    assert_eq!((failure.kind, failure.bill), (FailureKind::InvalidRequest, Bill::Nothing));
    assert_eq!(server.counts().connections + other.counts().connections, 0);
}
