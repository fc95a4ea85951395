use std::path::{Path, PathBuf};

use crate::Settings;
use crate::document::FORMAT;

/// The settings file in the user's configuration folder.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    path: PathBuf,
}

/// The settings could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file or its folder.
    #[error(transparent)]
    File(#[from] files::FileError),
    /// The text is not what this program writes.
    #[error("{path} is not a settings file: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        reason: String,
    },
    /// A newer program wrote it.
    #[error("{path} has format {found}, this program knows formats up to {FORMAT}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl SettingsFile {
    /// Names the file in a folder; nothing is read yet.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("settings.json") }
    }

    /// Returns the file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the settings; a file that does not exist holds the defaults.
    ///
    /// # Errors
    /// [`SettingsError`]. A file that cannot be read is left as it is.
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let Some(text) = files::read_text_if_present(&self.path)? else {
            return Ok(Settings::default());
        };
        let unreadable = |error: serde_json::Error| SettingsError::Unreadable {
            path: self.path.clone(),
            reason: error.to_string(),
        };
        // The format is read first: a newer document may not fit today's shape.
        let value: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
        let found = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if found > u64::from(FORMAT) {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            return Err(SettingsError::Newer { path: self.path.clone(), found });
        }
        serde_json::from_value(value).map_err(unreadable)
    }

    /// Changes the settings under a lock, so that two programs lose nothing of each other.
    ///
    /// # Errors
    /// [`SettingsError`]; then nothing was written.
    pub fn update<T>(&self, change: impl FnOnce(&mut Settings) -> T) -> Result<T, SettingsError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        files::create_folder(folder)?;
        let _lock = files::lock(&self.path.with_extension("lock"))?;
        let mut settings = self.load()?;
        let answer = change(&mut settings);
        let mut text = serde_json::to_string_pretty(&settings)
            .expect("settings have string keys and finite numbers");
        text.push('\n');
        files::write_atomic(&self.path, text.as_bytes())?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyBinding, KeySource};

    fn binding() -> KeyBinding {
        KeyBinding { origin: "https://a.example".parse().unwrap(), source: KeySource::Keyring }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(&folder.path().join("new"));
        assert_eq!(file.load().unwrap(), Settings::default());
        file.update(|settings| settings.keys.insert("a".to_owned(), binding())).unwrap();
        assert_eq!(file.load().unwrap().keys["a"], binding());
    }

    #[test]
    fn two_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    let name = format!("key-{writer}");
                    file.update(|settings| settings.keys.insert(name, binding())).unwrap();
                });
            }
        });
        assert_eq!(file.load().unwrap().keys.len(), 8);
    }

    #[test]
    fn a_newer_file_is_refused_and_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        let newer = "{\"format\": 9, \"keys\": []}";
        files::write_atomic(file.path(), newer.as_bytes()).unwrap();
        let refused = file.update(|_| ()).unwrap_err();
        assert!(matches!(refused, SettingsError::Newer { found: 9, .. }));
        assert_eq!(files::read_text_if_present(file.path()).unwrap().unwrap(), newer);
    }

    #[test]
    fn a_broken_file_names_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        files::write_atomic(file.path(), b"{\"format\": 1,\n oops").unwrap();
        assert!(file.load().unwrap_err().to_string().contains("line 2"));
    }
}
