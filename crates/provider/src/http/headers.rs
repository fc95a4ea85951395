//! What response headers say about limits and about trying again.
//!
//! There is no clock here: an absolute time is read against the response's own `Date`, which is also
//! right where this machine's clock is not.

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use crate::RateHints;
use crate::wire::millis;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Returns the provider's request id.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id", "x-goog-request-id"]
        .into_iter()
        .find_map(|name| text(headers, name))
        .filter(|id| !id.is_empty())
        .map(|id| id.chars().take(200).collect())
}

/// Returns what the provider orders about a retry (`x-should-retry`).
pub(super) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match text(headers, "x-should-retry")? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Returns the milliseconds that the provider asks to wait, `None` if it names no time to come.
pub(super) fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let wait = text(headers, "retry-after-ms")
        .and_then(|ms| millis(ms.parse::<f64>().ok()? / 1000.0))
        .or_else(|| {
            let value = text(headers, "retry-after")?;
            match value.parse::<f64>() {
                Ok(seconds) => millis(seconds),
                Err(_) => ms_until(headers, http_date(value)?),
            }
        })?;
    (wait > 0).then_some(wait)
}

/// Reads the headers about rates, of OpenAI and its followers or of Anthropic.
pub(super) fn rate_hints(headers: &HeaderMap) -> RateHints {
    let openai = |what: &str| {
        let name = |part: &str| format!("x-ratelimit-{part}-{what}");
        window(headers, &name("limit"), &name("remaining"), &name("reset"))
    };
    let anthropic = |what: &str| {
        let name = |part: &str| format!("anthropic-ratelimit-{what}-{part}");
        window(headers, &name("limit"), &name("remaining"), &name("reset"))
    };
    // Almost every answer of a local server has none of them: do not build a dozen names for it.
    let any = headers.keys().any(|name| name.as_str().contains("ratelimit"));
    if !any {
        return RateHints::default();
    }
    let first = |one: Window, other: Window| if one == Window::default() { other } else { one };
    let requests = first(openai("requests"), anthropic("requests"));
    let tokens = [
        openai("tokens"),
        anthropic("tokens"),
        anthropic("input-tokens"),
        anthropic("output-tokens"),
    ];
    // Several limits on tokens hold at once; the one with the least left binds.
    let tokens = tokens
        .into_iter()
        .filter(|window| *window != Window::default())
        .min_by_key(|window| window.left.unwrap_or(u64::MAX))
        .unwrap_or_default();
    RateHints {
        requests_left: requests.left,
        requests_reset_ms: requests.reset_ms,
        tokens_left: tokens.left,
        tokens_reset_ms: tokens.reset_ms,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Window {
    left: Option<u64>,
    reset_ms: Option<u64>,
}

/// A limit of 0 or less is a server that does not know (Azure), not one that is closed.
fn window(headers: &HeaderMap, limit: &str, remaining: &str, reset: &str) -> Window {
    if let Some(limit) = text(headers, limit)
        && limit.parse::<i64>().is_ok_and(|limit| limit <= 0)
    {
        return Window::default();
    }
    Window {
        left: text(headers, remaining).and_then(|left| left.parse().ok()),
        reset_ms: text(headers, reset).and_then(|reset| reset_ms(headers, reset)),
    }
}

fn reset_ms(headers: &HeaderMap, text: &str) -> Option<u64> {
    duration_ms(text).or_else(|| ms_until(headers, text.parse().ok()?))
}

/// Reads a duration as Go prints it: `12ms`, `1s`, `6m0s`, `1h2m3.5s`; a bare number is seconds.
fn duration_ms(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return millis(seconds);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |length| digits + length);
        seconds += number
            * match &rest[digits..unit_end] {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    if text.is_empty() { None } else { millis(seconds) }
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn ms_until(headers: &HeaderMap, then: Timestamp) -> Option<u64> {
    let now = http_date(text(headers, "date")?)?;
    u64::try_from(then.as_millisecond().saturating_sub(now.as_millisecond())).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
            })
            .collect()
    }

    #[test]
    fn durations_are_read_as_go_prints_them() {
        for (text, expected) in [
            ("12ms", Some(12)),
            ("6m0s", Some(360_000)),
            ("1h2m3.5s", Some(3_723_500)),
            ("1s", Some(1000)),
            ("0s", Some(0)),
            ("7.66", Some(7660)),
            ("", None),
            ("soon", None),
            ("5x", None),
            ("-3", None),
            ("NaN", None),
        ] {
            assert_eq!(duration_ms(text), expected, "{text}");
        }
    }

    #[test]
    fn openai_rates_are_read() {
        let hints = rate_hints(&headers(&[
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-limit-tokens", "30000"),
            ("x-ratelimit-remaining-tokens", "29000"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]));
        let expected = RateHints {
            requests_left: Some(499),
            requests_reset_ms: Some(120),
            tokens_left: Some(29_000),
            tokens_reset_ms: Some(360_000),
        };
        assert_eq!(hints, expected);
    }

    #[test]
    fn anthropic_rates_are_read_against_the_servers_own_date() {
        let hints = rate_hints(&headers(&[
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "1994-11-06T08:49:40Z"),
            ("anthropic-ratelimit-input-tokens-limit", "1000"),
            ("anthropic-ratelimit-input-tokens-remaining", "900"),
            ("anthropic-ratelimit-output-tokens-limit", "1000"),
            ("anthropic-ratelimit-output-tokens-remaining", "10"),
            ("anthropic-ratelimit-output-tokens-reset", "1994-11-06T08:50:37Z"),
        ]));
        assert_eq!((hints.requests_left, hints.requests_reset_ms), (Some(0), Some(3000)));
        assert_eq!((hints.tokens_left, hints.tokens_reset_ms), (Some(10), Some(60_000)));
    }

    #[test]
    fn a_limit_that_is_not_positive_is_unknown() {
        for limit in ["-1", "0"] {
            let hints = rate_hints(&headers(&[
                ("x-ratelimit-limit-requests", limit),
                ("x-ratelimit-remaining-requests", "0"),
            ]));
            assert_eq!(hints, RateHints::default());
        }
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let after = |pairs: &[(&'static str, &'static str)]| retry_after_ms(&headers(pairs));
        assert_eq!(after(&[("retry-after-ms", "1500"), ("retry-after", "9")]), Some(1500));
        assert_eq!(after(&[("retry-after", "2.5")]), Some(2500));
        assert_eq!(after(&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")]), Some(3000));
        assert_eq!(after(&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")]), None);
        assert_eq!(after(&[("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")]), None);
        for nonsense in ["0", "-5", "soon", "NaN", "inf"] {
            assert_eq!(after(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }
}
