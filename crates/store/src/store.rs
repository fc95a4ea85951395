use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use values::{Id, Timestamp};

use crate::cache::CacheUse;
use crate::error::{Doing, StoreError};
use crate::folder::{self, Warning};
use crate::process::ProcessIdentity;
use crate::readers::Readers;
use crate::writer::{self, Done, Job, Writer};
use crate::writing::Writing;
use crate::{leases, open, schema};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The time.
    pub now: Timestamp,
    /// A fresh id for this opening: the lease under which it works on runs.
    pub instance: Id,
    /// The process that opens it; [`ProcessIdentity::current`] outside tests.
    pub process: ProcessIdentity,
    /// The most bytes of replies that the response cache reaches.
    pub cache_limit_bytes: u64,
    /// The most connections that read at once.
    pub readers: usize,
}

impl OpenOptions {
    /// Returns the usual options: this process, a cache of 1 GiB, four readers.
    pub fn new(now: Timestamp, instance: Id) -> Self {
        Self {
            now,
            instance,
            process: ProcessIdentity::current(),
            cache_limit_bytes: 1 << 30,
            readers: 4,
        }
    }
}

/// The database of a project. Cheap to clone; all clones are one store.
///
/// Writes are handed to one thread in the order in which they are submitted and report through a
/// [`Done`], once they are durable. Nothing bounds how many wait: a caller bounds them by waiting
/// for its own. Reads block the calling thread.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    instance: Id,
    process: ProcessIdentity,
    opened: Timestamp,
    warnings: Vec<Warning>,
    readers: Readers,
    cache: Arc<CacheUse>,
    jobs: Mutex<Option<Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the database of a project, making the file (0600) and its folder (0700) if missing,
    /// and bringing it to the newest format, with a backup before each step.
    ///
    /// Runs of processes that died are stopped, and their open reservations presumed spent.
    ///
    /// # Errors
    /// [`StoreError`]: among others if the file was written by a newer program, is damaged, or is
    /// no database of ours; it is then left untouched.
    pub fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        Self::open_with(path, options, schema::MIGRATIONS)
    }

    pub(crate) fn open_with(
        path: &Path,
        options: OpenOptions,
        migrations: &[&str],
    ) -> Result<Self, StoreError> {
        let connection = open::open_writer(path, migrations)?;
        let any_lease = leases::any(&connection)?;
        let cache = Arc::new(CacheUse::new(options.cache_limit_bytes));
        let (jobs, queue) = channel();
        let writer = Writer { connection, jobs: queue, cache: Arc::clone(&cache) };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.work())
            .map_err(|error| StoreError::file("start the writer of", path, error))?;
        let store = Self(Arc::new(Inner {
            path: path.to_owned(),
            instance: options.instance,
            process: options.process,
            opened: options.now,
            warnings: folder::warnings(path.parent().unwrap_or(path)),
            readers: Readers::new(path.to_owned(), options.readers),
            cache,
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        }));
        if any_lease {
            wait(|done| store.stop_dead_runs(options.now, done))?;
        }
        Ok(store)
    }

    /// Returns what the person should know about where the database lies.
    pub fn warnings(&self) -> &[Warning] {
        &self.0.warnings
    }

    /// Returns where the database lies.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Looks for damage: SQLite's own check, and references between rows. Takes a while.
    ///
    /// Returns one line for each fault, none if all is sound.
    ///
    /// # Errors
    /// If the check could not be made.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| schema::faults(connection).doing("check the database"))
    }

    /// Finishes all submitted writes, stops this opening's runs, and takes the WAL back into the
    /// database. Later writes fail with [`StoreError::Closed`]. Dropping the last clone does the
    /// same, except that runs that are still going wait for the next opening to be stopped.
    ///
    /// # Errors
    /// If the runs could not be stopped; the store is closed all the same.
    pub fn close(&self, now: Timestamp) -> Result<(), StoreError> {
        let stopped = wait(|done| self.end_lease(now, done));
        self.0.shut();
        stopped
    }

    /// Submits a write that has a transaction of its own.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        done: Done<T>,
        work: impl FnOnce(&Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) {
        self.hand_over(writer::job(work, done));
    }

    /// Submits a small write that shares a transaction, and so an fsync, with others. It may be
    /// written again, so beside rows it changes nothing that would then be changed twice.
    pub(crate) fn submit_shared<T: Send + 'static>(
        &self,
        done: Done<T>,
        work: impl FnMut(&Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) {
        self.hand_over(writer::shared_job(work, done));
    }

    fn hand_over(&self, job: Box<dyn Job>) {
        let jobs = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        writer::hand_over(jobs.as_ref(), job);
    }

    /// Runs a function on a connection that reads.
    pub(crate) fn read<T>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.0.readers.read(function)
    }

    pub(crate) fn lease(&self) -> leases::Lease {
        leases::Lease {
            id: self.0.instance,
            process: self.0.process.clone(),
            opened: self.0.opened,
        }
    }

    pub(crate) fn cache_use(&self) -> &Arc<CacheUse> {
        &self.0.cache
    }
}

impl Inner {
    fn shut(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // The last clone may die in a callback on the writer's own thread, which cannot wait for
        // itself; it ends by itself when the queue is empty.
        if thread.thread().id() != std::thread::current().id() {
            // The writer catches panics; one that got through was printed where it happened.
            drop(thread.join());
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Waits on the calling thread for one write: `wait(|done| store.record(attempt, done))`.
///
/// # Errors
/// The write's own, or [`StoreError::Closed`].
pub fn wait<T: Send + 'static>(submit: impl FnOnce(Done<T>)) -> Result<T, StoreError> {
    let (sender, receiver) = channel();
    submit(Box::new(move |result| {
        // Cannot fail: the receiver lives until it has received.
        drop(sender.send(result));
    }));
    receiver.recv().unwrap_or(Err(StoreError::Closed))
}
