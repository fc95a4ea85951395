use std::collections::BTreeMap;

use async_trait::async_trait;
use catalog::Timeouts;
use chat::{Protocol, Request};
use run::{Bill, Call, Endpoint, Failure, FailureKind, Retry};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use values::Origin;

use super::reading::Reading;
use super::template::{BadTemplate, Template};
use super::{TARGET_ADAPTER_VERSION, takes_cases};
use crate::http::DocumentClient;
use crate::{BoundKey, Client, Network, PrepareError, RateHints, Sent, SettingsError};

/// What is known of an HTTP target.
#[derive(Debug, Clone)]
pub struct HttpTargetSpec {
    /// Its name in `trysquare.yaml`.
    pub name: String,
    /// The URL that is posted to, without a user, query or fragment.
    pub url: String,
    /// Headers to send along. None of them may carry a credential.
    pub headers: BTreeMap<String, String>,
    /// How long to wait. An answer comes whole, so the time to a first token does not count.
    pub timeouts: Timeouts,
    /// What is sent.
    pub request: Template,
    /// What is read of the response.
    pub response: Reading,
}

/// The user's own application behind an HTTP JSON endpoint.
///
/// A case's inputs are posted as the template says, as `application/json`; a 2xx response must be
/// one JSON document. Redirects are not followed, and a key goes to its bound origin only, as a
/// bearer token.
#[derive(Debug)]
pub struct HttpTarget {
    name: String,
    client: DocumentClient,
    request: Template,
    response: Reading,
}

impl HttpTarget {
    /// Makes a target. Nothing is sent.
    ///
    /// # Errors
    /// [`SettingsError`], as for a provider.
    pub fn new(
        spec: HttpTargetSpec,
        network: &Network,
        key: Option<BoundKey>,
    ) -> Result<Self, SettingsError> {
        let HttpTargetSpec { name, url, headers, timeouts, request, response } = spec;
        let client = DocumentClient::new(&url, &headers, timeouts, network, key)?;
        Ok(Self { name, client, request, response })
    }

    /// Returns where this target is asked.
    pub fn origin(&self) -> &Origin {
        self.client.origin()
    }

    /// Returns the call for the inputs of one case. Pure and quick.
    ///
    /// Its body holds what is sent (`request`) and beside it what is read of the response (`read`),
    /// so that another reading is another key of the cache.
    ///
    /// # Errors
    /// [`BadTemplate`] if the case lacks an input that the template asks for.
    pub fn prepare_case(&self, inputs: &Map<String, Value>) -> Result<Call, BadTemplate> {
        let request = self.request.fill(inputs)?;
        Ok(Call {
            protocol: Protocol::HttpTarget,
            endpoint: Endpoint::Remote {
                origin: self.client.origin().to_string(),
                path: self.client.path().to_owned(),
            },
            model: self.name.clone(),
            body: json!({"request": request, "read": self.response.to_json()}),
            seed: None,
            adapter_version: TARGET_ADAPTER_VERSION,
        })
    }
}

#[async_trait]
impl Client for HttpTarget {
    fn prepare(&self, _request: &Request) -> Result<Call, PrepareError> {
        Err(takes_cases())
    }

    async fn send(&self, call: &Call, stop: watch::Receiver<bool>) -> Sent {
        let body = call.body.get("request").filter(|_| call.protocol == Protocol::HttpTarget);
        let Some(body) = body else {
            let failure = Failure {
                kind: FailureKind::InvalidRequest,
                message: "the call is not for an HTTP target".to_owned(),
                hint: None,
                status: None,
                request_id: None,
                retry: Retry::Never,
                bill: Bill::Nothing,
            };
            return Sent { outcome: Err(failure), rate: RateHints::default() };
        };
        self.client.send(call, body, |document| self.response.read(document), stop).await
    }
}
