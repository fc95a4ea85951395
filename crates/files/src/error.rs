use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub struct FileError {
    /// What was being done (`read`, `write`).
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub problem: FileProblem,
}

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The operating system refused.
    #[error("{}", plain(.0))]
    System(#[from] io::Error),
    /// The bytes are not UTF-8.
    #[error("it is not UTF-8 text: byte {offset} on line {line}")]
    NotText {
        /// The offset of the first bad byte.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// It is larger than the reader takes.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// It changed on disk since it was read.
    #[error("it changed on disk since it was read; nothing was written")]
    Changed,
    /// Another process holds the lock.
    #[error("another process is using it")]
    Locked,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {} {}: {}", self.action, self.path.display(), self.problem)
    }
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: &Path, problem: impl Into<FileProblem>) -> Self {
        Self { action, path: path.to_owned(), problem: problem.into() }
    }

    /// Tells whether the file or folder does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(&self.problem, FileProblem::System(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// The operating system's words in ours, where ours are clearer.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        _ => error.to_string(),
    }
}
