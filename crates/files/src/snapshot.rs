use std::path::{Path, PathBuf};

use values::ContentHash;

use crate::{FileError, FileProblem, read_bytes, write_atomic};

/// What a file held when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    path: PathBuf,
    /// `None`: it did not exist.
    hash: Option<ContentHash>,
}

impl Snapshot {
    /// Remembers what a file held, from the bytes that were read.
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), hash: Some(ContentHash::of_bytes(bytes)) }
    }

    /// Remembers that a file did not exist.
    pub fn absent(path: &Path) -> Self {
        Self { path: path.to_owned(), hash: None }
    }

    /// Returns the file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the hash of what it held; none if it did not exist.
    pub fn hash(&self) -> Option<ContentHash> {
        self.hash
    }

    /// Tells whether the file holds something else by now.
    ///
    /// # Errors
    /// [`FileError`] if that cannot be read.
    pub fn is_outdated(&self) -> Result<bool, FileError> {
        match read_bytes(&self.path) {
            Ok(bytes) => Ok(self.hash != Some(ContentHash::of_bytes(&bytes))),
            Err(error) if error.is_missing() => Ok(self.hash.is_some()),
            Err(error) => Err(error),
        }
    }
}

/// Replaces a file's content, unless it changed since the snapshot; returns the new snapshot.
///
/// # Errors
/// [`FileError`] with [`FileProblem::Changed`] if it did: the person chooses then.
pub fn write_unless_changed(snapshot: &Snapshot, bytes: &[u8]) -> Result<Snapshot, FileError> {
    if snapshot.is_outdated()? {
        return Err(FileError::new("write", &snapshot.path, FileProblem::Changed));
    }
    write_atomic(&snapshot.path, bytes)?;
    Ok(Snapshot::of(&snapshot.path, bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{lock, read_text, read_text_if_present, try_lock};

    #[test]
    fn a_file_that_changed_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        let absent = Snapshot::absent(&path);
        let first = write_unless_changed(&absent, b"one").unwrap();
        fs::write(&path, "theirs").unwrap();
        let refused = write_unless_changed(&first, b"two").unwrap_err();
        assert!(matches!(refused.problem, FileProblem::Changed));
        assert_eq!(read_text(&path).unwrap(), "theirs");
        assert!(write_unless_changed(&absent, b"three").is_err(), "it exists by now");
    }

    #[test]
    fn a_write_leaves_nothing_beside_the_file_and_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        crate::write_private(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_new_file_has_the_mode_of_any_other_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        write_atomic(&ours, b"").unwrap();
        fs::write(&theirs, "").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&theirs));
    }

    #[test]
    fn a_link_is_followed_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomic(&link, b"new").unwrap();
        assert_eq!(read_text(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_streamed_file_is_written_like_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
        let stream = |name: &str, text: &'static [u8]| {
            let written = crate::write_streamed(&path(name), |file| file.write_all(text));
            written.unwrap().unwrap();
        };
        stream("new", b"");
        fs::write(path("theirs"), "").unwrap();
        assert_eq!(mode("new"), mode("theirs"));
        fs::write(path("file"), "old").unwrap();
        fs::set_permissions(path("file"), fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        stream("link", b"new");
        assert_eq!(read_text(&path("file")).unwrap(), "new");
        assert_eq!(mode("file"), 0o640);
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        let failed = crate::write_streamed(&path("link"), |file| {
            file.write_all(b"half").unwrap();
            Err("broken")
        });
        assert_eq!(failed.unwrap(), Err("broken"));
        assert_eq!(read_text(&path("file")).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "nothing is left beside it");
    }

    #[test]
    fn errors_name_the_path_and_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none");
        assert!(read_text(&missing).unwrap_err().to_string().ends_with("none: it does not exist"));
        assert_eq!(read_text_if_present(&missing).unwrap(), None);
        fs::write(&missing, b"ok\nb\xff").unwrap();
        let message = read_text(&missing).unwrap_err().to_string();
        assert!(message.contains("byte 4 on line 2"), "{message}");
    }

    #[test]
    fn a_lock_is_exclusive_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path).unwrap();
        assert!(matches!(try_lock(&path).unwrap_err().problem, FileProblem::Locked));
        drop(held);
        drop(try_lock(&path).unwrap());
    }
}
