//! Waiting for the blocking store from async code, without blocking a worker thread.

use store::{Done, Store, StoreError};

/// Submits a write and waits for its group to be durable.
pub(crate) async fn write<T: Send + 'static>(
    submit: impl FnOnce(Done<T>),
) -> Result<T, StoreError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    submit(Box::new(move |result| {
        // Whoever waited may have been dropped, which changes nothing about the write.
        drop(sender.send(result));
    }));
    receiver.await.unwrap_or(Err(StoreError::Closed))
}

/// Reads on a thread that may block.
pub(crate) async fn read<T: Send + 'static>(
    store: &Store,
    question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store = store.clone();
    blocking(move || question(&store)).await
}

/// Runs work on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("a blocking task ended without an answer: {error}"),
        },
    }
}
