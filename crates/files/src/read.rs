use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use values::ContentHash;

use crate::{FileError, FileProblem};

/// Files above this size are not read whole: 1 GiB.
const LARGEST: u64 = 1 << 30;

/// Returns a file's bytes.
///
/// # Errors
/// [`FileError`], also for a file above 1 GiB.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let fail = |problem: FileProblem| FileError::new("read", path, problem);
    let file = File::open(path).map_err(|error| fail(error.into()))?;
    let length = file.metadata().map_err(|error| fail(error.into()))?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(LARGEST)).unwrap_or(0));
    // A limit on the reader too: the length of a pipe or of a growing file says nothing.
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| fail(error.into()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(fail(FileProblem::TooLarge { limit: LARGEST }));
    }
    Ok(bytes)
}

/// Returns a file's text.
///
/// # Errors
/// [`FileError`]; for bytes that are not UTF-8 it names the first bad one.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    String::from_utf8(read_bytes(path)?).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count();
        FileError::new("read", path, FileProblem::NotText { offset, line })
    })
}

/// Returns a file's text, `None` if it does not exist.
///
/// # Errors
/// [`FileError`] for every other reason.
pub fn read_text_if_present(path: &Path) -> Result<Option<String>, FileError> {
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the paths in a folder, sorted; none if the folder does not exist.
///
/// # Errors
/// [`FileError`].
pub fn list_folder(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let fail = |error: io::Error| FileError::new("list", path, error);
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(fail)?;
    paths.sort();
    Ok(paths)
}

/// Returns the SHA-256 of a file of any size, read in pieces.
///
/// # Errors
/// [`FileError`]; also for what is no regular file: a device or a pipe may have no end.
pub fn hash_file(path: &Path) -> Result<ContentHash, FileError> {
    let fail = |error: io::Error| FileError::new("read", path, error);
    // Asked before it is opened: opening a pipe waits for who writes into it.
    if !fs::metadata(path).map_err(fail)?.is_file() {
        return Err(fail(io::Error::other("it is not a regular file")));
    }
    let file = File::open(path).map_err(fail)?;
    ContentHash::of_reader(file).map_err(fail)
}
