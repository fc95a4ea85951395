use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use catalog::ProviderSettings;
use chat::{Protocol, Request};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Url};
use run::{Answer, Bill, Call, Endpoint, Failure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use values::{Origin, Secret};

use super::base_url::BaseUrl;
use super::exchange::Exchange;
use super::failure;
use super::redaction::{BoundKey, Redaction};
use super::settings::{Network, SettingsError, extra_headers};
use crate::stop::stopped;
use crate::wire::{self, WireOptions};
use crate::{Client, PrepareError, RateHints, Sent};

/// A provider behind HTTP, with one pool of connections for all its calls.
///
/// It sends to one origin only, which is its base URL's; it follows no redirect, and reads neither
/// proxy nor certificates from the environment. HTTP/1.1 is spoken: each call has a connection of its
/// own, so that closing it stops one call and no other.
///
/// Answers are streamed only if the provider's settings say so: one document costs a fraction of what
/// hundreds of events cost. Streaming is for whoever wants the time to the first token, or long
/// answers through proxies that cut silent connections. The limit for the first token bounds a
/// streamed answer until its first content; a document has no first token, and is bounded by the
/// total alone.
#[derive(Debug)]
pub struct HttpClient {
    pub(super) client: reqwest::Client,
    pub(super) provider: ProviderSettings,
    pub(super) base: BaseUrl,
    /// The base URL's origin as text, as calls carry it.
    pub(super) origin: String,
    urls: Urls,
    max_answer_bytes: usize,
    pub(super) redaction: Redaction,
}

impl HttpClient {
    /// Makes a client. Nothing is sent.
    ///
    /// # Errors
    /// [`SettingsError`]; above all if the key is bound to another origin than the base URL's.
    pub fn new(
        provider: ProviderSettings,
        network: &Network,
        key: Option<BoundKey>,
    ) -> Result<Self, SettingsError> {
        let base = base_url(&provider)?;
        let secret = bound_here(key, &base.origin)?;
        let mut headers = own_headers(provider.protocol, secret.as_ref())?;
        headers.extend(extra_headers(&provider.headers, secret.as_ref())?);
        let connect_timeout = Duration::from_millis(provider.timeouts.connect_ms);
        Ok(Self {
            client: connect_nothing_yet(network, &base.origin, headers, connect_timeout)?,
            provider,
            origin: base.origin.to_string(),
            urls: Urls::default(),
            base,
            max_answer_bytes: network.max_answer_bytes,
            redaction: Redaction::new(secret),
        })
    }

    /// Returns where this client sends.
    pub fn origin(&self) -> &Origin {
        &self.base.origin
    }

    async fn answer(
        &self,
        call: &Call,
        stop: &mut watch::Receiver<bool>,
        rate: &mut RateHints,
    ) -> Result<Box<Answer>, Box<Failure>> {
        if call.protocol != self.provider.protocol {
            let (wanted, spoken) = (call.protocol, self.provider.protocol);
            let message = format!("the call speaks {wanted}, and this client {spoken}");
            return Err(failure::not_sent(message));
        }
        let request = request_to(&self.origin, &self.urls, call, &call.body)?;
        if *stop.borrow() {
            return Err(failure::of_stop(Bill::Nothing));
        }
        let exchange = Exchange {
            client: &self.client,
            protocol: self.provider.protocol,
            stream: wire::is_stream(call),
            first_token: Duration::from_millis(self.provider.timeouts.first_token_ms),
            max_bytes: self.max_answer_bytes,
            started: Instant::now(),
            rate,
        };
        let total = Duration::from_millis(self.provider.timeouts.total_ms);
        tokio::select! {
            biased;
            () = stopped(stop) => Err(failure::of_stop(Bill::Unknown)),
            outcome = tokio::time::timeout(total, exchange.run(request)) => {
                outcome.unwrap_or_else(|_| Err(failure::of_timeout("the answer", total)))
            }
        }
    }
}

#[async_trait]
impl Client for HttpClient {
    fn prepare(&self, request: &Request) -> Result<Call, PrepareError> {
        let ProviderSettings { protocol, stream, max_tokens_parameter, .. } = self.provider;
        let model = &request.model.model;
        let asked = request.sampling.max_output_tokens;
        let most = Some(self.provider.max_output_tokens(model, asked));
        let options = WireOptions { stream, max_tokens_parameter };
        let body = if most == asked {
            wire::encode(protocol, request, options)?
        } else {
            let mut bounded = request.clone();
            bounded.sampling.max_output_tokens = most;
            wire::encode(protocol, &bounded, options)?
        };
        let path = wire::path(protocol, model, stream)?;
        Ok(Call {
            protocol,
            endpoint: Endpoint::Remote {
                origin: self.origin.clone(),
                path: format!("{}{path}", self.base.prefix),
            },
            model: model.clone(),
            body,
            seed: None,
            adapter_version: wire::ADAPTER_VERSION,
        })
    }

    async fn send(&self, call: &Call, mut stop: watch::Receiver<bool>) -> Sent {
        let mut rate = RateHints::default();
        let mut outcome = self.answer(call, &mut stop, &mut rate).await;
        self.redaction.outcome(&mut outcome);
        Sent { outcome: outcome.map_err(|failure| *failure), rate }
    }
}

/// Returns the key's secret if it may go to this origin.
pub(super) fn bound_here(
    key: Option<BoundKey>,
    wanted: &Origin,
) -> Result<Option<Secret>, SettingsError> {
    match key {
        Some(BoundKey { origin, .. }) if origin != *wanted => {
            Err(SettingsError::KeyBoundElsewhere { bound: origin, wanted: wanted.clone() })
        }
        // A key that comes out of a file or a variable often has a line end that is not part of it.
        key => Ok(key.map(|key| Secret::new(key.secret.expose().trim()))),
    }
}

/// The URL of the latest path: most clients ask one, and to read a URL takes longer than to copy it.
#[derive(Debug, Default)]
pub(super) struct Urls(Mutex<Option<(String, Url)>>);

impl Urls {
    fn of(&self, origin: &str, path: &str) -> Option<Url> {
        // Nothing panics while it is held, so what is inside is whole.
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((known, url)) if known == path => Some(url.clone()),
            _ => {
                let url = Url::parse(&format!("{origin}{path}")).ok()?;
                *latest = Some((path.to_owned(), url.clone()));
                Some(url)
            }
        }
    }
}

