use chat::Protocol;
use reqwest::{Method, Request, Url};
use run::Failure;
use tokio::time::{Duration, timeout};

use super::HttpClient;
use super::exchange::{ERROR_BYTES, read_up_to};
use super::failure;

/// A list of models is short; who takes longer is not well.
const PROBE_LIMIT: Duration = Duration::from_secs(30);

impl HttpClient {
    /// Asks the provider for its list of models, the smallest request that needs the key. It is free
    /// of charge and is not retried.
    ///
    /// # Errors
    /// The provider's refusal, [`run::FailureKind::Authentication`] if the key is not accepted; or
    /// why the provider could not be asked.
    pub async fn probe(&self) -> Result<(), Box<Failure>> {
        let path = if self.provider.protocol == Protocol::Ollama { "tags" } else { "models" };
        let url = format!("{}{}/{path}", self.origin, self.base.prefix);
        let url = Url::parse(&url).map_err(|error| failure::not_sent(error.to_string()))?;
        let sending = self.client.execute(Request::new(Method::GET, url));
        let sent = timeout(PROBE_LIMIT, sending)
            .await
            .map_err(|_| failure::of_timeout("the list of models", PROBE_LIMIT))?;
        let mut response = sent.map_err(|error| failure::of_transport(&error))?;
        if response.status().is_success() {
            return Ok(());
        }
        let body = read_up_to(&mut response, ERROR_BYTES).await;
        let mut refused =
            Err(failure::of_status(response.status().as_u16(), response.headers(), &body));
        self.redaction.outcome(&mut refused);
        refused.map(drop)
    }
}
