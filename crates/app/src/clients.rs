//! The clients of a run: one for each provider, made once the person has allowed it.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::ProviderSettings;
use chat::{ModelRef, Protocol};
use project::Project;
use provider::{BoundKey, Client, HttpClient, Network};
use settings::Settings;
use values::{Origin, Secret};

use crate::permission::secret_for;
use crate::{AppError, ErrorKind, Host, Sending};

/// Clients by what [`client_key`] returns.
pub(crate) type Clients = BTreeMap<String, Arc<dyn Client>>;

/// Returns the name under which the client of a model is kept: one for each provider, but one for
/// each model inside this process.
pub(crate) fn client_key(provider: &ProviderSettings, model: &ModelRef) -> String {
    match provider.protocol {
        Protocol::Embedded => model.to_string(),
        _ => provider.name.clone(),
    }
}

/// Whether clients will send, or only prepare calls (a plan, a replay).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Calls are prepared and sent.
    Send,
    /// Calls are prepared only: no key, no consent and no model file is needed.
    Prepare,
}

/// Makes the client of one model. Blocking: a keyring or a model file may be read.
pub(crate) fn connect(
    host: &Host,
    settings: &Settings,
    sending: &Sending,
    project: &Project,
    provider: &ProviderSettings,
    model: &ModelRef,
    purpose: Purpose,
) -> Result<Arc<dyn Client>, AppError> {
    if provider.protocol == Protocol::Embedded {
        let sending = (purpose == Purpose::Send).then_some(sending);
        return crate::embedded::connect(host, settings, sending, project, provider, &model.model);
    }
    let key = match purpose {
        Purpose::Send => secret_for(host, settings, &sending.grants, provider)?,
        Purpose::Prepare => None,
    };
    Ok(Arc::new(http_client(settings, provider, key)?))
}

/// Makes an HTTP client that sends its key, if it has one, to the key's origin only.
pub(crate) fn http_client(
    settings: &Settings,
    provider: &ProviderSettings,
    key: Option<(Secret, Origin)>,
) -> Result<HttpClient, AppError> {
    let key = key.map(|(secret, origin)| BoundKey { secret, origin });
    HttpClient::new(provider.clone(), &network(settings)?, key).map_err(|error| {
        AppError::new(ErrorKind::Input, format!("the provider `{}`: {error}", provider.name))
    })
}

/// Returns how the network is reached, by the person's own settings.
pub(crate) fn network(settings: &Settings) -> Result<Network, AppError> {
    let mut network = Network { proxy: settings.network.proxy.clone(), ..Network::default() };
    for path in &settings.network.ca_certificates {
        network.extra_ca_pem.extend(files::read_bytes(path)?);
    }
    Ok(network)
}
