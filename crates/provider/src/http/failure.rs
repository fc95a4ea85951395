//! Failures: what went wrong, whether to try again, what it may have cost.
//!
//! The bill is decided conservatively. A 3xx or 4xx was refused before any work, and a call that
//! never found a connection was not made: nothing. Everything else after sending is unknown until
//! the provider names its count, and so is every 5xx, 529 included: a gateway answers 502 or 504
//! while the model behind it may have finished, and no status tells which of the two it was.
//!
//! Messages are as long as what the server said. Whoever passes them on lets
//! [`super::redaction::Redaction`] take the key out of them and clip them, in this order: a key that
//! was cut in two could not be found any more.

use std::error::Error;

use reqwest::header::HeaderMap;
use run::{Bill, Failure, FailureKind, Retry};
use serde_json::Value;

use super::headers::{request_id, retry_after_ms, should_retry};
use crate::wire::{DecodeError, FrameTooLarge, Problem, Reported};

/// Returns the failure that an answer other than 2xx means.
pub(super) fn of_status(status: u16, headers: &HeaderMap, body: &[u8]) -> Box<Failure> {
    let document: Option<Value> = serde_json::from_slice(body).ok();
    let reported = document
        .as_ref()
        .and_then(Reported::from_json)
        .unwrap_or_else(|| Reported { message: described_body(body), ..Reported::default() });
    let kind = reported.failure_kind(Some(status));
    let wait = retry_after_ms(headers).or(reported.retry_after_ms);
    let worth_it = should_retry(headers).unwrap_or(matches!(status, 408 | 409 | 429 | 500..));
    let retry = match wait {
        _ if kind == FailureKind::QuotaExhausted || !worth_it => Retry::Never,
        // However long: who schedules decides how long it waits.
        Some(ms) => Retry::After { ms },
        None => Retry::Backoff,
    };
    let message = match kind {
        FailureKind::Redirected => {
            let to = headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            format!("the server answered {status} and points to {to}")
        }
        _ => format!("the provider answered {status}: {}", reported.message),
    };
    Box::new(Failure {
        kind,
        message,
        hint: hint(kind),
        status: Some(status),
        request_id: request_id(headers).or(reported.request_id),
        retry,
        bill: if (300..500).contains(&status) { Bill::Nothing } else { Bill::Unknown },
    })
}

/// Returns the failure that an answer of 2xx means which is not a complete answer.
pub(super) fn of_decode(error: DecodeError, headers: &HeaderMap, status: u16) -> Box<Failure> {
    let message = error.to_string();
    let (kind, retry, id) = match error.problem {
        Problem::Truncated => (FailureKind::Truncated, Retry::Backoff, None),
        // Garbage may be a gateway's passing trouble, and trying again shows it.
        Problem::Malformed(_) => (FailureKind::BadResponse, Retry::Backoff, None),
        Problem::Reported(reported) => {
            let kind = reported.failure_kind(None);
            let retry = match reported.retry_after_ms {
                _ if !is_passing(kind) => Retry::Never,
                Some(ms) => Retry::After { ms },
                None => Retry::Backoff,
            };
            (kind, retry, reported.request_id)
        }
    };
    Box::new(Failure {
        kind,
        message,
        hint: hint(kind),
        status: Some(status),
        request_id: request_id(headers).or(id),
        retry,
        bill: error.billed.map_or(Bill::Unknown, |usage| Bill::Known { usage }),
    })
}

/// Tells whether a failure of this kind passes by itself.
fn is_passing(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::RateLimited
            | FailureKind::Overloaded
            | FailureKind::ServerError
            | FailureKind::Timeout
    )
}

