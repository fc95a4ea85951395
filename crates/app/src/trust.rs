//! Trust in the programs and model files that a project declares.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use settings::TrustedBlock;
use values::{ContentHash, Origin};

use crate::{App, AppError};

/// What a project wants to run, and what was trusted before.
#[derive(Debug, Clone, Serialize)]
pub struct TrustView {
    /// The hash that trust is given to.
    pub hash: ContentHash,
    /// The declarations, whole.
    pub shown: Value,
    /// Whether there is nothing to trust.
    pub is_empty: bool,
    /// Whether exactly this is trusted.
    pub is_trusted: bool,
    /// What was trusted before, if it differs.
    pub before: Option<Value>,
}

impl App {
    /// Returns what a project wants to run. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a file that it names cannot be read.
    pub fn trust_view(&self, folder: Option<&Path>) -> Result<TrustView, AppError> {
        let (project, _) = self.open(folder)?;
        let block = project.trust_block()?;
        let settings = self.settings()?;
        let is_trusted = settings.is_trusted(&project.root, block.hash);
        let before = settings.trusted_block(&project.root).map(|block| block.shown.clone());
        Ok(TrustView {
            hash: block.hash,
            is_empty: block.is_empty(),
            is_trusted,
            before: before.filter(|_| !is_trusted),
            shown: block.shown,
        })
    }

    /// Trusts what a project wants to run, if it still has this hash. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if it changed meanwhile.
    pub fn trust(&self, folder: Option<&Path>, hash: ContentHash) -> Result<(), AppError> {
        let (project, _) = self.open(folder)?;
        let block = project.trust_block()?;
        if block.hash != hash {
            return Err(AppError::input(format!(
                "the hash {} is outdated or mistyped: what this project wants to run is {} now",
                hash.short(),
                block.hash.short()
            ))
            .with_hint(format!(
                "review the change with `trysquare trust --show`; then: trysquare trust --hash {}",
                block.hash
            )));
        }
        let at = (self.host.now)();
        let trusted = TrustedBlock { project: project.root, hash, shown: block.shown, at };
        Ok(self.settings_file().update(|settings| settings.trust(trusted))?)
    }

    /// Takes trust in a project back; tells whether there was any. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the settings cannot be written.
    pub fn revoke_trust(&self, folder: Option<&Path>) -> Result<bool, AppError> {
        let (project, _) = self.open(folder)?;
        Ok(self.settings_file().update(|settings| settings.revoke_trust(&project.root))?)
    }

    /// Remembers that a project may send to an origin. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the settings cannot be written.
    pub fn allow_origin(&self, folder: Option<&Path>, origin: Origin) -> Result<(), AppError> {
        let (project, _) = self.open(folder)?;
        let at = (self.host.now)();
        Ok(self
            .settings_file()
            .update(|settings| settings.allow_origin(project.root, origin, at))?)
    }
}
