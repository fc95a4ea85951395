//! What the person has to allow before a project may send or run anything.

use std::collections::BTreeMap;
use std::path::Path;

use catalog::{ProviderSettings, well_known_key};
use settings::{KeyBinding, KeySource, Settings};
use values::{ContentHash, Origin, Secret};

use crate::{AppError, ErrorKind, Host};

/// What one command line grants, for itself only.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Origins that the project may send to.
    pub origins: Vec<Origin>,
    /// Keys and where they may go.
    pub keys: BTreeMap<String, KeyBinding>,
    /// The hash of the programs that are trusted.
    pub trust: Option<ContentHash>,
}

impl Grants {
    /// Reads `--allow-origin` and `--allow-key` arguments.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming the argument that cannot be read.
    pub fn parse(
        origins: &[String],
        keys: &[String],
        trust: Option<&str>,
    ) -> Result<Self, AppError> {
        let origins = origins.iter().map(|text| parse_origin(text)).collect::<Result<_, _>>()?;
        let keys = keys.iter().map(|text| parse_key(text)).collect::<Result<_, _>>()?;
        let trust = trust
            .map(str::parse::<ContentHash>)
            .transpose()
            .map_err(|error| AppError::input(error.to_string()))?;
        Ok(Self { origins, keys, trust })
    }
}

/// Reads an origin as a person types it.
///
/// # Errors
/// [`ErrorKind::Input`].
pub fn parse_origin(text: &str) -> Result<Origin, AppError> {
    text.parse().map_err(|error: values::ParseOriginError| {
        AppError::input(error.to_string()).with_hint("for example https://api.openai.com")
    })
}

/// `NAME=ORIGIN[,env=VARIABLE]`
fn parse_key(text: &str) -> Result<(String, KeyBinding), AppError> {
    let bad = || {
        AppError::input(format!("`{text}` does not bind a key"))
            .with_hint("for example --allow-key openai=https://api.openai.com,env=OPENAI_API_KEY")
    };
    let (name, rest) = text.split_once('=').ok_or_else(bad)?;
    let (origin, source) = match rest.split_once(",env=") {
        Some((origin, variable)) if !variable.is_empty() => {
            (origin, KeySource::Environment { variable: variable.to_owned() })
        }
        Some(_) => return Err(bad()),
        None => (rest, KeySource::Keyring),
    };
    if name.is_empty() {
        return Err(bad());
    }
    Ok((name.to_owned(), KeyBinding { origin: parse_origin(origin)?, source }))
}

/// Something that the person has not allowed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The project wants to send to an origin.
    Origin {
        /// The origin.
        origin: Origin,
        /// The provider or target that is there.
        provider: String,
        /// The key that would go with it.
        key: Option<String>,
    },
    /// The project wants to run programs.
    Trust {
        /// The hash of their declarations.
        hash: ContentHash,
        /// The hash that this command trusts instead, which is outdated.
        given: Option<ContentHash>,
    },
}

impl Missing {
    /// Returns the error that says what is missing and how to allow it.
    pub fn error(&self) -> AppError {
        match self {
            Self::Origin { origin, provider, key } => {
                let with = key.as_ref().map_or(String::new(), |key| format!(" with the key `{key}`"));
                AppError::new(
                    ErrorKind::Permission,
                    format!("this project has not been allowed to send to {origin} ({provider}{with})"),
                )
                .with_hint(format!("allow it for this command with --allow-origin {origin}"))
            }
            Self::Trust { hash, given: Some(given) } => AppError::new(
                ErrorKind::Permission,
                format!(
                    "--trust {} is outdated or mistyped: what this project wants to run is {} now",
                    given.short(),
                    hash.short()
                ),
            )
            .with_hint(format!(
                "review the change with `trysquare trust --show`; then: --trust {hash}"
            )),
            Self::Trust { hash, given: None } => AppError::new(
                ErrorKind::Permission,
                "the programs that this project declares are not trusted on this machine",
            )
            .with_hint(format!(
                "review them with `trysquare trust`; scripts say --trust {hash} after `trysquare trust --show`"
            )),
        }
    }
}

