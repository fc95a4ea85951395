use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::{FileError, FileProblem};

/// An advisory lock between processes; given back when dropped, also by a process that dies.
#[derive(Debug)]
#[must_use = "the lock is given back when this is dropped"]
pub struct Lock {
    _file: File,
}

/// Waits for the lock that a file stands for, creating the file if needed.
///
/// # Errors
/// [`FileError`].
pub fn lock(path: &Path) -> Result<Lock, FileError> {
    let file = open(path)?;
    file.lock().map_err(|error| FileError::new("lock", path, error))?;
    Ok(Lock { _file: file })
}

/// Takes the lock that a file stands for, if it is free.
///
/// # Errors
/// [`FileError`] with [`FileProblem::Locked`] if another process holds it.
pub fn try_lock(path: &Path) -> Result<Lock, FileError> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(FileError::new("lock", path, FileProblem::Locked)),
        Err(TryLockError::Error(error)) => Err(FileError::new("lock", path, error)),
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| FileError::new("lock", path, error))
}
