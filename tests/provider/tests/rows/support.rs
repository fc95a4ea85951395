use std::time::Duration;

use tokio::sync::watch;

/// A stop signal that nobody gives.
pub(crate) fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

/// Long enough for a test that does not wait for it, on a machine that is busy.
pub(crate) const LONG: Duration = Duration::from_mins(10);
/// For tests whose claim is that a limit ends a wait.
pub(crate) const SHORT: Duration = Duration::from_millis(50);
