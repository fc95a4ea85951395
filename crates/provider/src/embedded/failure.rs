use run::{Bill, Failure, FailureKind, Retry};

/// Returns a failure of a model inside this process: nobody bills it, and repeating does not help.
pub(super) fn failure(
    kind: FailureKind,
    message: impl Into<String>,
    hint: Option<&str>,
) -> Failure {
    Failure {
        kind,
        message: message.into(),
        hint: hint.map(str::to_owned),
        status: None,
        request_id: None,
        retry: Retry::Never,
        bill: Bill::Nothing,
    }
}

/// Returns the failure of a call whose model stopped under it, which may work on a fresh start.
pub(super) fn interrupted(message: impl Into<String>) -> Failure {
    let hint = "the next call loads the model again; if this happens often, lower `concurrency` or \
                `context_tokens`, and report it";
    Failure { retry: Retry::Backoff, ..failure(FailureKind::LocalModel, message, Some(hint)) }
}

/// Returns the failure of a call that was stopped.
pub(super) fn cancelled() -> Failure {
    failure(FailureKind::Cancelled, "the call was stopped", None)
}