/// Makes the HTTP request of a call, refusing one that is not for this origin, which is given as
/// calls carry it.
pub(super) fn request_to(
    origin: &str,
    urls: &Urls,
    call: &Call,
    body: &Value,
) -> Result<reqwest::Request, Box<Failure>> {
    let Endpoint::Remote { origin: wanted, path } = &call.endpoint else {
        return Err(failure::not_sent("the call is not for a server".to_owned()));
    };
    // A path without its slash (`@elsewhere.example/`) would change the host.
    let is_ours = wanted == origin && path.starts_with('/');
    let url = is_ours.then(|| urls.of(origin, path)).flatten().ok_or_else(|| {
        let message = format!("the call is for {wanted}{path}, and this client sends to {origin}");
        failure::not_sent(message)
    })?;
    let bytes = serde_json::to_vec(body).expect("a JSON value has a text");
    let mut request = reqwest::Request::new(Method::POST, url);
    *request.body_mut() = Some(bytes.into());
    Ok(request)
}

/// Returns the base URL, with the vendor's usual path where it has none.
fn base_url(settings: &ProviderSettings) -> Result<BaseUrl, SettingsError> {
    let usual = match settings.protocol {
        Protocol::OpenaiChat
        | Protocol::OpenaiResponses
        | Protocol::OpenaiDecisions
        | Protocol::SystemOne
        | Protocol::SystemOneDecisions
        | Protocol::Anthropic => "/v1",
        Protocol::Gemini => "/v1beta",
        Protocol::Ollama => "/api",
        other => return Err(SettingsError::Protocol(other)),
    };
    let url = settings.base_url.as_deref().ok_or(SettingsError::NoBaseUrl)?;
    let mut base: BaseUrl = url.parse()?;
    if base.prefix.is_empty() {
        usual.clone_into(&mut base.prefix);
    }
    Ok(base)
}

/// Returns the headers of the protocol, the key among them. A key is never part of a URL.
pub(super) fn own_headers(
    protocol: Protocol,
    secret: Option<&Secret>,
) -> Result<HeaderMap, SettingsError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("trysquare/", env!("CARGO_PKG_VERSION"))),
    );
    if protocol == Protocol::Anthropic {
        let name = HeaderName::from_static("anthropic-version");
        headers.insert(name, HeaderValue::from_static("2023-06-01"));
    }
    if let Some(secret) = secret.map(Secret::expose) {
        let (name, value) = match protocol {
            Protocol::Anthropic => ("x-api-key", HeaderValue::from_str(secret)),
            Protocol::Gemini => ("x-goog-api-key", HeaderValue::from_str(secret)),
            _ => ("authorization", HeaderValue::from_str(&format!("Bearer {secret}"))),
        };
        let mut value = value.map_err(|_| SettingsError::KeyUnsendable)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

pub(super) fn connect_nothing_yet(
    network: &Network,
    origin: &Origin,
    headers: HeaderMap,
    connect_timeout: Duration,
) -> Result<reqwest::Client, SettingsError> {
    // The person's proxy is for the world outside; a server on this machine is reached directly.
    let proxy = network.proxy.as_deref().filter(|_| !origin.is_loopback());
    let speaks_tls = proxy.is_some() || origin.is_secure();
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .tls_backend_preconfigured(tls(speaks_tls, &network.extra_ca_pem)?)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(1024);
    if let Some(proxy) = proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| SettingsError::Proxy)?);
    }
    builder.build().map_err(|error| SettingsError::Client(error.without_url().to_string()))
}

/// Makes the TLS configuration: rustls on ring, Mozilla's authorities, and the person's own.
fn tls(needed: bool, extra_ca_pem: &[u8]) -> Result<rustls::ClientConfig, SettingsError> {
    let mut roots = rustls::RootCertStore::empty();
    if needed {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let built_in = roots.len();
    let wrong = |error: String| SettingsError::Certificates(error);
    for certificate in CertificateDer::pem_slice_iter(extra_ca_pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if !extra_ca_pem.is_empty() && roots.len() == built_in {
        return Err(wrong("no certificate in the PEM text".to_owned()));
    }
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| SettingsError::Client(error.to_string()))
}
