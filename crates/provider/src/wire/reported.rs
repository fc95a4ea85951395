//! Errors as the vendors write them, in a body or inside a stream that began with 200.

use run::FailureKind;
use serde_json::Value;

use super::json::{items, member, text};

/// An error that a provider reported, in one form for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reported {
    /// What it says.
    pub message: String,
    /// The vendor's type or status name (`rate_limit_error`, `RESOURCE_EXHAUSTED`).
    pub kind: Option<String>,
    /// The vendor's code (`insufficient_quota`).
    pub code: Option<String>,
    /// The request id, where the body carries one.
    pub request_id: Option<String>,
    /// Milliseconds to wait, where the body says so (Gemini).
    pub retry_after_ms: Option<u64>,
    /// Whether the body names a quota that the passing of minutes does not refill.
    pub quota_used_up: bool,
}

impl Reported {
    /// Reads an error body of any vendor, `None` if the JSON is not one.
    ///
    /// OpenAI and Anthropic wrap an object in `error`, Gemini may wrap that in a one-element array,
    /// Ollama puts a string there.
    pub fn from_json(body: &Value) -> Option<Self> {
        let body = match body {
            Value::Array(list) => list.first()?,
            other => other,
        };
        let error = member(body, "error")?;
        let request_id = text(body, "/request_id").map(str::to_owned);
        if let Some(message) = error.as_str() {
            return Some(Self { message: message.to_owned(), request_id, ..Self::default() });
        }
        error.is_object().then(|| Self { request_id, ..Self::from_object(error) })
    }

    /// Reads the error object itself.
    pub(super) fn from_object(error: &Value) -> Self {
        let name = |key: &str| text(error, key).map(str::to_owned);
        let code = match error.get("code") {
            Some(Value::String(code)) => Some(code.clone()),
            Some(Value::Number(code)) => Some(code.to_string()),
            _ => None,
        };
        let details = items(error, "/details");
        Self {
            message: name("/message").unwrap_or_else(|| "no message".to_owned()),
            kind: name("/type").or_else(|| name("/status")),
            code: details
                .iter()
                .find_map(|detail| text(detail, "/reason"))
                .map(str::to_owned)
                .or(code),
            request_id: None,
            retry_after_ms: details
                .iter()
                .find_map(|detail| text(detail, "/retryDelay"))
                .and_then(|delay| delay.strip_suffix('s')?.parse::<f64>().ok())
                .and_then(millis),
            quota_used_up: details
                .iter()
                .flat_map(|detail| items(detail, "/violations"))
                .filter_map(|violation| text(violation, "/quotaId"))
                .any(|quota| quota.contains("PerDay")),
        }
    }

    /// Returns what kind of failure this is: by a name that says so, else by the status, else by
    /// what little the other names say.
    pub fn failure_kind(&self, status: Option<u16>) -> FailureKind {
        if self.quota_used_up {
            return FailureKind::QuotaExhausted;
        }
        let names = || [self.code.as_deref(), self.kind.as_deref()].into_iter().flatten();
        names()
            .find_map(kind_of_name)
            .or_else(|| status.map(kind_of_status))
            .or_else(|| names().find_map(kind_of_vague_name))
            .unwrap_or(FailureKind::ServerError)
    }
}

/// Turns seconds into milliseconds, `None` for what is no waiting time.
pub(crate) fn millis(seconds: f64) -> Option<u64> {
    let wait = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(wait.as_millis()).ok()
}

fn kind_of_name(name: &str) -> Option<FailureKind> {
    Some(match name {
        "insufficient_quota"
        | "billing_error"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "quota_exceeded"
        | "insufficient_funds" => FailureKind::QuotaExhausted,
        "rate_limit_error" | "rate_limit_exceeded" | "RESOURCE_EXHAUSTED" => {
            FailureKind::RateLimited
        }
        "overloaded_error" | "UNAVAILABLE" => FailureKind::Overloaded,
        "gateway_timeout" | "gateway_timeout_error" | "timeout_error" | "DEADLINE_EXCEEDED" => {
            FailureKind::Timeout
        }
        "authentication_error" | "invalid_api_key" | "API_KEY_INVALID" | "UNAUTHENTICATED" => {
            FailureKind::Authentication
        }
        "permission_error" | "PERMISSION_DENIED" => FailureKind::Permission,
        "not_found_error" | "model_not_found" | "NOT_FOUND" => FailureKind::NotFound,
        _ => return None,
    })
}

