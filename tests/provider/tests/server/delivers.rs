use std::io::{ErrorKind, Read};

use serde_json::{Value, json};
use test_provider::{Behaviour, Ending, Gate, Keep, Options, TestProvider, plan};

use crate::client::{post, receive, send};

const CHAT: &str = "/v1/chat/completions";

fn body(stream: bool) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "grüße"}], "stream": stream})
}

#[test]
fn a_plan_gives_each_request_its_own_fault() {
    let server = TestProvider::start(plan([
        Behaviour::rate_limited(Some("2")).header("x-ratelimit-remaining-requests", "0"),
        Behaviour::quota_exhausted(),
        Behaviour::server_error(500),
        Behaviour::overloaded().header("x-should-retry", "true"),
        Behaviour::redirect(302, "http://127.0.0.1:1/elsewhere"),
        Behaviour::garbage(),
    ]));
    let answers: Vec<_> = (0..7).map(|_| post(&server, CHAT, &body(false))).collect();
    let statuses: Vec<u16> = answers.iter().map(super::client::Raw::status).collect();
    assert_eq!(statuses, [429, 429, 500, 529, 302, 200, 200]);
    assert!(answers[0].head().contains("retry-after: 2\r\nx-ratelimit-remaining-requests: 0"));
    assert_eq!(answers[1].json()["error"]["code"], "insufficient_quota");
    assert!(answers[3].head().contains("x-should-retry: true"));
    assert!(answers[4].head().contains("location: http://127.0.0.1:1/elsewhere"));
    assert!(serde_json::from_slice::<Value>(&answers[5].body().0).is_err());
    assert_eq!(answers[6].json()["choices"][0]["message"]["content"], "echo: grüße");
    assert_eq!(server.billed_sum().0, 1, "only the answer is billed");
}

#[test]
fn a_stream_is_cut_at_exactly_the_byte_that_was_asked_for() {
    let whole = post(&TestProvider::echoing(), CHAT, &body(true)).body().0;
    for at in (0..whole.len()).step_by(97) {
        for ending in [Ending::Clean, Ending::Closed] {
            let server = TestProvider::start(move |seen| Behaviour::echo(seen).cut_at(at, ending));
            let (bytes, complete) = post(&server, CHAT, &body(true)).body();
            assert_eq!(bytes, whole[..at]);
            assert_eq!(complete, ending == Ending::Clean);
            assert_eq!(server.billed_sum().0, 1, "what was generated is billed");
        }
    }
}

#[test]
fn a_whole_answer_can_be_cut_too() {
    let server = TestProvider::start(plan([
        Behaviour::text("ab").cut_at(30, Ending::Closed),
        Behaviour::text("ab").cut_at(30, Ending::Clean),
    ]));
    let (bytes, complete) = post(&server, CHAT, &body(false)).body();
    assert_eq!((bytes.len(), complete), (30, false));
    let (bytes, complete) = post(&server, CHAT, &body(false)).body();
    assert_eq!((bytes.len(), complete), (30, true));
}

#[test]
fn a_reset_reaches_the_client_as_a_reset() {
    let server = TestProvider::start(plan([
        Behaviour::reset(),
        Behaviour::text("ab").cut_at(5, Ending::Reset),
    ]));
    for _ in 0..2 {
        let answer = post(&server, CHAT, &body(false));
        assert_eq!(answer.error.unwrap().kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn characters_can_be_split_over_chunks_without_losing_a_byte() {
    let whole = post(&TestProvider::echoing(), CHAT, &body(true)).body().0;
    let server = TestProvider::start(|seen| Behaviour::echo(seen).in_chunks_of(1));
    let answer = post(&server, CHAT, &body(true));
    assert_eq!(answer.body(), (whole.clone(), true));
    assert!(answer.text().matches("\r\n1\r\n").count() >= whole.len() / 2);
}

#[test]
fn a_stream_can_fail_after_it_began_with_status_200() {
    let server = TestProvider::start(|seen| {
        Behaviour::echo(seen).failing_in_stream(2, "server_error", "it broke")
    });
    let answer = post(&server, CHAT, &body(true));
    assert_eq!(answer.status(), 200);
    let text = answer.body_text();
    assert!(text.trim_end().ends_with("\"code\":\"server_error\"}}"), "{text}");
    assert!(!text.contains("[DONE]"));
}

#[test]
fn a_held_response_comes_when_the_gate_opens_and_a_given_up_one_is_counted() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = TestProvider::start(move |seen| match seen.number {
        0 => Behaviour::echo(seen).after(&held),
        _ => Behaviour::echo(seen).after(&Gate::closed()),
    });
    let first = send(&server, CHAT, &body(false));
    server.block_for_requests(1);
    let second = send(&server, CHAT, &body(false));
    server.block_for_requests(2);
    drop(second);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(server.wait_for_aborts(1));
    gate.open();
    assert_eq!(receive(first).status(), 200);
    assert_eq!((server.counts().completed, server.counts().aborted), (1, 1));
}

#[test]
fn a_stream_stalls_at_the_byte_that_was_asked_for() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = TestProvider::start(move |seen| Behaviour::echo(seen).stalling_at(40, &held));
    let mut stream = send(&server, CHAT, &body(true));
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    // The first 40 bytes of the body begin like this, and the rest does not come by itself.
    while !String::from_utf8_lossy(&seen).contains("data: {\"id\":\"chatcmpl-0\"") {
        let n = stream.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..n]);
    }
    gate.open();
    stream.read_to_end(&mut seen).unwrap();
    assert!(String::from_utf8_lossy(&seen).contains("[DONE]"));
}

#[test]
fn an_endless_answer_lasts_as_long_as_the_client_reads() {
    let server = TestProvider::start(|_| Behaviour::endless());
    let mut stream = send(&server, CHAT, &body(true));
    let mut buffer = vec![0; 1 << 20];
    stream.read_exact(&mut buffer).unwrap();
    drop(stream);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(server.wait_for_aborts(1));
}

#[test]
fn every_byte_that_arrived_can_be_searched_and_headers_come_back_when_asked() {
    let server = TestProvider::start(|seen| Behaviour::echo(seen).echoing_headers());
    let answer = post(&server, CHAT, &body(false));
    assert!(answer.head().contains("x-echo-authorization: bearer k"));
    assert!(server.received(b"Bearer k") && !server.received(b"Bearer z"));
}

#[test]
fn a_server_that_keeps_sums_holds_no_bodies() {
    let options = Options { keep: Keep::Sums, ..Options::default() };
    let server = TestProvider::start_with(options, Behaviour::echo);
    post(&server, CHAT, &body(false));
    assert_eq!((server.billed_sum().0, server.counts().requests), (1, 1));
    assert!(server.billed().is_empty() && server.seen().is_empty());
    assert_eq!(server.received_bytes(), 0);
}

#[test]
fn hundreds_of_clients_connect_at_once_and_each_is_answered() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = TestProvider::start(move |seen| Behaviour::echo(seen).after(&held));
    let streams: Vec<_> = (0..300).map(|_| send(&server, CHAT, &body(false))).collect();
    server.block_for_requests(300);
    gate.open();
    for stream in streams {
        assert_eq!(receive(stream).status(), 200);
    }
    assert_eq!(server.billed_sum().0, 300);
}
