use std::collections::BTreeMap;
use std::time::Duration;

use catalog::Timeouts;
use chat::{Protocol, Reply};
use reqwest::Url;
use run::{Answer, AnswerSource, Call, Failure, FailureKind, Retry};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use values::Origin;

use super::base_url::BaseUrl;
use super::client::{Urls, bound_here, connect_nothing_yet, own_headers, request_to};
use super::exchange::{ERROR_BYTES, read_body, read_up_to};
use super::redaction::{BoundKey, Redaction};
use super::settings::{Network, SettingsError, extra_headers};
use super::{failure, headers};
use crate::stop::stopped;
use crate::wire::{DecodeError, Problem};
use crate::{RateHints, Sent};

/// A server that is asked with one JSON document and answers with one, at one URL.
///
/// What holds for [`super::HttpClient`] holds here: one origin, no redirect, nothing from the
/// environment, a key only where it is bound.
#[derive(Debug)]
pub(crate) struct DocumentClient {
    client: reqwest::Client,
    origin: Origin,
    /// Its text, which every call is compared with.
    origin_text: String,
    urls: Urls,
    path: String,
    total: Duration,
    max_answer_bytes: usize,
    redaction: Redaction,
}

impl DocumentClient {
    /// Makes a client of one URL. Nothing is sent.
    pub(crate) fn new(
        url: &str,
        headers: &BTreeMap<String, String>,
        timeouts: Timeouts,
        network: &Network,
        key: Option<BoundKey>,
    ) -> Result<Self, SettingsError> {
        let BaseUrl { origin, prefix } = url.parse()?;
        let secret = bound_here(key, &origin)?;
        let mut all = own_headers(Protocol::HttpTarget, secret.as_ref())?;
        all.extend(extra_headers(headers, secret.as_ref())?);
        // A base URL loses the slash at its end, which means something in a whole URL.
        let path = Url::parse(url).map_or(prefix, |url| url.path().to_owned());
        let connect_timeout = Duration::from_millis(timeouts.connect_ms);
        Ok(Self {
            client: connect_nothing_yet(network, &origin, all, connect_timeout)?,
            origin_text: origin.to_string(),
            urls: Urls::default(),
            origin,
            path,
            total: Duration::from_millis(timeouts.total_ms),
            max_answer_bytes: network.max_answer_bytes,
            redaction: Redaction::new(secret),
        })
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Sends a call's endpoint this body, and reads the answer out of the response.
    pub(crate) async fn send(
        &self,
        call: &Call,
        body: &Value,
        read: impl Fn(&Value) -> Result<Reply, String>,
        mut stop: watch::Receiver<bool>,
    ) -> Sent {
        let mut rate = RateHints::default();
        let mut outcome = match request_to(&self.origin_text, &self.urls, call, body) {
            Err(refused) => Err(refused),
            Ok(_) if *stop.borrow() => Err(failure::of_stop(run::Bill::Nothing)),
            Ok(request) => {
                let total = self.total;
                tokio::select! {
                    biased;
                    () = stopped(&mut stop) => Err(failure::of_stop(run::Bill::Unknown)),
                    outcome = timeout(total, self.exchange(request, read, &mut rate)) => {
                        outcome.unwrap_or_else(|_| Err(failure::of_timeout("the answer", total)))
                    }
                }
            }
        };
        self.redaction.outcome(&mut outcome);
        Sent { outcome: outcome.map_err(|failure| *failure), rate }
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
        read: impl Fn(&Value) -> Result<Reply, String>,
        rate: &mut RateHints,
    ) -> Result<Box<Answer>, Box<Failure>> {
        let started = Instant::now();
        let sent = self.client.execute(request).await;
        let mut response = sent.map_err(|error| failure::of_transport(&error))?;
        let status = response.status().as_u16();
        *rate = headers::rate_hints(response.headers());
        if !response.status().is_success() {
            let body = read_up_to(&mut response, ERROR_BYTES).await;
            return Err(failure::of_status(status, response.headers(), &body));
        }
        let body = read_body(&mut response, self.max_answer_bytes).await?;
        let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let broken = |problem: Problem| {
            failure::of_decode(DecodeError::from(problem), response.headers(), status)
        };
        let document: Value =
            serde_json::from_slice(&body).map_err(|error| match error.classify() {
                serde_json::error::Category::Eof => broken(Problem::Truncated),
                _ => broken(Problem::Malformed(format!("not JSON: {error}"))),
            })?;
        let mut reply = read(&document).map_err(|problem| {
            let found = broken(Problem::Malformed(problem));
            // The same answer would be read the same way.
            Box::new(Failure { kind: FailureKind::BadResponse, retry: Retry::Never, ..*found })
        })?;
        reply.request_id = headers::request_id(response.headers());
        let source = AnswerSource::Live;
        Ok(Box::new(Answer { reply, latency_ms, first_token_ms: None, source }))
    }
}
