//! The user's own configuration, outside every project, and the OS keyring.
//!
//! Which name of a key stands for which secret and may go to which origin; which project may send to
//! which origin; which project's programs are trusted; proxy, certificates and model files. A project
//! can ask for all of these and grant none. Blocking. The folder is handed in; this crate looks up no
//! home directory and no environment variable.

mod document;
mod key;
mod os_keyring;
mod store;

pub use document::{Consent, KeyBinding, KeySource, Network, Settings, TrustedBlock};
pub use key::{KeyError, find_secret};
pub use os_keyring::{Keyring, KeyringError, KeyringState};
pub use store::{SettingsError, SettingsFile};
