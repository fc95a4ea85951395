//! What the workspace's own tests share: where the repository and the shared data are.

#![expect(clippy::disallowed_methods, reason = "tests read files and the environment")]

use std::path::{Path, PathBuf};

/// Returns the root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns a file or folder of the data shared beside the repository.
///
/// Its absence fails where `TRYSQUARE_REQUIRE_SHARED=1`; elsewhere the test that asks prints that it
/// did nothing.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(
        std::env::var_os("TRYSQUARE_REQUIRE_SHARED").is_none_or(|value| value != "1"),
        "shared data is missing: {path}"
    );
    None
}
