//! The cache of responses.

use std::path::Path;

use store::CacheStats;

use crate::{App, AppError};

impl App {
    /// Tells what the cache of a project holds. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`].
    pub fn cache_stats(&self, folder: Option<&Path>) -> Result<CacheStats, AppError> {
        let (project, _) = self.open(folder)?;
        Ok(self.store(&project)?.cache_stats()?)
    }

    /// Removes every cached response; tells how many there were. What runs recorded stays. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`].
    pub fn clear_cache(&self, folder: Option<&Path>) -> Result<u64, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        Ok(store::wait(|done| store.clear_cache(done))?)
    }
}
