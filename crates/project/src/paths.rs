//! Paths that a project's files name: they must stay inside the project.

use std::path::{Component, Path, PathBuf};

/// A path that a file of the project names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The path leads out of the project, by itself or through a symbolic link.
    #[error("`{0}` leads out of the project")]
    Outside(String),
    /// Nothing is there.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// It is not a file.
    #[error("`{0}` is not a file")]
    NotAFile(String),
}

/// Returns the file that a path inside the project leads to, symbolic links followed.
///
/// `root` is the project's folder, absolute and without symbolic links.
///
/// # Errors
/// [`PathError`]
pub fn resolve_inside(root: &Path, path: &str) -> Result<PathBuf, PathError> {
    let relative = Path::new(path);
    let plain = relative
        .components()
        .all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
    if !plain || path.is_empty() {
        return Err(PathError::Outside(path.to_owned()));
    }
    let real =
        root.join(relative).canonicalize().map_err(|_| PathError::Missing(path.to_owned()))?;
    if !real.starts_with(root) {
        return Err(PathError::Outside(path.to_owned()));
    }
    if real.is_file() { Ok(real) } else { Err(PathError::NotAFile(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_dots_cannot_lead_out() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let root = base.join("project");
        files::create_folder(&root.join("media")).unwrap();
        files::write_atomic(&root.join("media/a.png"), b"a").unwrap();
        files::write_atomic(&base.join("secret"), b"s").unwrap();
        std::os::unix::fs::symlink(base.join("secret"), root.join("media/link")).unwrap();
        std::os::unix::fs::symlink(root.join("media/a.png"), root.join("media/inner")).unwrap();
        std::os::unix::fs::symlink(&base, root.join("up")).unwrap();
        assert_eq!(resolve_inside(&root, "media/a.png").unwrap(), root.join("media/a.png"));
        assert_eq!(resolve_inside(&root, "./media/inner").unwrap(), root.join("media/a.png"));
        for outside in
            ["../secret", "media/../../secret", "/etc/passwd", "media/link", "up/secret", ""]
        {
            let refused = resolve_inside(&root, outside);
            assert!(matches!(refused, Err(PathError::Outside(_))), "{outside}: {refused:?}");
        }
        assert!(matches!(resolve_inside(&root, "media/b"), Err(PathError::Missing(_))));
        assert!(matches!(resolve_inside(&root, "media"), Err(PathError::NotAFile(_))));
    }
}