/// Tells what a provider still needs before this project may send to it.
pub(crate) fn missing_origin(
    settings: &Settings,
    grants: &Grants,
    project: &Path,
    provider: &ProviderSettings,
) -> Result<Option<Missing>, AppError> {
    let Some(origin) = provider.origin() else { return Ok(None) };
    let origin = origin.map_err(|error| AppError::input(error.to_string()))?;
    if settings.may_send(project, &origin) || grants.origins.contains(&origin) {
        return Ok(None);
    }
    let (provider, key) = (provider.name.clone(), provider.key.clone());
    Ok(Some(Missing::Origin { origin, provider, key }))
}

/// Returns where a key comes from: this command's grant, the user's settings, or what is well known.
pub(crate) fn binding(settings: &Settings, grants: &Grants, name: &str) -> Option<KeyBinding> {
    if let Some(binding) = grants.keys.get(name).or_else(|| settings.keys.get(name)) {
        return Some(binding.clone());
    }
    let known = well_known_key(name)?;
    Some(KeyBinding {
        origin: known.origin.parse().expect("the table holds origins"),
        source: KeySource::Environment { variable: known.variable.to_owned() },
    })
}

/// Returns the secret of a provider's key for its origin; `None` if it wants none.
///
/// Blocking: the keyring may be asked.
pub(crate) fn secret_for(
    host: &Host,
    settings: &Settings,
    grants: &Grants,
    provider: &ProviderSettings,
) -> Result<Option<(Secret, Origin)>, AppError> {
    let (Some(key), Some(origin)) = (&provider.key, provider.origin()) else { return Ok(None) };
    let origin = origin.map_err(|error| AppError::input(error.to_string()))?;
    let secret = key_for(host, settings, grants, &provider.name, key, &origin)?;
    Ok(Some((secret, origin)))
}

/// Returns the secret of a key that `wanted_by` wants to send to an origin. Blocking.
pub(crate) fn key_for(
    host: &Host,
    settings: &Settings,
    grants: &Grants,
    wanted_by: &str,
    name: &str,
    origin: &Origin,
) -> Result<Secret, AppError> {
    let Some(binding) = binding(settings, grants, name) else {
        return Err(AppError::new(
            ErrorKind::Permission,
            format!("`{wanted_by}` wants the key `{name}`, which is not stored"),
        )
        .with_hint(format!("store it with `trysquare key set {name} --origin {origin}`")));
    };
    let keyring = settings::Keyring::new(crate::KEYRING_SERVICE);
    settings::find_secret(name, &binding, origin, &keyring, &*host.environment).map_err(|error| {
        let hint = match &error {
            settings::KeyError::OtherOrigin { wanted, .. } => format!(
                "if you trust {wanted} with this key: trysquare key set {name} --origin {wanted}"
            ),
            settings::KeyError::Keyring(error) => error.hint().to_owned(),
            _ => format!("store it with `trysquare key set {name}`, or set the variable"),
        };
        AppError::new(ErrorKind::Permission, error.to_string()).with_hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_grant_names_key_origin_and_variable() {
        let grants = Grants::parse(
            &["https://a.example".to_owned()],
            &["k=https://a.example,env=A_KEY".to_owned()],
            None,
        )
        .unwrap();
        assert_eq!(
            grants.keys["k"].source,
            KeySource::Environment { variable: "A_KEY".to_owned() }
        );
        for bad in ["k", "=https://a.example", "k=a.example", "k=https://a.example,env="] {
            assert!(Grants::parse(&[], &[bad.to_owned()], None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_grant_goes_before_the_settings_and_they_before_the_well_known() {
        let own = |origin: &str| KeyBinding {
            origin: origin.parse().unwrap(),
            source: KeySource::Keyring,
        };
        let (mut settings, mut grants) = (Settings::default(), Grants::default());
        let origin = |settings: &Settings, grants: &Grants| {
            binding(settings, grants, "openai").unwrap().origin.to_string()
        };
        assert_eq!(origin(&settings, &grants), "https://api.openai.com");
        settings.keys.insert("openai".to_owned(), own("https://b.example"));
        assert_eq!(origin(&settings, &grants), "https://b.example");
        grants.keys.insert("openai".to_owned(), own("https://c.example"));
        assert_eq!(origin(&settings, &grants), "https://c.example");
        assert_eq!(binding(&settings, &grants, "unknown"), None);
    }
}
