//! Reference results of real data.

use std::path::Path;

pub(crate) fn check(folder: &Path) {
    assert!(folder.is_dir());
}
