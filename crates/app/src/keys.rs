//! Keys: where they are and where they may go. Never what they are.

use std::path::Path;

use catalog::well_known_key;
use serde::Serialize;
use settings::{KeyBinding, KeySource, Keyring, KeyringState};
use values::{Origin, Secret};

use crate::permission::{binding, key_for, parse_origin};
use crate::{App, AppError, ErrorKind, Grants, KEYRING_SERVICE};

/// A key as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct KeyView {
    /// Its name.
    pub name: String,
    /// The only origin that it may be sent to.
    pub origin: Origin,
    /// `keyring`, or the environment variable.
    pub source: String,
    /// Whether a secret is there now; `None` if the keyring does not answer.
    pub is_present: Option<bool>,
}

/// What a test of a key showed.
#[derive(Debug, Clone, Serialize)]
pub struct KeyTest {
    /// The key.
    pub name: String,
    /// Where it was sent.
    pub origin: Origin,
    /// Whether the provider accepted it.
    pub is_accepted: bool,
    /// What the provider said.
    pub message: String,
}

impl App {
    /// Binds a key to an origin, and stores its secret in the keyring if one is given. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if the origin is not known or not one; [`ErrorKind::Permission`] if the
    /// keyring does not take the secret.
    pub fn set_key(
        &self,
        name: &str,
        origin: Option<&str>,
        variable: Option<&str>,
        secret: Option<&Secret>,
    ) -> Result<KeyView, AppError> {
        let origin = key_origin(name, origin)?;
        let source = match (variable, secret) {
            (Some(variable), _) => KeySource::Environment { variable: variable.to_owned() },
            (None, Some(secret)) => {
                keyring().set(name, secret).map_err(|error| keyring_error(&error))?;
                KeySource::Keyring
            }
            (None, None) => return Err(AppError::input("no secret was given")),
        };
        let binding = KeyBinding { origin, source };
        let kept = binding.clone();
        self.settings_file().update(|settings| settings.keys.insert(name.to_owned(), kept))?;
        Ok(self.key_view(name, &binding))
    }

    /// Lists keys that are stored, and well-known ones that the environment holds. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if the settings cannot be read.
    pub fn keys(&self) -> Result<Vec<KeyView>, AppError> {
        let settings = self.settings()?;
        let mut names: Vec<String> = settings.keys.keys().cloned().collect();
        for provider in catalog::built_in_providers().into_values() {
            if let Some(name) = provider.key.filter(|name| !names.contains(name)) {
                let known = well_known_key(&name);
                if known.is_some_and(|known| (self.host.environment)(known.variable).is_some()) {
                    names.push(name);
                }
            }
        }
        let grants = Grants::default();
        let views = names
            .iter()
            .filter_map(|name| Some(self.key_view(name, &binding(&settings, &grants, name)?)));
        Ok(views.collect())
    }

    /// Removes a key and its secret; tells whether there was one. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`] if the keyring does not let go of the secret.
    pub fn remove_key(&self, name: &str) -> Result<bool, AppError> {
        let settings = self.settings()?;
        let stored = settings.keys.get(name);
        if stored.is_some_and(|binding| binding.source == KeySource::Keyring) {
            keyring().remove(name).map_err(|error| keyring_error(&error))?;
        }
        Ok(self.settings_file().update(|settings| settings.keys.remove(name).is_some())?)
    }

    /// Sends the smallest request that shows whether a key is accepted: a list of models.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`] if the key is not there; [`ErrorKind::Input`] if no provider of
    /// the project wants it.
    pub async fn test_key(&self, folder: Option<&Path>, name: &str) -> Result<KeyTest, AppError> {
        let app = self.clone();
        let folder = folder.map(Path::to_owned);
        let key = name.to_owned();
        let (client, origin) = crate::bridge::blocking(move || {
            let project = app.open(folder.as_deref()).ok().map(|(project, _)| project);
            let providers = match &project {
                Some(project) => project.config.providers.clone(),
                None => catalog::built_in_providers(),
            };
            let provider = providers
                .into_values()
                .find(|provider| provider.key.as_deref() == Some(&key))
                .ok_or_else(|| {
                    AppError::input(format!("no provider here wants the key `{key}`"))
                })?;
            let settings = app.settings()?;
            let base_url = provider.base_url.clone().unwrap_or_default();
            let origin = parse_origin(&base_url)?;
            let grants = Grants::default();
            let secret = key_for(&app.host, &settings, &grants, &provider.name, &key, &origin)?;
            let client =
                crate::clients::http_client(&settings, &provider, Some((secret, origin.clone())))?;
            if let Some(project) = project {
                // `doctor` lists every host that is contacted.
                let (store, now) = (app.store(&project)?, (app.host.now)());
                store::wait(|done| store.note_contacts(vec![origin.to_string()], now, done))?;
            }
            Ok::<_, AppError>((client, origin))
        })
        .await?;
        let (is_accepted, message) = match client.probe().await {
            Ok(()) => (true, "the provider accepts the key".to_owned()),
            Err(failure) => match failure.kind {
                run::FailureKind::Authentication | run::FailureKind::Permission => {
                    (false, failure.message)
                }
                _ => return Err(AppError::new(ErrorKind::Provider, failure.message)),
            },
        };
        Ok(KeyTest { name: name.to_owned(), origin, is_accepted, message })
    }

    fn key_view(&self, name: &str, binding: &KeyBinding) -> KeyView {
        let (source, is_present) = match &binding.source {
            KeySource::Keyring => {
                let found = keyring().get(name);
                ("keyring".to_owned(), found.ok().map(|secret| secret.is_some()))
            }
            KeySource::Environment { variable } => {
                (variable.clone(), Some((self.host.environment)(variable).is_some()))
            }
        };
        KeyView { name: name.to_owned(), origin: binding.origin.clone(), source, is_present }
    }
}

/// Returns the only origin that a key of this name would be sent to: the one that is given, else the
/// well-known one.
///
/// # Errors
/// [`ErrorKind::Input`] if none is given and none is known, or it is not one.
pub fn key_origin(name: &str, origin: Option<&str>) -> Result<Origin, AppError> {
    match (origin, well_known_key(name)) {
        (Some(origin), _) => parse_origin(origin),
        (None, Some(known)) => parse_origin(known.origin),
        (None, None) => Err(AppError::input(format!("where may the key `{name}` be sent?"))
            .with_hint("say --origin https://…; only that origin will get it")),
    }
}

/// Tells whether the system's keyring answers. Blocking.
pub(crate) fn keyring_state() -> KeyringState {
    keyring().state()
}

fn keyring() -> Keyring {
    Keyring::new(KEYRING_SERVICE)
}

fn keyring_error(error: &settings::KeyringError) -> AppError {
    let hint = error.hint();
    AppError::new(ErrorKind::Permission, error.to_string()).with_hint(hint)
}
