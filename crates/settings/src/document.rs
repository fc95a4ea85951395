use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use values::{ContentHash, Origin, Timestamp};

/// The format version that this program writes.
pub(crate) const FORMAT: u32 = 1;

/// The user's configuration as one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The format of this document.
    pub format: u32,
    /// Names of keys, where their secrets are, and where they may go.
    pub keys: BTreeMap<String, KeyBinding>,
    /// How the network is reached.
    pub network: Network,
    /// Model files by name, in place of the built-in places.
    pub model_files: BTreeMap<String, PathBuf>,
    /// Which project may send to which origin.
    pub consents: Vec<Consent>,
    /// Which programs of which project may run.
    pub trusted: Vec<TrustedBlock>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: FORMAT,
            keys: BTreeMap::new(),
            network: Network::default(),
            model_files: BTreeMap::new(),
            consents: Vec::new(),
            trusted: Vec::new(),
        }
    }
}

/// A key's secret and the one origin that it may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBinding {
    /// The exact scheme, host and port.
    pub origin: Origin,
    /// Where the secret is.
    pub source: KeySource,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KeySource {
    /// The OS keyring, under the key's name.
    Keyring,
    /// An environment variable of the program.
    Environment {
        /// Its name.
        variable: String,
    },
}

/// How the network is reached. The environment's proxy variables are not read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// The URL of a proxy for all requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// PEM files of certificate authorities to accept besides the system's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_certificates: Vec<PathBuf>,
}

/// The permission of one project to send to one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The project's folder, absolute and without symbolic links.
    pub project: PathBuf,
    /// The origin.
    pub origin: Origin,
    /// When it was given.
    pub at: Timestamp,
}

/// The permission to run the programs that one project declares, exactly as they were shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustedBlock {
    /// The project's folder, absolute and without symbolic links.
    pub project: PathBuf,
    /// The hash of the declarations and of every file in the project that they name.
    pub hash: ContentHash,
    /// The declarations as they were shown, so that a later change can be shown as a difference.
    pub shown: Value,
    /// When it was given.
    pub at: Timestamp,
}

impl Settings {
    /// Returns the settings with relative paths taken from the folder that the settings are in, not
    /// from wherever the program was started: a project could put its own file there.
    #[must_use]
    pub fn with_paths_from(mut self, folder: &std::path::Path) -> Self {
        let places = self.network.ca_certificates.iter_mut().chain(self.model_files.values_mut());
        for path in places {
            // Joining an absolute path gives that path.
            *path = folder.join(&*path);
        }
        self
    }

    /// Tells whether a project may send to an origin. Loopback needs no permission.
    pub fn may_send(&self, project: &std::path::Path, origin: &Origin) -> bool {
        origin.is_loopback()
            || self.consents.iter().any(|given| given.project == project && given.origin == *origin)
    }

    /// Records that a project may send to an origin.
    pub fn allow_origin(&mut self, project: PathBuf, origin: Origin, at: Timestamp) {
        if !self.may_send(&project, &origin) {
            self.consents.push(Consent { project, origin, at });
        }
    }

    /// Returns what is trusted of a project, whatever its hash.
    pub fn trusted_block(&self, project: &std::path::Path) -> Option<&TrustedBlock> {
        self.trusted.iter().find(|block| block.project == project)
    }

    /// Tells whether exactly these declarations of a project are trusted.
    pub fn is_trusted(&self, project: &std::path::Path, hash: ContentHash) -> bool {
        self.trusted_block(project).is_some_and(|block| block.hash == hash)
    }

    /// Trusts a project's declarations in place of earlier ones.
    pub fn trust(&mut self, block: TrustedBlock) {
        self.revoke_trust(&block.project.clone());
        self.trusted.push(block);
    }

    /// Takes all trust in a project back; tells whether there was any.
    pub fn revoke_trust(&mut self, project: &std::path::Path) -> bool {
        let before = self.trusted.len();
        self.trusted.retain(|block| block.project != project);
        self.trusted.len() < before
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    #[test]
    fn relative_paths_lead_from_the_settings_folder() {
        let mut settings = Settings::default();
        settings.network.ca_certificates = vec!["ca.pem".into(), "/etc/ca.pem".into()];
        settings.model_files.insert("m".to_owned(), "models/m.gguf".into());
        let settings = settings.with_paths_from(Path::new("/settings"));
        let certificates = &settings.network.ca_certificates;
        assert_eq!(certificates[0], Path::new("/settings/ca.pem"));
        assert_eq!(certificates[1], Path::new("/etc/ca.pem"));
        assert_eq!(settings.model_files["m"], Path::new("/settings/models/m.gguf"));
    }

    #[test]
    fn consent_is_per_project_and_origin_and_loopback_needs_none() {
        let mut settings = Settings::default();
        let now = Timestamp::from_unix_ms(0);
        settings.allow_origin("/p".into(), origin("https://a.example"), now);
        assert!(settings.may_send(Path::new("/p"), &origin("https://a.example:443/")));
        assert!(!settings.may_send(Path::new("/p"), &origin("https://a.example:8443")));
        assert!(!settings.may_send(Path::new("/p"), &origin("http://a.example")));
        assert!(!settings.may_send(Path::new("/q"), &origin("https://a.example")));
        assert!(settings.may_send(Path::new("/q"), &origin("http://127.0.0.1:9")));
    }

    #[test]
    fn trust_holds_for_one_hash_and_can_be_taken_back() {
        let mut settings = Settings::default();
        let hash = ContentHash::of_bytes(b"one");
        let at = Timestamp::from_unix_ms(0);
        settings.trust(TrustedBlock { project: "/p".into(), hash, shown: Value::Null, at });
        assert!(settings.is_trusted(Path::new("/p"), hash));
        assert!(!settings.is_trusted(Path::new("/p"), ContentHash::of_bytes(b"two")));
        assert!(settings.revoke_trust(Path::new("/p")));
        assert!(!settings.is_trusted(Path::new("/p"), hash));
    }
}
