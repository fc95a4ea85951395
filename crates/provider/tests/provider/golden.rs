//! Request bodies, as each protocol puts the same request on the wire.

use catalog::MaxTokensParameter;
use chat::{
    Message, OutputFormat, Part, Protocol, Request, Role, Sampling, Tool, ToolCall, ToolChoice,
};
use provider::PrepareError;
use provider::wire::{self, WireOptions};
use serde_json::{Value, json};

use crate::support::request;

fn options(stream: bool) -> WireOptions {
    WireOptions { stream, max_tokens_parameter: MaxTokensParameter::MaxCompletionTokens }
}

/// A request that uses what a request can say, apart from what only some protocols take.
fn full_request() -> Request {
    let image = "data:image/png;base64,iVBORw0KGgo=".to_owned();
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "track".to_owned(),
        arguments: json!({"order": "4711"}),
    };
    let schema = json!({
        "type": "object",
        "properties": {"status": {"type": "string"}},
        "required": ["status"],
        "additionalProperties": false,
    });
    Request {
        messages: vec![
            Message::text(Role::System, "Be brief."),
            Message {
                role: Role::User,
                parts: vec![
                    Part::Text { text: "Where is \"4711\"?".to_owned() },
                    Part::Media { url: image, content_type: None },
                ],
            },
            Message { role: Role::Model, parts: vec![Part::ToolCall(call)] },
            Message {
                role: Role::Tool,
                parts: vec![Part::ToolResult {
                    id: "call_1".to_owned(),
                    name: "track".to_owned(),
                    output: json!({"at": "Kassel"}),
                }],
            },
            Message::text(Role::Model, "In Kassel."),
            Message::text(Role::User, "And now?"),
        ],
        tools: vec![Tool {
            name: "track".to_owned(),
            description: Some("Tracks an order.".to_owned()),
            input_schema: json!({"type": "object", "properties": {"order": {"type": "string"}}}),
        }],
        output: OutputFormat::Json { schema: Some(schema) },
        sampling: Sampling {
            temperature: Some(0.5),
            top_p: Some(0.9),
            max_output_tokens: Some(64),
            seed: Some(7),
            ..Sampling::default()
        },
        ..request()
    }
}

/// Shows a body with each parameter, and each element of a list, on a line of its own.
fn encoded(protocol: Protocol, request: &Request, stream: bool) -> String {
    let body = wire::encode(protocol, request, options(stream)).unwrap();
    let mut shown = String::new();
    for (name, value) in body.as_object().unwrap() {
        match value {
            Value::Array(list) => {
                shown.push_str(&format!("{name}\n"));
                for element in list {
                    shown.push_str(&format!("  - {element}\n"));
                }
            }
            other => shown.push_str(&format!("{name} {other}\n")),
        }
    }
    shown
}

fn field(protocol: Protocol, request: &Request, pointer: &str) -> Value {
    let body = wire::encode(protocol, request, options(false)).unwrap();
    body.pointer(pointer).cloned().unwrap_or(Value::Null)
}

fn refused(protocol: Protocol, request: &Request) -> PrepareError {
    wire::encode(protocol, request, options(false)).unwrap_err()
}

const WIRE: [Protocol; 5] = [
    Protocol::OpenaiChat,
    Protocol::OpenaiResponses,
    Protocol::Anthropic,
    Protocol::Gemini,
    Protocol::Ollama,
];

