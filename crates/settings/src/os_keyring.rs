use keyring::{Entry, Error};
use values::Secret;

/// The OS keyring, under one service name. Blocking: call it from a thread that may wait.
#[derive(Debug, Clone)]
pub struct Keyring {
    service: String,
}

/// Whether the keyring can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyringState {
    /// It answers.
    Available,
    /// This system offers none: no Secret Service on the session bus, or no bus at all.
    Absent {
        /// What the system said.
        reason: String,
    },
}

/// The keyring did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is none.
    #[error("this system has no keyring that answers: {reason}")]
    Absent {
        /// What the system said.
        reason: String,
    },
    /// It is there but does not let us in.
    #[error("the keyring is locked or refuses access: {reason}")]
    Locked {
        /// What the system said.
        reason: String,
    },
    /// It failed otherwise.
    #[error("the keyring failed: {reason}")]
    Failed {
        /// What the system said.
        reason: String,
    },
}

impl KeyringError {
    /// Returns what the person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Absent { .. } => {
                "start a keyring (on Linux: gnome-keyring or KWallet), or let the key come from an \
                 environment variable: `trysquare key set NAME --env VARIABLE`"
            }
            Self::Locked { .. } => "unlock the keyring and try again",
            Self::Failed { .. } => "try again, or use `trysquare key set NAME --env VARIABLE`",
        }
    }
}

impl Keyring {
    /// Names the service under which secrets are kept.
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into() }
    }

    /// Asks whether the keyring can be used. The answer holds for the life of the process.
    pub fn state(&self) -> KeyringState {
        match Entry::store_status() {
            Ok(()) => KeyringState::Available,
            Err(error) => KeyringState::Absent { reason: error.to_string() },
        }
    }

    /// Returns the secret under a name, `None` if there is none.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn get(&self, name: &str) -> Result<Option<Secret>, KeyringError> {
        match self.entry(name)?.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    /// Stores a secret under a name, in place of an earlier one.
    ///
    /// # Errors
    /// [`KeyringError`]; nothing was stored.
    pub fn set(&self, name: &str, secret: &Secret) -> Result<(), KeyringError> {
        self.entry(name)?.set_password(secret.expose()).map_err(|error| failure(&error))
    }

    /// Removes the secret under a name; tells whether there was one.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn remove(&self, name: &str) -> Result<bool, KeyringError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(failure(&error)),
        }
    }

    fn entry(&self, name: &str) -> Result<Entry, KeyringError> {
        if let KeyringState::Absent { reason } = self.state() {
            return Err(KeyringError::Absent { reason });
        }
        Entry::new(&self.service, name).map_err(|error| failure(&error))
    }
}

fn failure(error: &Error) -> KeyringError {
    let reason = error.to_string();
    match error {
        Error::NoDefaultStore => KeyringError::Absent { reason },
        Error::NoStorageAccess(_) => KeyringError::Locked { reason },
        _ => KeyringError::Failed { reason },
    }
}
