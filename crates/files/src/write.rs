use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::FileError;

/// Replaces a file's content so that at any instant either the old or the new is there, whole.
///
/// Writes a temporary file in the same folder, syncs it, renames it, syncs the folder. Permissions of
/// an existing file are kept; a symbolic link is followed, so that the file it names is replaced.
///
/// # Errors
/// [`FileError`]; then the old content is untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = |file: &mut NamedTempFile| file.write_all(bytes);
    replace(path, write).map_err(|error| FileError::new("write", path, error))
}

/// Replaces a file's content by what `fill` writes, as [`write_atomic`] does, without holding it in
/// memory. If `fill` fails, the old content stays, and its error is returned inside.
///
/// # Errors
/// [`FileError`] if the file cannot be written.
pub fn write_streamed<E>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<Result<(), E>, FileError> {
    let filled = replace(path, |file| {
        let mut buffered = io::BufWriter::new(file);
        fill(&mut buffered).map_err(Stopped::Filling)?;
        buffered.flush().map_err(Stopped::Writing)
    });
    match filled {
        Ok(()) => Ok(Ok(())),
        Err(Stopped::Filling(error)) => Ok(Err(error)),
        Err(Stopped::Writing(error)) => Err(FileError::new("write", path, error)),
    }
}

/// Why a streamed file was not written.
enum Stopped<E> {
    Filling(E),
    Writing(io::Error),
}

impl<E> From<io::Error> for Stopped<E> {
    fn from(error: io::Error) -> Self {
        Self::Writing(error)
    }
}

/// Like [`write_atomic`], for a file that only its owner may read.
///
/// # Errors
/// [`FileError`]; then the old content is untouched.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = |file: &mut NamedTempFile| file.write_all(bytes);
    replace_at(path, &Mode::Private, write).map_err(|error| FileError::new("write", path, error))
}

/// Who may read the file that is written.
enum Mode {
    /// Whoever could before.
    Kept(fs::Permissions),
    /// Whoever may read what this person's programs usually write.
    Usual,
    /// Its owner, which is what a temporary file is made with.
    Private,
}

/// Replaces the file that a path leads to, and keeps who may read it.
fn replace<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut NamedTempFile) -> Result<(), E>,
) -> Result<(), E> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode =
        fs::metadata(&real).map_or(Mode::Usual, |metadata| Mode::Kept(metadata.permissions()));
    replace_at(&real, &mode, fill)
}

fn replace_at<E: From<io::Error>>(
    path: &Path,
    mode: &Mode,
    fill: impl FnOnce(&mut NamedTempFile) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trysquare-");
    #[cfg(unix)]
    if let Mode::Usual = mode {
        use std::os::unix::fs::PermissionsExt;
        // The system takes the process's mask off this.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder)?;
    fill(&mut temporary)?;
    if let Mode::Kept(permissions) = mode {
        temporary.as_file().set_permissions(permissions.clone())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(sync_folder(folder)?)
}

/// Makes a rename durable. Only Unix can sync a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes a folder and those above it; one that exists is fine.
///
/// # Errors
/// [`FileError`].
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(|error| FileError::new("create", path, error))
}

/// Removes a file; tells whether there was one.
///
/// # Errors
/// [`FileError`].
pub fn remove_file(path: &Path) -> Result<bool, FileError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::new("remove", path, error)),
    }
}