#[test]
fn openai_chat_body() {
    insta::assert_snapshot!(encoded(Protocol::OpenaiChat, &full_request(), true), @r##"
    model "some-model"
    messages
      - {"role":"system","content":"Be brief."}
      - {"role":"user","content":[{"type":"text","text":"Where is \"4711\"?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}
      - {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"track","arguments":"{\"order\":\"4711\"}"}}]}
      - {"role":"tool","tool_call_id":"call_1","content":"{\"at\":\"Kassel\"}"}
      - {"role":"assistant","content":"In Kassel."}
      - {"role":"user","content":"And now?"}
    tools
      - {"type":"function","function":{"name":"track","description":"Tracks an order.","parameters":{"type":"object","properties":{"order":{"type":"string"}}}}}
    response_format {"type":"json_schema","json_schema":{"name":"output","schema":{"type":"object","properties":{"status":{"type":"string"}},"required":["status"],"additionalProperties":false},"strict":true}}
    max_completion_tokens 64
    temperature 0.5
    top_p 0.9
    seed 7
    stream true
    stream_options {"include_usage":true}
    "##);
}

#[test]
fn openai_responses_body() {
    insta::assert_snapshot!(encoded(Protocol::OpenaiResponses, &full_request(), true), @r##"
    model "some-model"
    input
      - {"type":"message","role":"system","content":[{"type":"input_text","text":"Be brief."}]}
      - {"type":"message","role":"user","content":[{"type":"input_text","text":"Where is \"4711\"?"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]}
      - {"type":"function_call","call_id":"call_1","name":"track","arguments":"{\"order\":\"4711\"}"}
      - {"type":"function_call_output","call_id":"call_1","output":"{\"at\":\"Kassel\"}"}
      - {"type":"message","role":"assistant","content":[{"type":"output_text","text":"In Kassel."}]}
      - {"type":"message","role":"user","content":[{"type":"input_text","text":"And now?"}]}
    tools
      - {"type":"function","name":"track","description":"Tracks an order.","parameters":{"type":"object","properties":{"order":{"type":"string"}}},"strict":false}
    text {"format":{"type":"json_schema","name":"output","schema":{"type":"object","properties":{"status":{"type":"string"}},"required":["status"],"additionalProperties":false},"strict":true}}
    max_output_tokens 64
    temperature 0.5
    top_p 0.9
    stream true
    store false
    "##);
}

#[test]
fn anthropic_body() {
    insta::assert_snapshot!(encoded(Protocol::Anthropic, &full_request(), true), @r##"
    model "some-model"
    max_tokens 64
    tools
      - {"name":"track","description":"Tracks an order.","input_schema":{"type":"object","properties":{"order":{"type":"string"}}}}
    system "Be brief."
    messages
      - {"role":"user","content":[{"type":"text","text":"Where is \"4711\"?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}
      - {"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"track","input":{"order":"4711"}}]}
      - {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"{\"at\":\"Kassel\"}"}]}
      - {"role":"assistant","content":"In Kassel."}
      - {"role":"user","content":"And now?"}
    output_config {"format":{"type":"json_schema","schema":{"type":"object","properties":{"status":{"type":"string"}},"required":["status"],"additionalProperties":false}}}
    temperature 0.5
    top_p 0.9
    stream true
    "##);
}

#[test]
fn gemini_body() {
    insta::assert_snapshot!(encoded(Protocol::Gemini, &full_request(), true), @r##"
    systemInstruction {"parts":[{"text":"Be brief."}]}
    tools
      - {"functionDeclarations":[{"name":"track","description":"Tracks an order.","parametersJsonSchema":{"type":"object","properties":{"order":{"type":"string"}}}}]}
    contents
      - {"role":"user","parts":[{"text":"Where is \"4711\"?"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}
      - {"role":"model","parts":[{"functionCall":{"id":"call_1","name":"track","args":{"order":"4711"}}}]}
      - {"role":"user","parts":[{"functionResponse":{"id":"call_1","name":"track","response":{"at":"Kassel"}}}]}
      - {"role":"model","parts":[{"text":"In Kassel."}]}
      - {"role":"user","parts":[{"text":"And now?"}]}
    generationConfig {"maxOutputTokens":64,"temperature":0.5,"topP":0.9,"seed":7,"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"status":{"type":"string"}},"required":["status"],"additionalProperties":false}}
    "##);
}

#[test]
fn ollama_body() {
    insta::assert_snapshot!(encoded(Protocol::Ollama, &full_request(), true), @r##"
    model "some-model"
    messages
      - {"role":"system","content":"Be brief."}
      - {"role":"user","content":"Where is \"4711\"?","images":["iVBORw0KGgo="]}
      - {"role":"assistant","content":"","tool_calls":[{"function":{"name":"track","arguments":{"order":"4711"}}}]}
      - {"role":"tool","tool_name":"track","content":"{\"at\":\"Kassel\"}"}
      - {"role":"assistant","content":"In Kassel."}
      - {"role":"user","content":"And now?"}
    tools
      - {"type":"function","function":{"name":"track","description":"Tracks an order.","parameters":{"type":"object","properties":{"order":{"type":"string"}}}}}
    format {"type":"object","properties":{"status":{"type":"string"}},"required":["status"],"additionalProperties":false}
    stream true
    options {"num_predict":64,"temperature":0.5,"top_p":0.9,"seed":7}
    "##);
}

#[test]
fn without_streaming_no_body_asks_for_a_stream() {
    for protocol in WIRE {
        let body = wire::encode(protocol, &request(), options(false)).unwrap();
        assert_ne!(body["stream"], json!(true), "{protocol}");
        assert_eq!(body.get("stream_options"), None, "{protocol}");
    }
    assert_eq!(field(Protocol::Ollama, &request(), "/stream"), json!(false));
}

#[test]
fn a_maximum_of_output_tokens_is_always_sent_under_the_name_that_caps() {
    for (protocol, pointer) in [
        (Protocol::OpenaiChat, "/max_completion_tokens"),
        (Protocol::OpenaiResponses, "/max_output_tokens"),
        (Protocol::Anthropic, "/max_tokens"),
        (Protocol::Gemini, "/generationConfig/maxOutputTokens"),
        (Protocol::Ollama, "/options/num_predict"),
    ] {
        assert_eq!(field(protocol, &request(), pointer), json!(64), "{protocol}");
        for none in [None, Some(0)] {
            let mut unbounded = request();
            unbounded.sampling.max_output_tokens = none;
            assert!(refused(protocol, &unbounded).message.contains("no maximum"), "{protocol}");
        }
    }
    // Servers that know only the old name are told by it, and by it alone.
    let old = WireOptions { max_tokens_parameter: MaxTokensParameter::MaxTokens, ..options(false) };
    let body = wire::encode(Protocol::OpenaiChat, &request(), old).unwrap();
    assert_eq!((&body["max_tokens"], body.get("max_completion_tokens")), (&json!(64), None));
}

#[test]
fn log_probabilities_are_asked_for_where_they_are_given() {
    let mut asking = request();
    asking.sampling.logprobs = Some(3);
    let chat = |pointer| field(Protocol::OpenaiChat, &asking, pointer);
    assert_eq!((chat("/logprobs"), chat("/top_logprobs")), (json!(true), json!(3)));
    let responses = |pointer| field(Protocol::OpenaiResponses, &asking, pointer);
    assert_eq!(responses("/include"), json!(["message.output_text.logprobs"]));
    assert_eq!(responses("/top_logprobs"), json!(3));
    let gemini = |pointer| field(Protocol::Gemini, &asking, pointer);
    assert_eq!(gemini("/generationConfig/responseLogprobs"), json!(true));
    assert_eq!(gemini("/generationConfig/logprobs"), json!(3));
    assert!(refused(Protocol::Anthropic, &asking).message.contains("log-probabilities"));
}

#[test]
fn json_without_a_schema_is_asked_for_or_refused() {
    let json_request = Request { output: OutputFormat::Json { schema: None }, ..request() };
    let field = |protocol, pointer| field(protocol, &json_request, pointer);
    assert_eq!(field(Protocol::OpenaiChat, "/response_format"), json!({"type": "json_object"}));
    assert_eq!(field(Protocol::OpenaiResponses, "/text/format"), json!({"type": "json_object"}));
    assert_eq!(
        field(Protocol::Gemini, "/generationConfig/responseMimeType"),
        json!("application/json")
    );
    assert_eq!(field(Protocol::Ollama, "/format"), json!("json"));
    assert!(refused(Protocol::Anthropic, &json_request).hint.is_some());
}

#[test]
fn strict_mode_is_asked_for_only_where_the_schema_can_be_strict() {
    let strict = |schema: Value| {
        let request = Request { output: OutputFormat::Json { schema: Some(schema) }, ..request() };
        field(Protocol::OpenaiChat, &request, "/response_format/json_schema/strict")
    };
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}},
        "required": ["a"], "additionalProperties": false});
    let optional = json!({"type": "object", "properties": {"a": {"type": "string"}},
        "required": [], "additionalProperties": false});
    let open_inside = json!({"type": "object", "properties": {"a": {"type": "object"}},
        "required": ["a"], "additionalProperties": false});
    let list = json!({"type": "array", "items": optional});
    assert_eq!(strict(closed), json!(true));
    for loose in [optional, open_inside, list] {
        assert_eq!(strict(loose.clone()), json!(false), "{loose}");
    }
}

#[test]
fn tool_choices_are_written_in_each_protocols_words() {
    let with = |tool_choice| Request { tool_choice, ..full_request() };
    let named = || with(ToolChoice::Named { name: "track".to_owned() });
    assert_eq!(
        field(Protocol::OpenaiChat, &named(), "/tool_choice"),
        json!({"type": "function", "function": {"name": "track"}})
    );
    assert_eq!(
        field(Protocol::OpenaiResponses, &named(), "/tool_choice"),
        json!({"type": "function", "name": "track"})
    );
    assert_eq!(
        field(Protocol::Anthropic, &named(), "/tool_choice"),
        json!({"type": "tool", "name": "track"})
    );
    assert_eq!(
        field(Protocol::Gemini, &named(), "/toolConfig/functionCallingConfig"),
        json!({"mode": "ANY", "allowedFunctionNames": ["track"]})
    );
    refused(Protocol::Ollama, &named());
    let required = with(ToolChoice::Required);
    assert_eq!(field(Protocol::OpenaiChat, &required, "/tool_choice"), json!("required"));
    assert_eq!(field(Protocol::Anthropic, &required, "/tool_choice"), json!({"type": "any"}));
    refused(Protocol::Ollama, &required);
    let none = with(ToolChoice::None);
    assert_eq!(field(Protocol::Anthropic, &none, "/tool_choice"), json!({"type": "none"}));
    assert_eq!(field(Protocol::Ollama, &none, "/tools"), Value::Null);
}

#[test]
fn images_by_url_are_named_or_refused() {
    let mut request = request();
    request.messages[1].parts.push(Part::Media {
        url: "https://a.example/x.png".to_owned(),
        content_type: Some("image/png".to_owned()),
    });
    let part = |protocol, pointer| field(protocol, &request, pointer);
    assert_eq!(
        part(Protocol::OpenaiChat, "/messages/1/content/1/image_url/url"),
        json!("https://a.example/x.png")
    );
    assert_eq!(
        part(Protocol::OpenaiResponses, "/input/1/content/1/image_url"),
        json!("https://a.example/x.png")
    );
    assert_eq!(
        part(Protocol::Anthropic, "/messages/0/content/1/source"),
        json!({"type": "url", "url": "https://a.example/x.png"})
    );
    assert_eq!(
        part(Protocol::Gemini, "/contents/0/parts/1/fileData"),
        json!({"mimeType": "image/png", "fileUri": "https://a.example/x.png"})
    );
    assert!(refused(Protocol::Ollama, &request).hint.is_some());
}

#[test]
fn what_a_protocol_cannot_say_is_refused_not_dropped() {
    let mut late_system = request();
    late_system.messages.push(Message::text(Role::System, "And be kind."));
    refused(Protocol::Anthropic, &late_system);
    refused(Protocol::Gemini, &late_system);
    assert_eq!(field(Protocol::OpenaiChat, &late_system, "/messages/2/role"), json!("system"));
    let mut stops = request();
    stops.sampling.stop = vec!["END".to_owned()];
    refused(Protocol::OpenaiResponses, &stops);
    assert_eq!(field(Protocol::OpenaiChat, &stops, "/stop"), json!(["END"]));
    assert_eq!(field(Protocol::Anthropic, &stops, "/stop_sequences"), json!(["END"]));
    assert_eq!(field(Protocol::Gemini, &stops, "/generationConfig/stopSequences"), json!(["END"]));
    assert_eq!(field(Protocol::Ollama, &stops, "/options/stop"), json!(["END"]));
    let mut not_a_number = request();
    not_a_number.sampling.temperature = Some(f64::NAN);
    for protocol in WIRE {
        refused(protocol, &not_a_number);
    }
}

#[test]
fn large_seeds_fit_the_field() {
    let mut request = request();
    request.sampling.seed = Some(u64::MAX);
    assert_eq!(field(Protocol::OpenaiChat, &request, "/seed"), json!(i64::MAX));
    assert_eq!(field(Protocol::Gemini, &request, "/generationConfig/seed"), json!(i32::MAX));
    assert_eq!(field(Protocol::Anthropic, &request, "/seed"), Value::Null);
    assert_eq!(field(Protocol::OpenaiResponses, &request, "/seed"), Value::Null);
}

#[test]
fn prompt_caching_is_asked_for_by_extra_parameters() {
    for (protocol, extra) in [
        (Protocol::Anthropic, json!({"cache_control": {"type": "ephemeral", "ttl": "1h"}})),
        (
            Protocol::OpenaiChat,
            json!({"prompt_cache_key": "k", "prompt_cache_options": {"ttl": "30m"}}),
        ),
        (Protocol::OpenaiResponses, json!({"prompt_cache_key": "k"})),
        (Protocol::Gemini, json!({"cachedContent": "cachedContents/x"})),
        (Protocol::Anthropic, json!({"output_config": {"effort": "low"}})),
    ] {
        let mut request = request();
        request.sampling.extra = extra.as_object().unwrap().clone();
        let body = wire::encode(protocol, &request, options(false)).unwrap();
        for (key, value) in extra.as_object().unwrap() {
            assert_eq!(&body[key], value, "{protocol}");
        }
    }
}

#[test]
fn extras_that_would_lift_the_bound_are_refused_by_every_protocol() {
    for protocol in WIRE {
        for extra in [json!({"max_tokens": 9999}), json!({"n": 5}), json!({"stream": true})] {
            let mut request = request();
            request.sampling.extra = extra.as_object().unwrap().clone();
            refused(protocol, &request);
        }
    }
    let mut request = request();
    request.sampling.extra =
        json!({"generationConfig": {"candidateCount": 5}}).as_object().unwrap().clone();
    refused(Protocol::Gemini, &request);
    request.sampling.extra = json!({"options": {"num_predict": -1}}).as_object().unwrap().clone();
    refused(Protocol::Ollama, &request);
}

/// Providers cache by prefix: what requests share has to come first, written the same way.
#[test]
fn requests_that_share_their_beginning_share_its_bytes() {
    for protocol in WIRE {
        let body = |last: &str| {
            let mut request = full_request();
            request.messages.last_mut().unwrap().parts = vec![Part::Text { text: last.to_owned() }];
            serde_json::to_string(&wire::encode(protocol, &request, options(true)).unwrap())
                .unwrap()
        };
        assert_eq!(body("one"), body("one"), "{protocol}");
        let (one, two) = (body("one"), body("two"));
        let shared = one.bytes().zip(two.bytes()).take_while(|(a, b)| a == b).count();
        assert!(shared > one.find("Be brief.").unwrap(), "{protocol}");
        assert!(shared > one.find("Kassel").unwrap(), "{protocol}");
    }
}

/// A request as a judge makes one, with this output schema.
fn judging(schema: &Value) -> Request {
    Request {
        messages: vec![
            Message::text(Role::System, "Is the reply polite?"),
            Message::text(Role::User, "<judged-output>\nThank you!\n</judged-output>"),
        ],
        output: OutputFormat::Json { schema: Some(schema.clone()) },
        sampling: Sampling { max_output_tokens: Some(64), ..Sampling::default() },
        ..request()
    }
}

#[test]
fn the_two_contracts_of_decisions_ask_the_same_in_their_own_words() {
    let schema = json!({"type": "object", "properties": {"probability": {"type": "number"}}});
    let request = judging(&schema);
    insta::assert_snapshot!(encoded(Protocol::OpenaiDecisions, &request, true), @r#"
    model "some-model"
    input "<judged-output>\nThank you!\n</judged-output>"
    questions
      - {"type":"predicate","name":"probability","instructions":"Is the reply polite?"}
    "#);
    insta::assert_snapshot!(encoded(Protocol::SystemOne, &request, true), @r#"
    model "some-model"
    state "<judged-output>\nThank you!\n</judged-output>"
    questions {"probability":{"type":"noul","instructions":"Is the reply polite?"}}
    "#);
    let of = |text: &str, key: &str| json!({"type": "object", "description": text, "properties": {key: {"type": "number"}}});
    let criteria = json!({"type": "object", "properties": {"criteria": {"type": "object",
        "properties": {"polite": of("No insult.", "probability"), "short": of("", "probability")}}}});
    insta::assert_snapshot!(encoded(Protocol::SystemOneDecisions, &judging(&criteria), false), @r#"
    model "some-model"
    state "<judged-output>\nThank you!\n</judged-output>"
    questions {"criteria.polite":{"type":"noul","instructions":"Is the reply polite?\n\nNo insult."},"criteria.short":{"type":"noul","instructions":"Is the reply polite?"}}
    "#);
    assert_eq!(wire::path(Protocol::SystemOneDecisions, "m", true).unwrap(), "/decisions");
    assert_eq!(wire::path(Protocol::SystemOne, "m", true).unwrap(), "/systemone");
}

#[test]
fn a_decision_model_is_asked_nothing_that_it_cannot_answer() {
    let probability = json!({"type": "object", "properties": {"probability": {"type": "number"}}});
    let with_reason = json!({"type": "object",
        "properties": {"reason": {"type": "string"}, "probability": {"type": "number"}}});
    let verdict = json!({"type": "object", "properties": {"verdict": {"enum": ["pass", "fail"]}}});
    for schema in [with_reason, verdict] {
        assert!(refused(Protocol::OpenaiDecisions, &judging(&schema)).hint.is_some());
    }
    let mut warm = judging(&probability);
    warm.sampling.temperature = Some(0.0);
    assert_eq!(
        refused(Protocol::SystemOne, &warm).message,
        "a decision model takes no `temperature`"
    );
    let mut silent = judging(&probability);
    silent.messages.remove(0);
    assert_eq!(
        refused(Protocol::SystemOne, &silent).message,
        "nothing says what the decision model is asked"
    );
    let mut answered = judging(&probability);
    answered.messages.push(Message::text(Role::Model, "Yes."));
    refused(Protocol::OpenaiDecisions, &answered);
    let free = Request { output: OutputFormat::Text, ..judging(&probability) };
    refused(Protocol::OpenaiDecisions, &free);
}
