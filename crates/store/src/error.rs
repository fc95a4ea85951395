use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ffi;
use values::Id;

/// Why the store could not do what it was asked. Cheap to clone: one commit can fail many callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database was written by a newer program; it was not touched.
    #[error("{path} was written by a newer program (format {found}; this one knows up to {known})")]
    NewerFormat {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// The file is a database of another program; it was not touched.
    #[error("{path} is a database of another program")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a SQLite database; it was not touched.
    #[error("{path} is not a database")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The database is damaged.
    #[error("failed to {doing}: the database is damaged")]
    Damaged {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: Arc<rusqlite::Error>,
    },
    /// SQLite itself is too old to be trusted with two writing processes.
    #[error("SQLite {found} can lose commits when two processes write; 3.51.3 or newer is needed")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// A file or folder could not be made, read or opened.
    #[error("failed to {doing} {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: Arc<std::io::Error>,
    },
    /// The disk is full. Nothing of the write was kept; what was committed before is intact.
    #[error("failed to {doing}: the disk is full")]
    DiskFull {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: Arc<rusqlite::Error>,
    },
    /// Other programs kept the database locked for too long.
    #[error("failed to {doing}: another program keeps the database locked")]
    Busy {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: Arc<rusqlite::Error>,
    },
    /// SQLite failed for any other reason.
    #[error("failed to {doing}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: Arc<rusqlite::Error>,
    },
    /// A document in a row could not be read or written as JSON.
    #[error("failed to {doing}: a row holds a document of an unknown form")]
    Document {
        /// What was being done.
        doing: &'static str,
        /// What is wrong with it.
        source: Arc<serde_json::Error>,
    },
    /// There is no such run.
    #[error("there is no run {0}")]
    UnknownRun(Id),
    /// There is no such reservation in the run.
    #[error("run {run} has no reservation {reservation}")]
    UnknownReservation {
        /// The run.
        run: Id,
        /// The reservation.
        reservation: Id,
    },
    /// There is no such cell in the run.
    #[error("run {run} has no cell {cell}")]
    UnknownCell {
        /// The run.
        run: Id,
        /// The place that was asked for.
        cell: u32,
    },
    /// Another live process works on the run.
    #[error("run {run} is being worked on by process {pid}")]
    Held {
        /// The run.
        run: Id,
        /// The process.
        pid: u32,
    },
    /// This process does not, or no longer, work on the run.
    #[error("run {0} is not held by this process")]
    NotHeld(Id),
    /// The write contradicts what is already recorded.
    #[error("{0}")]
    Conflict(String),
    /// The store was closed, or its writer ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Returns what the person can do, where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NewerFormat { .. } => "update this program; nothing was changed",
            Self::Foreign { .. } | Self::NotADatabase { .. } => {
                "move the file away; a new database is then made"
            }
            Self::Damaged { .. } => {
                "run `trysquare doctor`; a backup from before the last update lies beside it"
            }
            Self::DiskFull { .. } => {
                "make space and run `trysquare resume`; all that was recorded is intact"
            }
            Self::Busy { .. } => "look for another trysquare that hangs",
            Self::Held { run, .. } => {
                return Some(format!("wait for it, or stop it there: `trysquare cancel {run}`"));
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Says what SQLite's error means for the one who asked.
    pub(crate) fn sql(doing: &'static str, error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        let source = Arc::new(error);
        match code {
            // The index of the WAL grows by whole pages first; that failing is a full disk too.
            Some(ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE) => Self::DiskFull { doing, source },
            Some(code) if matches!(code & 0xff, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => {
                Self::Busy { doing, source }
            }
            Some(code) if matches!(code & 0xff, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB) => {
                Self::Damaged { doing, source }
            }
            _ => Self::Sql { doing, source },
        }
    }

    /// Returns the error of a file or folder.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
        error: std::io::Error,
    ) -> Self {
        Self::File { doing, path: path.into(), source: Arc::new(error) }
    }
}

/// Adds what was being done to an error of SQLite or of a stored document.
pub(crate) trait Doing<T> {
    /// Names what failed: a fragment completing "failed to …".
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::sql(doing, error))
    }
}

impl<T> Doing<T> for serde_json::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Document { doing, source: Arc::new(error) })
    }
}