/// Names that vendors also use where the status says more (a 429 of type `invalid_request_error`).
fn kind_of_vague_name(name: &str) -> Option<FailureKind> {
    Some(match name {
        "invalid_request_error"
        | "request_too_large"
        | "invalid_prompt"
        | "bio_policy"
        | "data_residency_mismatch"
        | "INVALID_ARGUMENT"
        | "FAILED_PRECONDITION" => FailureKind::InvalidRequest,
        // A numeric code stands for a status (Gemini).
        number => kind_of_status(number.parse().ok()?),
    })
}

fn kind_of_status(status: u16) -> FailureKind {
    match status {
        300..=399 => FailureKind::Redirected,
        401 => FailureKind::Authentication,
        402 => FailureKind::QuotaExhausted,
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        429 => FailureKind::RateLimited,
        // A conflict is a lock that another request holds for a moment.
        503 | 529 => FailureKind::Overloaded,
        409 | 500.. => FailureKind::ServerError,
        _ => FailureKind::InvalidRequest,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(status: u16, body: &Value) -> FailureKind {
        Reported::from_json(body).unwrap_or_default().failure_kind(Some(status))
    }

    #[test]
    fn each_vendors_error_body_is_read() {
        let openai = Reported::from_json(&json!({"error": {
            "message": "You exceeded your current quota", "type": "insufficient_quota",
            "param": null, "code": "insufficient_quota"}}))
        .unwrap();
        assert_eq!(openai.code.as_deref(), Some("insufficient_quota"));
        let anthropic = Reported::from_json(&json!({"type": "error",
            "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}))
        .unwrap();
        assert_eq!(anthropic.request_id.as_deref(), Some("req_1"));
        assert_eq!(anthropic.failure_kind(None), FailureKind::Overloaded);
        let gemini = Reported::from_json(&json!([{"error": {"code": 429, "message": "Too fast",
            "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "34.5s"}]}}]))
        .unwrap();
        assert_eq!(gemini.retry_after_ms, Some(34_500));
        assert_eq!(gemini.failure_kind(Some(429)), FailureKind::RateLimited);
        let ollama = Reported::from_json(&json!({"error": "model 'x' not found"})).unwrap();
        assert_eq!(ollama.message, "model 'x' not found");
        assert_eq!(Reported::from_json(&json!({"error": null, "choices": []})), None);
    }

    #[test]
    fn an_exhausted_quota_is_not_a_rate_limit() {
        for body in [
            json!({"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}}),
            json!({"error": {"message": "m", "type": "tokens", "code": "billing_hard_limit_reached"}}),
            json!({"type": "error", "error": {"type": "billing_error", "message": "m"}}),
            json!({"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [
                {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}),
        ] {
            assert_eq!(kind(429, &body), FailureKind::QuotaExhausted, "{body}");
        }
        assert_eq!(kind(402, &json!({})), FailureKind::QuotaExhausted);
        assert_eq!(kind(429, &json!({})), FailureKind::RateLimited);
    }

    #[test]
    fn the_status_decides_where_the_names_are_silent() {
        let silent = json!({"error": {"message": "m", "type": "something_new"}});
        for (status, expected) in [
            (400, FailureKind::InvalidRequest),
            (401, FailureKind::Authentication),
            (403, FailureKind::Permission),
            (404, FailureKind::NotFound),
            (408, FailureKind::Timeout),
            (409, FailureKind::ServerError),
            (413, FailureKind::InvalidRequest),
            (500, FailureKind::ServerError),
            (503, FailureKind::Overloaded),
            (504, FailureKind::Timeout),
            (529, FailureKind::Overloaded),
        ] {
            assert_eq!(kind(status, &silent), expected, "{status}");
        }
    }

    #[test]
    fn a_wrong_key_is_authentication_even_as_geminis_400() {
        let body = json!({"error": {"code": 400, "message": "API key not valid.",
            "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}});
        assert_eq!(kind(400, &body), FailureKind::Authentication);
    }
}