/// Returns the failure of a request for which no response came.
pub(super) fn of_transport(error: &reqwest::Error) -> Box<Failure> {
    let (kind, bill) = match (error.is_connect(), error.is_timeout()) {
        (true, true) => (FailureKind::Timeout, Bill::Nothing),
        (true, false) => (FailureKind::Connect, Bill::Nothing),
        (false, true) => (FailureKind::Timeout, Bill::Unknown),
        (false, false) if error.is_builder() => (FailureKind::InvalidRequest, Bill::Nothing),
        (false, false) => (FailureKind::Truncated, Bill::Unknown),
    };
    let what = match (kind, bill) {
        (FailureKind::Timeout, Bill::Nothing) => "no connection in time",
        (FailureKind::Connect, _) => "no connection",
        (FailureKind::InvalidRequest, _) => "the request could not be made",
        _ => "the connection broke before an answer came",
    };
    let certificate = is_certificate_error(error);
    let mut failure = Box::new(Failure {
        kind,
        message: format!("{what}: {}", root_cause(error)),
        hint: hint(kind),
        status: None,
        request_id: None,
        retry: if certificate || kind == FailureKind::InvalidRequest {
            Retry::Never
        } else {
            Retry::Backoff
        },
        bill,
    });
    if certificate {
        failure.hint = Some(
            "if your network inspects TLS, add its certificate authority to your own settings"
                .to_owned(),
        );
    }
    failure
}

/// Returns the failure of an answer that broke off while it was read.
pub(super) fn of_broken_body(error: &reqwest::Error, billed: Option<chat::Usage>) -> Box<Failure> {
    let bill = billed.map_or(Bill::Unknown, |usage| Bill::Known { usage });
    let message = format!("the answer broke off before its end: {}", root_cause(error));
    sent(FailureKind::Truncated, message, Retry::Backoff, bill)
}

/// Returns the failure of a phase that took too long.
pub(super) fn of_timeout(phase: &str, after: std::time::Duration) -> Box<Failure> {
    let message = format!("{phase} took longer than {} s", after.as_secs_f64());
    sent(FailureKind::Timeout, message, Retry::Backoff, Bill::Unknown)
}

/// Returns the failure of a call that the person stopped; `bill` is nothing if it was never sent.
pub(super) fn of_stop(bill: Bill) -> Box<Failure> {
    sent(FailureKind::Cancelled, "the call was stopped".to_owned(), Retry::Never, bill)
}

/// Returns the failure of an answer that is larger than the limit.
pub(super) fn of_size(limit: usize) -> Box<Failure> {
    let message = format!("the answer is larger than {limit} bytes");
    sent(FailureKind::TooLarge, message, Retry::Never, Bill::Unknown)
}

/// Returns the failure of a stream one event of which is larger than the limit.
pub(super) fn of_frame(error: FrameTooLarge) -> Box<Failure> {
    sent(FailureKind::TooLarge, error.to_string(), Retry::Never, Bill::Unknown)
}

/// Returns the failure of a call that this client does not send.
pub(super) fn not_sent(message: String) -> Box<Failure> {
    sent(FailureKind::InvalidRequest, message, Retry::Never, Bill::Nothing)
}

fn sent(kind: FailureKind, message: String, retry: Retry, bill: Bill) -> Box<Failure> {
    Box::new(Failure {
        kind,
        message,
        hint: hint(kind),
        status: None,
        request_id: None,
        retry,
        bill,
    })
}

