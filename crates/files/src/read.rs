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
    read_bytes_up_to(path, LARGEST)
}

/// Returns a file's bytes, unless there are more than `limit`; then none is read.
///
/// # Errors
/// [`FileError`]
pub fn read_bytes_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let fail = |problem: FileProblem| FileError::new("read", path, problem);
    let file = File::open(path).map_err(|error| fail(error.into()))?;
    let length = file.metadata().map_err(|error| fail(error.into()))?.len();
    if length > limit {
        return Err(fail(FileProblem::TooLarge { limit }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // A limit on the reader too: the length of a pipe or of a growing file says nothing.
    let most = limit.saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(|error| fail(error.into()))?;
    if bytes.len() as u64 > limit {
        return Err(fail(FileProblem::TooLarge { limit }));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_whatever_the_file_says_of_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ten");
        fs::write(&path, b"0123456789").unwrap();
        assert_eq!(read_bytes_up_to(&path, 10).unwrap().len(), 10);
        let is_too_large = |path: &Path, limit| {
            let problem = read_bytes_up_to(path, limit).unwrap_err().problem;
            matches!(problem, FileProblem::TooLarge { limit: found } if found == limit)
        };
        assert!(is_too_large(&path, 9));
        // It says that it is empty, and has no end.
        assert!(is_too_large(Path::new("/dev/zero"), 1_000));
    }

    #[test]
    fn what_is_no_regular_file_is_not_hashed() {
        assert!(hash_file(Path::new("/dev/zero")).is_err());
    }
}
