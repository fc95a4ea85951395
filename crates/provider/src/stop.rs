use tokio::sync::watch;

/// Waits until the person stops the run; for ever if nobody is left who could.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}
