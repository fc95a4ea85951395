use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use values::{Id, Timestamp};

/// Answers for environment variables by name.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a program lends to the application: everything that a library may not look up itself.
#[derive(Clone)]
pub struct Host {
    /// The folder of the user's settings.
    pub settings_folder: PathBuf,
    /// Where the file of the built-in model is, or would be.
    pub smollm2_file: PathBuf,
    /// Answers for environment variables.
    pub environment: Environment,
    /// Tells the time.
    pub now: fn() -> Timestamp,
    /// Gives random bytes for ids.
    pub random: fn() -> [u8; 10],
}

impl Host {
    /// Makes a new id.
    pub fn new_id(&self) -> Id {
        Id::new((self.now)(), (self.random)())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("settings_folder", &self.settings_folder)
            .finish_non_exhaustive()
    }
}
