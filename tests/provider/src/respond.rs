use std::time::Duration;

use bytes::Bytes;
use chat::Usage;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::json;

use crate::answer::Answer;
use crate::behaviour::{Behaviour, Delivery, Kind};
use crate::body::{Script, Step};
use crate::render;
use crate::{Gate, SeenRequest};

/// What will be sent for one request.
pub(crate) struct Planned {
    /// `None` is a reset before the first byte.
    pub(crate) response: Option<Response<Script>>,
    pub(crate) bill: Option<Usage>,
    pub(crate) before: Before,
}

/// What holds the headers back.
pub(crate) struct Before {
    gate: Option<Gate>,
    delay: Duration,
}

impl Before {
    pub(crate) async fn passed(self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        if let Some(gate) = self.gate {
            gate.passed().await;
        }
    }
}

/// A response before it is cut and split.
struct Draft {
    status: u16,
    content_type: String,
    frames: Vec<Bytes>,
    streamed: bool,
    bill: Option<Usage>,
}

pub(crate) fn plan(seen: &SeenRequest, behaviour: Behaviour) -> Planned {
    let Behaviour { kind, bill, headers, echoes_headers, gate, delay, delivery } = behaviour;
    let before = Before { gate, delay };
    let draft = match kind {
        Kind::Reset => return Planned { response: None, bill, before },
        Kind::Endless => {
            let (first, again) = render::endless(seen);
            let steps = vec![Step::Send(first), Step::SendForever(again)];
            let script = Script { steps, length: None };
            let response = Some(head(200, "text/event-stream", seen, &headers, false, script));
            return Planned { response, bill, before };
        }
        Kind::Raw { status, content_type, frames } => {
            let streamed = frames.len() > 1;
            Draft { status, content_type, frames, streamed, bill: None }
        }
        Kind::Refuse { status, kind, message } => refusal(seen, status, &kind, &message),
        Kind::Answer(answer) => answered(seen, *answer, &delivery),
    };
    let script = Script::new(draft.frames, draft.streamed, &delivery);
    let response = head(draft.status, &draft.content_type, seen, &headers, echoes_headers, script);
    Planned { response: Some(response), bill: bill.or(draft.bill), before }
}

fn refusal(seen: &SeenRequest, status: u16, kind: &str, message: &str) -> Draft {
    Draft {
        status,
        content_type: "application/json".to_owned(),
        frames: vec![render::error_body(seen, status, kind, message)],
        streamed: false,
        bill: None,
    }
}

fn answered(seen: &SeenRequest, answer: Answer, delivery: &Delivery) -> Draft {
    let Some(renderer) = seen.protocol.and_then(render::of) else { return not_found(seen) };
    if let Some(message) = renderer.refusal(seen) {
        return refusal(seen, 400, "", &message);
    }
    let settled = answer.settle(seen);
    let written = render::written(renderer, seen, &settled, delivery);
    Draft {
        status: 200,
        content_type: written.content_type.to_owned(),
        frames: written.frames,
        streamed: seen.streams(),
        bill: Some(settled.usage),
    }
}

fn not_found(seen: &SeenRequest) -> Draft {
    let body = json!({"error": {"message": format!("no such path: {}", seen.path())}});
    Draft {
        status: 404,
        content_type: "application/json".to_owned(),
        frames: vec![Bytes::from(body.to_string())],
        streamed: false,
        bill: None,
    }
}

fn head(
    status: u16,
    content_type: &str,
    seen: &SeenRequest,
    headers: &[(String, String)],
    echoes_headers: bool,
    script: Script,
) -> Response<Script> {
    let mut response = Response::new(script);
    *response.status_mut() = StatusCode::from_u16(status).expect("a test names a valid status");
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, value(content_type));
    let request_id = match seen.protocol {
        Some(chat::Protocol::Anthropic) => "request-id",
        _ => "x-request-id",
    };
    out.insert(HeaderName::from_static(request_id), value(&format!("req_{}", seen.number)));
    if echoes_headers {
        echo(&seen.headers, out);
    }
    for (name, text) in headers {
        let name = HeaderName::try_from(name.as_str()).expect("a test names a valid header");
        out.insert(name, value(text));
    }
    response
}

fn echo(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, text) in from {
        if name != hyper::header::CONTENT_LENGTH
            && name != TRANSFER_ENCODING
            && name != hyper::header::CONNECTION
            && name != CONTENT_TYPE
        {
            to.insert(name.clone(), text.clone());
            let prefixed = HeaderName::try_from(format!("x-echo-{name}"));
            to.insert(prefixed.expect("a name stays a name behind a prefix"), text.clone());
        }
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a test sets a valid header value")
}
