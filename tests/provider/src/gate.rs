use std::sync::Arc;

use tokio::sync::watch;

/// Holds a response back until the test opens it.
///
/// Clones are the same gate. Once open it stays open.
#[derive(Debug, Clone)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
}

impl Gate {
    /// Makes a closed gate.
    pub fn closed() -> Self {
        Self { open: Arc::new(watch::Sender::new(false)) }
    }

    /// Opens it for everyone who waits and for everyone who comes later.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.expect("this gate keeps its sender alive");
    }
}
