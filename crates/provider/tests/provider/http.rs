//! What holds for every protocol, shown with Chat Completions.

use chat::{FinishReason, Protocol};
use provider::{BoundKey, Client, HttpClient, RateHints, SettingsError};
use run::{Bill, FailureKind, Retry};
use tokio::sync::watch;
use values::Secret;

use crate::server::{Server, Step, chunk, response, stream_head};
use crate::support::{CANARY, Setup, request};

const ANSWER: &str = r#"{"id":"chatcmpl-1","model":"some-model-2026","choices":[{"index":0,
    "message":{"role":"assistant","content":"4711 is on its way."},"finish_reason":"stop"}],
    "usage":{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27}}"#;

const JSON: &str = "content-type: application/json";

const STREAM: &str = concat!(
    r#"data: {"model":"some-model-2026","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
    "\n\n",
    r#"data: {"choices":[{"index":0,"delta":{"content":"Größe 🦀"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    "\n\n",
    r#"data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27}}"#,
    "\n\ndata: [DONE]\n\n",
);

const SSE: &str = "text/event-stream";

fn streaming(server: &Server) -> Setup {
    plain(server).streaming(true)
}

fn plain(server: &Server) -> Setup {
    Setup::new(Protocol::OpenaiChat, &server.origin)
}

#[tokio::test]
async fn a_call_is_sent_once_and_its_answer_read() {
    let headers = [JSON, "x-request-id: req-9", "x-ratelimit-remaining-requests: 41"];
    let server = Server::respond("200 OK", &headers, ANSWER).await;
    let sent = plain(&server).send().await;
    let answer = sent.outcome.unwrap();
    assert_eq!(answer.reply.text, "4711 is on its way.");
    assert_eq!(answer.reply.finish, FinishReason::Complete);
    assert_eq!(answer.reply.request_id.as_deref(), Some("req-9"));
    assert_eq!(answer.reply.served_model.as_deref(), Some("some-model-2026"));
    assert_eq!(answer.reply.usage.unwrap().input_total(), 20);
    assert_eq!(answer.first_token_ms, None);
    assert_eq!(sent.rate, RateHints { requests_left: Some(41), ..RateHints::default() });
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    let head = seen[0].split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /v1/chat/completions http/1.1"), "{head}");
    assert!(head.contains(&format!("authorization: bearer {CANARY}")), "{head}");
}

#[tokio::test]
async fn a_stream_gives_the_same_answer_and_the_first_tokens_time() {
    let server = Server::stream(SSE, STREAM.as_bytes()).await;
    let answer = streaming(&server).send().await.outcome.unwrap();
    assert_eq!(answer.reply.text, "Größe 🦀");
    assert_eq!(answer.reply.usage.unwrap().output_total(), 7);
    assert!(answer.first_token_ms.unwrap() <= answer.latency_ms);
}

#[tokio::test]
async fn a_stream_that_comes_byte_by_byte_gives_the_same_answer() {
    let mut body: Vec<u8> = Vec::new();
    for byte in STREAM.as_bytes() {
        body.extend(chunk(&[*byte]));
    }
    body.extend(chunk(b""));
    let server = Server::start(vec![Step::Send(stream_head(SSE)), Step::Dribble(body)]).await;
    assert_eq!(streaming(&server).send().await.outcome.unwrap().reply.text, "Größe 🦀");
}

#[tokio::test]
async fn connections_are_used_again() {
    for (server, settings) in [
        (Server::respond("200 OK", &[JSON], ANSWER).await, plain as fn(&Server) -> _),
        (Server::stream(SSE, STREAM.as_bytes()).await, streaming),
    ] {
        let client = settings(&server).client();
        let call = client.prepare(&request()).unwrap();
        let (_stop, stopped) = watch::channel(false);
        for _ in 0..5 {
            client.send(&call, stopped.clone()).await.outcome.unwrap();
        }
        assert_eq!((server.seen().len(), server.connections()), (5, 1));
    }
}

#[tokio::test]
async fn a_stream_cut_anywhere_before_its_end_is_never_an_answer() {
    let whole = STREAM.len() - "\n".len();
    for cut in (0..whole).step_by(7) {
        for clean in [true, false] {
            let mut steps =
                vec![Step::Send(stream_head(SSE)), Step::Send(chunk(&STREAM.as_bytes()[..cut]))];
            steps.push(if clean && cut > 0 { Step::Send(chunk(b"")) } else { Step::Close });
            let server = Server::start(steps).await;
            let failure = streaming(&server).send().await.outcome.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Truncated, "cut at {cut}: {failure}");
            assert_eq!(failure.retry, Retry::Backoff);
            let counted = cut > STREAM.find("[DONE]").unwrap() - 8;
            assert_eq!(matches!(failure.bill, Bill::Known { .. }), counted, "cut at {cut}");
        }
    }
}

