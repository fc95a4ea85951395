use values::{Origin, Secret};

use crate::{KeyBinding, KeySource, Keyring, KeyringError};

/// A key cannot be used for an origin.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key may go elsewhere only.
    #[error("the key `{name}` may only be sent to {bound}, not to {wanted}")]
    OtherOrigin {
        /// The key.
        name: String,
        /// Where it may go.
        bound: Origin,
        /// Where the project wants to send it.
        wanted: Origin,
    },
    /// Nothing is stored under the name.
    #[error("no secret is stored for the key `{name}`")]
    Missing {
        /// The key.
        name: String,
    },
    /// The environment variable is not set.
    #[error("the key `{name}` is read from the environment variable {variable}, which is not set")]
    VariableMissing {
        /// The key.
        name: String,
        /// The variable.
        variable: String,
    },
    /// The keyring could not be asked.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

/// Returns a key's secret for sending to `wanted`, and for nothing else.
///
/// The origin is checked before the secret is looked up. `environment` answers for the program's
/// environment variables; an empty variable counts as not set.
///
/// # Errors
/// [`KeyError`]; nothing was sent anywhere.
pub fn find_secret(
    name: &str,
    binding: &KeyBinding,
    wanted: &Origin,
    keyring: &Keyring,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Secret, KeyError> {
    if binding.origin != *wanted {
        return Err(KeyError::OtherOrigin {
            name: name.to_owned(),
            bound: binding.origin.clone(),
            wanted: wanted.clone(),
        });
    }
    match &binding.source {
        KeySource::Keyring => {
            keyring.get(name)?.ok_or_else(|| KeyError::Missing { name: name.to_owned() })
        }
        KeySource::Environment { variable } => environment(variable)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .map(Secret::new)
            .ok_or_else(|| KeyError::VariableMissing {
                name: name.to_owned(),
                variable: variable.clone(),
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(origin: &str) -> KeyBinding {
        KeyBinding {
            origin: origin.parse().unwrap(),
            source: KeySource::Environment { variable: "CANARY".to_owned() },
        }
    }

    #[test]
    fn a_swapped_base_url_is_refused_before_the_secret_is_looked_up() {
        let asked = std::cell::Cell::new(false);
        let environment = |_: &str| {
            asked.set(true);
            Some("sk-canary".to_owned())
        };
        let wanted = "https://evil.example".parse().unwrap();
        let refused = find_secret(
            "openai",
            &binding("https://api.openai.com"),
            &wanted,
            &Keyring::new("trysquare-test"),
            &environment,
        );
        assert!(matches!(refused, Err(KeyError::OtherOrigin { .. })));
        assert!(!asked.get());
    }

    #[test]
    fn an_empty_variable_is_not_a_key() {
        let origin = "https://a.example".parse().unwrap();
        let keyring = Keyring::new("trysquare-test");
        let find = |value: Option<&str>| {
            let value = value.map(str::to_owned);
            find_secret("k", &binding("https://a.example"), &origin, &keyring, &move |_| {
                value.clone()
            })
        };
        assert_eq!(find(Some(" sk \n")).unwrap().expose(), "sk");
        assert!(matches!(find(Some("")), Err(KeyError::VariableMissing { .. })));
        assert!(matches!(find(None), Err(KeyError::VariableMissing { .. })));
    }
}