fn hint(kind: FailureKind) -> Option<String> {
    let hint = match kind {
        FailureKind::QuotaExhausted => {
            "waiting does not help: raise the account's quota or credit, then resume the run"
        }
        FailureKind::Authentication => "check the key with `trysquare key test`",
        FailureKind::Permission => "the key's account may not use this model or endpoint",
        FailureKind::NotFound => "check the model's name and the provider's base URL",
        FailureKind::Redirected => {
            "redirects are not followed, because they could carry a key elsewhere: correct the base URL"
        }
        FailureKind::Connect => "check that the server runs, the base URL, and the proxy",
        FailureKind::TooLarge => {
            "lower `maxOutputTokens`, or raise the provider's limit on answers"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn described_body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() { "an empty body".to_owned() } else { text.to_owned() }
}

/// Returns what caused an error. An I/O error that wraps another one does not name it as its source,
/// so it is unwrapped first.
fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// Returns the innermost cause, which is the one that says something (`Connection refused`). The
/// library's own message names the URL, so it is not shown.
fn root_cause(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause_of(*cause));
    causes.last().map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}

fn is_certificate_error(error: &reqwest::Error) -> bool {
    std::iter::successors(error.source(), |cause| cause_of(*cause))
        .any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn failure(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Box<Failure> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        of_status(status, &headers, body.as_bytes())
    }

    #[test]
    fn statuses_are_retried_as_the_vendors_own_clients_do() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert_eq!(failure(status, &[], "").retry, Retry::Backoff, "{status}");
        }
        for status in [301, 302, 307, 400, 401, 402, 403, 404, 413, 422] {
            assert_eq!(failure(status, &[], "").retry, Retry::Never, "{status}");
        }
    }

    #[test]
    fn the_provider_may_order_or_forbid_a_retry() {
        assert_eq!(failure(400, &[("x-should-retry", "true")], "").retry, Retry::Backoff);
        assert_eq!(failure(500, &[("x-should-retry", "false")], "").retry, Retry::Never);
    }

    #[test]
    fn the_wait_that_a_provider_asks_for_is_passed_on_however_long_it_is() {
        let retry = |wait| failure(429, &[("retry-after", wait)], "").retry;
        assert_eq!(retry("120"), Retry::After { ms: 120_000 });
        assert_eq!(retry("86400"), Retry::After { ms: 86_400_000 });
        let reported = Reported {
            code: Some("rate_limit_exceeded".to_owned()),
            retry_after_ms: Some(600_000),
            ..Reported::default()
        };
        let error = DecodeError::from(Problem::Reported(Box::new(reported)));
        let found = of_decode(error, &HeaderMap::new(), 200);
        assert_eq!(found.retry, Retry::After { ms: 600_000 });
    }

    #[test]
    fn an_exhausted_quota_is_never_retried_whatever_the_headers_say() {
        let body = r#"{"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
        let found = failure(429, &[("retry-after", "1"), ("x-should-retry", "true")], body);
        assert_eq!((found.kind, found.retry), (FailureKind::QuotaExhausted, Retry::Never));
        assert_eq!(found.bill, Bill::Nothing);
    }

    #[test]
    fn only_a_refusal_before_any_work_is_certainly_free() {
        for status in [302, 400, 404, 408, 429] {
            assert_eq!(failure(status, &[], "").bill, Bill::Nothing, "{status}");
        }
        for status in [500, 502, 504, 529] {
            assert_eq!(failure(status, &[], "").bill, Bill::Unknown, "{status}");
        }
    }

    #[test]
    fn a_page_in_place_of_an_answer_is_shown_with_its_request_id() {
        let found = failure(502, &[("x-request-id", "r1")], "<html>");
        assert_eq!(found.message, "the provider answered 502: <html>");
        assert_eq!(found.request_id.as_deref(), Some("r1"));
    }

    #[test]
    fn an_error_inside_a_200_is_judged_by_its_name() {
        for (name, kind, retry) in [
            ("overloaded_error", FailureKind::Overloaded, Retry::Backoff),
            ("rate_limit_exceeded", FailureKind::RateLimited, Retry::Backoff),
            ("server_error", FailureKind::ServerError, Retry::Backoff),
            ("insufficient_quota", FailureKind::QuotaExhausted, Retry::Never),
            ("invalid_prompt", FailureKind::InvalidRequest, Retry::Never),
        ] {
            let reported = Reported { code: Some(name.to_owned()), ..Reported::default() };
            let error = DecodeError::from(Problem::Reported(Box::new(reported)));
            let found = of_decode(error, &HeaderMap::new(), 200);
            assert_eq!(
                (found.kind, found.retry, found.bill),
                (kind, retry, Bill::Unknown),
                "{name}"
            );
        }
    }
}