#[tokio::test]
async fn a_document_cut_anywhere_is_never_an_answer() {
    for cut in (0..ANSWER.len()).step_by(23) {
        let mut bytes = response("200 OK", &[JSON], ANSWER);
        bytes.truncate(bytes.len() - ANSWER.len() + cut);
        let server = Server::start(vec![Step::Send(bytes), Step::Close]).await;
        let failure = plain(&server).send().await.outcome.unwrap_err();
        assert_eq!((failure.kind, failure.bill), (FailureKind::Truncated, Bill::Unknown));
    }
}

#[tokio::test]
async fn an_error_inside_a_200_stream_is_a_failure() {
    let body = concat!(
        r#"data: {"choices":[{"index":0,"delta":{"content":"half"}}]}"#,
        "\n\n",
        r#"data: {"error":{"message":"The server is overloaded","type":"overloaded_error","code":null}}"#,
        "\n\n",
    );
    let server = Server::stream(SSE, body.as_bytes()).await;
    let failure = streaming(&server).send().await.outcome.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry, failure.bill, failure.status),
        (FailureKind::Overloaded, Retry::Backoff, Bill::Unknown, Some(200))
    );
}

#[tokio::test]
async fn garbage_is_a_bad_response() {
    for body in ["<html>oops</html>", r#"{"choices":[]}"#, "[1,2]"] {
        let server = Server::respond("200 OK", &[JSON], body).await;
        let failure = plain(&server).send().await.outcome.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadResponse, "{body}");
    }
    let server = Server::stream(SSE, b"data: {nonsense}\n\n").await;
    assert_eq!(streaming(&server).send().await.outcome.unwrap_err().kind, FailureKind::BadResponse);
}

#[tokio::test]
async fn a_huge_answer_is_stopped_at_the_limit() {
    let long = "x".repeat(5000);
    for (server, stream) in [
        (Server::respond("200 OK", &[JSON], &long).await, false),
        (
            Server::start(vec![
                Step::Send(stream_head(JSON)),
                Step::Send(chunk(long.as_bytes())),
                Step::AwaitClose,
            ])
            .await,
            false,
        ),
        (Server::stream(SSE, long.as_bytes()).await, true),
        (Server::stream(SSE, "data: {\"choices\":[]}\n\n".repeat(300).as_bytes()).await, true),
    ] {
        let setup = plain(&server).streaming(stream).limited_to(4096);
        let failure = setup.send().await.outcome.unwrap_err();
        assert_eq!((failure.kind, failure.bill), (FailureKind::TooLarge, Bill::Unknown));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_goes_nowhere() {
    let elsewhere = Server::respond("200 OK", &[JSON], ANSWER).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}/v1/chat/completions", elsewhere.origin);
        let server = Server::respond(status, &[&location], "").await;
        let failure = plain(&server).send().await.outcome.unwrap_err();
        assert_eq!(
            (failure.kind, failure.retry, failure.bill),
            (FailureKind::Redirected, Retry::Never, Bill::Nothing)
        );
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_key_bound_elsewhere_is_refused_before_a_byte_leaves() {
    let server = Server::respond("200 OK", &[JSON], ANSWER).await;
    let port: u16 = server.origin.rsplit(':').next().unwrap().parse().unwrap();
    for bound in [
        "https://api.openai.com".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{}", port ^ 1),
    ] {
        let key = BoundKey { secret: Secret::new(CANARY), origin: bound.parse().unwrap() };
        let Setup { provider, network } = plain(&server);
        let error = HttpClient::new(provider, &network, Some(key)).unwrap_err();
        assert!(matches!(error, SettingsError::KeyBoundElsewhere { .. }));
        assert!(!error.to_string().contains(CANARY));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_call_for_another_place_is_not_sent() {
    let (ours, theirs) = (
        Server::respond("200 OK", &[JSON], ANSWER).await,
        Server::respond("200 OK", &[JSON], ANSWER).await,
    );
    let client = plain(&ours).client();
    let good = client.prepare(&request()).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let host = theirs.origin.trim_start_matches("http://");
    for (origin, path) in [
        (theirs.origin.clone(), "/v1/chat/completions".to_owned()),
        (ours.origin.clone(), format!("@{host}/v1/chat/completions")),
        (String::new(), "/v1".to_owned()),
        (ours.origin.replace("http://", "http://user:password@"), "/v1".to_owned()),
    ] {
        let endpoint = run::Endpoint::Remote { origin, path };
        let call = run::Call { endpoint, ..good.clone() };
        let failure = client.send(&call, stopped.clone()).await.outcome.unwrap_err();
        assert_eq!((failure.kind, failure.bill), (FailureKind::InvalidRequest, Bill::Nothing));
    }
    assert_eq!((ours.connections(), theirs.connections()), (0, 0));
}

#[tokio::test]
async fn a_key_that_a_server_echoes_is_taken_out() {
    let body = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {CANARY}","code":"invalid_api_key"}}}}"#
    );
    let echo = format!("x-request-id: {CANARY}");
    let server = Server::respond("401 Unauthorized", &[JSON, &echo], &body).await;
    let failure = plain(&server).send().await.outcome.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Authentication);
    assert!(failure.message.contains("[key]"));
    assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");

    let body = ANSWER.replace("4711 is on its way.", &format!("You sent {CANARY}."));
    let server = Server::respond("200 OK", &[JSON, &echo], &body).await;
    let answer = plain(&server).send().await.outcome.unwrap();
    assert_eq!(answer.reply.text, "You sent [key].");
    assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
}

#[tokio::test]
async fn no_server_is_a_failed_connection_that_costs_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = Setup::new(Protocol::OpenaiChat, &origin).send().await.outcome.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry, failure.bill),
        (FailureKind::Connect, Retry::Backoff, Bill::Nothing)
    );
}

