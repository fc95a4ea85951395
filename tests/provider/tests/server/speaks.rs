use chat::{Protocol, ToolCall, Usage};
use serde_json::{Value, json};
use test_provider::{Answer, Behaviour, Dialect, Options, Report, TestProvider};

use crate::client::post;

/// A request of each protocol that says `hello world`, allows four tokens, and may stream.
fn requests(stream: bool) -> [(Protocol, &'static str, Value); 5] {
    let message = json!([{"role": "user", "content": "hello world"}]);
    let gemini = if stream {
        "/v1beta/models/m:streamGenerateContent?alt=sse"
    } else {
        "/v1beta/models/m:generateContent"
    };
    [
        (
            Protocol::OpenaiChat,
            "/v1/chat/completions",
            json!({"model": "m", "messages": message, "max_completion_tokens": 4, "stream": stream,
                "stream_options": {"include_usage": true}}),
        ),
        (
            Protocol::OpenaiResponses,
            "/v1/responses",
            json!({"model": "m", "input": "hello world", "max_output_tokens": 4, "stream": stream}),
        ),
        (
            Protocol::Anthropic,
            "/v1/messages",
            json!({"model": "m", "messages": message, "max_tokens": 4, "stream": stream}),
        ),
        (
            Protocol::Gemini,
            gemini,
            json!({"contents": [{"role": "user", "parts": [{"text": "hello world"}]}],
                "generationConfig": {"maxOutputTokens": 4}}),
        ),
        (
            Protocol::Ollama,
            "/api/chat",
            json!({"model": "m", "messages": message, "options": {"num_predict": 4},
                "stream": stream}),
        ),
    ]
}

fn text_of(protocol: Protocol, body: &Value) -> String {
    let at = match protocol {
        Protocol::OpenaiChat => &body["choices"][0]["message"]["content"],
        Protocol::OpenaiResponses => &body["output"][0]["content"][0]["text"],
        Protocol::Anthropic => &body["content"][0]["text"],
        Protocol::Gemini => &body["candidates"][0]["content"]["parts"][0]["text"],
        _ => &body["message"]["content"],
    };
    at.as_str().unwrap().to_owned()
}

#[test]
fn every_protocol_cuts_at_its_own_maximum_and_bills_what_it_sent() {
    for (protocol, path, body) in requests(false) {
        let server = TestProvider::echoing();
        let answer = post(&server, path, &body);
        assert_eq!(answer.status(), 200, "{protocol}: {}", answer.text());
        // `echo: hello world` is five tokens of four characters, of which four are allowed.
        assert_eq!(text_of(protocol, &answer.json()), "echo: hello worl", "{protocol}");
        let billed = server.billed();
        assert_eq!(billed.len(), 1);
        assert_eq!(billed[0].protocol, Some(protocol));
        let expected = Usage { input_uncached: 3, output_visible: 4, ..Usage::default() };
        assert_eq!(billed[0].usage, expected, "{protocol}");
        assert_eq!(server.billed_sum(), (1, expected));
        assert_eq!(billed[0].headers["authorization"], "Bearer k");
    }
}

#[test]
fn streams_say_the_same_as_whole_answers_and_end_with_their_terminal_event() {
    let terminals =
        ["[DONE]", "response.incomplete", "message_stop", "MAX_TOKENS", "\"done\":true"];
    for ((protocol, path, body), terminal) in requests(true).into_iter().zip(terminals) {
        let server = TestProvider::echoing();
        let whole = post(&server, path, &body).body_text();
        assert!(whole.contains("echo"), "{protocol}: {whole}");
        let last = whole.trim_end().rsplit('\n').next().unwrap();
        assert!(last.contains(terminal), "{protocol}: {last}");

        let cut = TestProvider::start(|seen| Behaviour::echo(seen).without_terminal_event());
        let cut = post(&cut, path, &body);
        let (bytes, complete) = cut.body();
        assert!(complete, "{protocol}: HTTP sees a whole message");
        assert!(whole.as_bytes().starts_with(&bytes) && bytes.len() < whole.len(), "{protocol}");
        assert!(!cut.body_text().contains(&format!("{terminal}\"")), "{protocol}");
    }
}

#[test]
fn chat_sends_usage_in_a_stream_only_when_asked() {
    let server = TestProvider::echoing();
    let (_, path, mut body) = requests(true).into_iter().next().unwrap();
    let asked = post(&server, path, &body).body_text();
    assert!(asked.contains("\"choices\":[],") && asked.contains("\"prompt_tokens\":3"));
    body["stream_options"] = Value::Null;
    assert!(!post(&server, path, &body).body_text().contains("prompt_tokens"));
}

#[test]
fn ollama_v1_ignores_the_new_name_of_the_maximum() {
    let options = Options { dialect: Dialect::OllamaV1, ..Options::default() };
    let server = TestProvider::start_with(options, Behaviour::echo);
    let (_, path, body) = requests(false).into_iter().next().unwrap();
    let answer = post(&server, path, &body).json();
    assert_eq!(text_of(Protocol::OpenaiChat, &answer), "echo: hello world");
    assert_eq!(answer["usage"]["prompt_tokens_details"], Value::Null);
}

#[test]
fn anthropic_requires_a_maximum_as_the_vendor_does() {
    let server = TestProvider::echoing();
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let refused = post(&server, "/v1/messages", &body);
    assert_eq!((refused.status(), server.billed_sum().0), (400, 0));
    assert_eq!(refused.json()["error"]["type"], "invalid_request_error");
}

#[test]
fn usage_can_be_wrong_missing_or_beyond_the_maximum_while_the_bill_stays_true() {
    let bill = Usage { input_uncached: 10, output_visible: 20, ..Usage::default() };
    let wrong = Usage { input_uncached: 1, ..bill };
    let server = TestProvider::start(move |seen| {
        let answer = Answer::echo(seen).billed(bill);
        Behaviour::answer(match seen.number {
            0 => answer.reporting(Report::Wrong(wrong)),
            1 => answer.reporting(Report::Missing),
            2 => answer.reporting(Report::Raw(json!({"prompt_tokens": "many"}))),
            _ => Answer { ignores_max: true, ..Answer::echo(seen) },
        })
    });
    let (_, path, body) = requests(false).into_iter().next().unwrap();
    let mut usages = (0..4).map(|_| post(&server, path, &body).json()["usage"].clone());
    assert_eq!(usages.next().unwrap()["prompt_tokens"], 1);
    assert_eq!(usages.next().unwrap(), Value::Null);
    assert_eq!(usages.next().unwrap()["prompt_tokens"], "many");
    assert_eq!(usages.next().unwrap()["completion_tokens"], 5);
    let billed: Vec<u64> = server.billed().iter().map(|call| call.usage.output_total()).collect();
    assert_eq!(billed, [20, 20, 20, 5]);
}

#[test]
fn tools_and_refusals_are_said_in_each_protocols_way() {
    let call =
        ToolCall { id: "c1".to_owned(), name: "look".to_owned(), arguments: json!({"q": 1}) };
    for stream in [false, true] {
        for (protocol, path, mut body) in requests(stream) {
            body["max_completion_tokens"] = Value::Null;
            let calls = vec![call.clone()];
            let server =
                TestProvider::start(move |_| Behaviour::answer(Answer::tools(calls.clone())));
            let text = post(&server, path, &body).body_text();
            assert!(text.contains("\"look\""), "{protocol}: {text}");
        }
    }
    let server = TestProvider::start(|_| Behaviour::answer(Answer::refusal("I will not")));
    let [chat, responses, anthropic, ..] = requests(false);
    let chat = post(&server, chat.1, &chat.2).json();
    assert_eq!(chat["choices"][0]["message"]["refusal"], "I will not");
    let responses = post(&server, responses.1, &responses.2).json();
    assert_eq!(responses["output"][0]["content"][0]["type"], "refusal");
    let anthropic = post(&server, anthropic.1, &anthropic.2).json();
    assert_eq!(anthropic["stop_reason"], "refusal");
    assert_eq!(anthropic["stop_details"]["type"], "refusal");
}
