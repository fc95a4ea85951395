use async_trait::async_trait;
use chat::Request;
use run::{Answer, Call, Failure};
use tokio::sync::watch;

/// Puts requests to one provider. One client serves many concurrent calls.
#[async_trait]
pub trait Client: Send + Sync {
    /// Turns a request into the exact call that will be sent. Pure and quick; a plan calls it for
    /// every cell and sends nothing.
    ///
    /// # Errors
    /// [`PrepareError`] if the protocol cannot express the request.
    fn prepare(&self, request: &Request) -> Result<Call, PrepareError>;

    /// Sends one call once and reads the whole answer. Never retries.
    ///
    /// When `stop` turns true, or the future is dropped, the connection is closed at once; a call
    /// that was on its way then fails with [`run::FailureKind::Cancelled`] and a bill that is
    /// unknown.
    async fn send(&self, call: &Call, stop: watch::Receiver<bool>) -> Sent;
}

/// What came of sending a call.
#[derive(Debug)]
pub struct Sent {
    /// The answer, or why there is none.
    pub outcome: Result<Box<Answer>, Failure>,
    /// What the provider said about its limits.
    pub rate: RateHints,
}

/// What a provider's headers say about how much more it will take. `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateHints {
    /// Requests left in the window.
    pub requests_left: Option<u64>,
    /// Milliseconds until the window of requests is fresh again.
    pub requests_reset_ms: Option<u64>,
    /// Tokens left in the window.
    pub tokens_left: Option<u64>,
    /// Milliseconds until the window of tokens is fresh again.
    pub tokens_reset_ms: Option<u64>,
}

/// The protocol cannot express a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PrepareError {
    /// What it cannot express: a lower-case fragment.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}