#[tokio::test]
async fn a_reset_after_the_request_may_have_been_billed() {
    let server = Server::start(vec![Step::Close]).await;
    let failure = plain(&server).send().await.outcome.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry, failure.bill),
        (FailureKind::Truncated, Retry::Backoff, Bill::Unknown)
    );
    assert_eq!(server.seen().len(), 1, "the request was sent once");
}

/// Where a server stops talking, in each phase of a call.
fn silences() -> Vec<(bool, Vec<Step>)> {
    let half = &STREAM.as_bytes()[..STREAM.find("finish_reason").unwrap()];
    let mut document = response("200 OK", &[JSON], ANSWER);
    document.truncate(document.len() - 20);
    vec![
        (false, vec![Step::AwaitClose]),
        (false, vec![Step::Send(document), Step::AwaitClose]),
        (true, vec![Step::AwaitClose]),
        (true, vec![Step::Send(stream_head(SSE)), Step::AwaitClose]),
        (true, vec![Step::Send(stream_head(SSE)), Step::Send(chunk(half)), Step::AwaitClose]),
    ]
}

#[tokio::test]
async fn stopping_or_dropping_closes_the_connection_in_every_phase() {
    for (stream, steps) in silences() {
        for drop_it in [false, true] {
            let server = Server::start(steps.clone()).await;
            let client = plain(&server).streaming(stream).client();
            let call = client.prepare(&request()).unwrap();
            let (stop, stopped) = watch::channel(false);
            let sending = tokio::spawn(async move { client.send(&call, stopped).await });
            server.received.notified().await;
            if drop_it {
                sending.abort();
                assert!(sending.await.unwrap_err().is_cancelled());
            } else {
                stop.send(true).unwrap();
                let failure = sending.await.unwrap().outcome.unwrap_err();
                assert_eq!(
                    (failure.kind, failure.retry, failure.bill),
                    (FailureKind::Cancelled, Retry::Never, Bill::Unknown)
                );
            }
            server.closed.notified().await;
        }
    }
}

#[tokio::test]
async fn a_call_that_is_stopped_before_it_starts_costs_nothing() {
    let server = Server::respond("200 OK", &[JSON], ANSWER).await;
    let client = plain(&server).client();
    let call = client.prepare(&request()).unwrap();
    let (_stop, stopped) = watch::channel(true);
    let failure = client.send(&call, stopped).await.outcome.unwrap_err();
    assert_eq!((failure.kind, failure.bill), (FailureKind::Cancelled, Bill::Nothing));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn silence_is_a_timeout_in_every_phase_and_closes_the_connection() {
    for (stream, steps) in silences() {
        let server = Server::start(steps).await;
        let mut setup = plain(&server).streaming(stream);
        setup.provider.timeouts.total_ms = 80;
        let failure = setup.send().await.outcome.unwrap_err();
        assert_eq!(
            (failure.kind, failure.retry, failure.bill),
            (FailureKind::Timeout, Retry::Backoff, Bill::Unknown)
        );
        server.closed.notified().await;
    }
}

#[tokio::test]
async fn greetings_without_content_do_not_count_as_a_first_token() {
    let greeting = STREAM.split("\n\n").next().unwrap();
    let greeting = format!(": ping\n\n{greeting}\n\n");
    let server = Server::start(vec![
        Step::Send(stream_head(SSE)),
        Step::Send(chunk(greeting.as_bytes())),
        Step::AwaitClose,
    ])
    .await;
    let mut setup = streaming(&server);
    setup.provider.timeouts.first_token_ms = 80;
    let failure = setup.send().await.outcome.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.message.contains("first token"), "{failure}");
    server.closed.notified().await;
}

#[tokio::test]
async fn a_finished_stream_that_stays_open_costs_no_answer() {
    let server = Server::start(vec![
        Step::Send(stream_head(SSE)),
        Step::Send(chunk(STREAM.as_bytes())),
        Step::AwaitClose,
    ])
    .await;
    assert_eq!(streaming(&server).send().await.outcome.unwrap().reply.text, "Größe 🦀");
    server.closed.notified().await;
}

#[tokio::test]
async fn a_server_that_ignores_the_wish_for_a_stream_is_still_read() {
    let server = Server::respond("200 OK", &[JSON], ANSWER).await;
    assert_eq!(streaming(&server).send().await.outcome.unwrap().reply.text, "4711 is on its way.");
}
