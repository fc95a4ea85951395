#![expect(clippy::disallowed_methods, reason = "model files are read, and only read, here")]

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use run::{Failure, FailureKind};
use values::ContentHash;

use super::failure::failure;

/// The name of the model that Trysquare brings along.
pub const SMOLLM2_135M: &str = "smollm2-135m";

/// The SHA-256 of SmolLM2-135M-Instruct, Q4_1, as GGUF.
const SMOLLM2_135M_SHA256: &str =
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

const HINT_SMOLLM2: &str =
    "run `scripts/setup`, which fetches the model, or name another copy of it in your settings";
const HINT_OTHER: &str = "correct the path of the model, or its SHA-256, in the settings";

/// A GGUF file by name, place and content.
///
/// The hash is part of every cache and recording key, so it is checked whenever the file is
/// loaded; planning and replay need only the hash, not the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// The name that a model reference uses (`smollm2-135m` in `embedded/smollm2-135m`).
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
    /// The SHA-256 that it must have.
    pub sha256: ContentHash,
}

impl ModelFile {
    /// Returns the built-in model `smollm2-135m`, expected at `path`.
    pub fn smollm2_135m(path: impl Into<PathBuf>) -> Self {
        Self {
            name: SMOLLM2_135M.to_owned(),
            path: path.into(),
            sha256: SMOLLM2_135M_SHA256.parse().expect("the constant is 64 lower-case hex digits"),
        }
    }

    /// Tells whether this is the built-in model.
    pub(super) fn is_built_in(&self) -> bool {
        self.name == SMOLLM2_135M
    }

    /// Checks that the file is there and is the one that was named. Blocking: reads it all.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let found = hash_model_file(&self.path).map_err(|error| {
            self.unusable(format!("failed to read the model file {}: {error}", self.path.display()))
        })?;
        if found == self.sha256 {
            return Ok(());
        }
        Err(self.unusable(format!(
            "the model file {} is not the one that was named: its SHA-256 is {found}, expected {}",
            self.path.display(),
            self.sha256
        )))
    }

    /// Returns the failure of a file that cannot be used, with how to get one that can.
    pub(super) fn unusable(&self, message: String) -> Failure {
        let hint = if self.is_built_in() { HINT_SMOLLM2 } else { HINT_OTHER };
        failure(FailureKind::LocalModel, message, Some(hint))
    }
}

/// Returns the SHA-256 of a file, read in pieces. Blocking: belongs on a thread that may wait.
///
/// # Errors
/// The error of opening or reading the file; also for what is no regular file, because a device or a
/// pipe may have no end.
pub fn hash_model_file(path: &Path) -> io::Result<ContentHash> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    ContentHash::of_reader(File::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_under_the_built_in_name_is_refused_with_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gguf");
        std::fs::write(&path, b"something else").unwrap();
        let failure = ModelFile::smollm2_135m(&path).check().unwrap_err();
        assert_eq!(failure.kind, FailureKind::LocalModel);
        assert!(failure.message.contains("is not the one that was named"), "{failure}");
        assert!(failure.hint.unwrap().contains("scripts/setup"));
    }

    #[test]
    fn a_device_without_an_end_is_not_read() {
        let failure = ModelFile::smollm2_135m("/dev/zero").check().unwrap_err();
        assert!(failure.message.contains("not a regular file"), "{failure}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = ModelFile::smollm2_135m("/nowhere/model.gguf").check().unwrap_err();
        assert!(failure.message.contains("/nowhere/model.gguf"), "{failure}");
    }
}
