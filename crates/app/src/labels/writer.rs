//! The thread that brings labels into the file while a person goes on labelling.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use project::Project;
use store::Store;

use super::sync;
use crate::{AppError, ErrorKind};

/// How long after the last event the file is written.
const QUIET: Duration = Duration::from_secs(1);

/// Writes the file a second after the last event, and at the end.
pub(crate) struct FileWriter {
    target: Arc<Target>,
    events: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Target {
    project: Project,
    store: Store,
    set: String,
    trouble: Mutex<Option<String>>,
}

impl Target {
    fn write(&self) -> Result<usize, AppError> {
        let written = sync::write(&self.project, &self.store, &self.set, false);
        let trouble = written.as_ref().err().map(ToString::to_string);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        written
    }
}

impl FileWriter {
    /// Starts the thread.
    pub(crate) fn start(project: Project, store: Store, set: String) -> Result<Self, AppError> {
        let target = Arc::new(Target { project, store, set, trouble: Mutex::new(None) });
        let (events, queue) = channel();
        let writes = Arc::clone(&target);
        let work = move || {
            while queue.recv().is_ok() {
                while queue.recv_timeout(QUIET).is_ok() {}
                // What failed is shown as trouble, tried again at the next event, and told at the end.
                drop(writes.write());
            }
        };
        let thread = std::thread::Builder::new()
            .name("label-file".to_owned())
            .spawn(work)
            .map_err(|error| {
                AppError::new(ErrorKind::Record, format!("no threads can be started: {error}"))
            })?;
        Ok(Self { target, events: Some(events), thread: Some(thread) })
    }

    /// Tells that there is something to write.
    pub(crate) fn wake(&self) {
        if let Some(events) = &self.events {
            // A thread that ended is made up for at the end.
            let _gone = events.send(());
        }
    }

    /// Returns why the file could not be written last time.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.target.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If the file cannot be written; the labels are in the database all the same.
    pub(crate) fn finish(mut self) -> Result<(), AppError> {
        self.stop();
        self.target.write().map(drop)
    }

    fn stop(&mut self) {
        drop(self.events.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was printed where it happened; the last writing makes up for it.
            drop(thread.join());
        }
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.stop();
    }
}
