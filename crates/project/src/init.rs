//! Starting a project.

use std::path::{Path, PathBuf};

/// A project could not be started.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one already.
    #[error("{0} is a project already")]
    Exists(PathBuf),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] files::FileError),
}

/// The files of a new project.
const FILES: [(&str, &str); 4] = [
    ("trysquare.yaml", include_str!("init/trysquare.yaml")),
    ("prompts/order-number.prompt", include_str!("init/order-number.prompt")),
    ("evalsets/order-number/evalset.yaml", include_str!("init/evalset.yaml")),
    ("evalsets/order-number/cases.jsonl", include_str!("init/cases.jsonl")),
];

/// Lines that git's own files need; a file that exists gets those that it lacks.
const LINES: [(&str, &[&str]); 2] = [
    (".gitignore", &[".trysquare/"]),
    (
        ".gitattributes",
        &[
            "evalsets/*/labels.jsonl merge=union",
            "evalsets/*/outputs.jsonl merge=union",
            "evalsets/*/recorded.jsonl merge=union",
        ],
    ),
];

/// Writes a small project that works without a key, and returns the paths that were written.
///
/// The folder is made if needed. No file that exists is replaced: prompts and eval sets that are
/// there stay, `.gitignore` and `.gitattributes` get the lines that they lack.
///
/// # Errors
/// [`InitError`]
pub fn init(folder: &Path) -> Result<Vec<PathBuf>, InitError> {
    init_with(folder, &FILES)
}

/// Writes a project of given files, as [`init`] does; the first of them is `trysquare.yaml`.
///
/// # Errors
/// [`InitError`]
pub fn init_with(folder: &Path, files: &[(&str, &str)]) -> Result<Vec<PathBuf>, InitError> {
    if folder.join("trysquare.yaml").exists() {
        return Err(InitError::Exists(folder.to_owned()));
    }
    files::create_folder(folder)?;
    let mut written = Vec::new();
    for (path, lines) in LINES {
        if add_lines(&folder.join(path), lines)? {
            written.push(PathBuf::from(path));
        }
    }
    // The settings file comes last: what is cut off half-way can be started again.
    for (path, text) in files.iter().rev() {
        let target = folder.join(path);
        if let Some(parent) = target.parent() {
            files::create_folder(parent)?;
        }
        if !target.exists() {
            files::write_atomic(&target, text.as_bytes())?;
            written.push(PathBuf::from(path));
        }
    }
    written.sort();
    Ok(written)
}

fn add_lines(path: &Path, lines: &[&str]) -> Result<bool, files::FileError> {
    let mut text = files::read_text_if_present(path)?.unwrap_or_default();
    let lacking: Vec<_> =
        lines.iter().filter(|line| !text.lines().any(|own| own.trim() == **line)).collect();
    if lacking.is_empty() {
        return Ok(false);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in lacking {
        text.push_str(line);
        text.push('\n');
    }
    files::write_atomic(path, text.as_bytes())?;
    Ok(true)
}
