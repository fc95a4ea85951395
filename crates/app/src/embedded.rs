//! Models inside this process.

use std::path::Path;
use std::sync::Arc;

use catalog::{ProviderSettings, SMOLLM2};
use provider::Client;
use settings::Settings;

use crate::{AppError, Host};

/// Makes the client of one model file. The file is read at the first call, so that planning and
/// replay need none.
#[cfg(feature = "embedded-model")]
pub(crate) fn connect(
    host: &Host,
    settings: &Settings,
    root: &Path,
    provider: &ProviderSettings,
    model: &str,
) -> Result<Arc<dyn Client>, AppError> {
    use provider::embedded::{EmbeddedModel, EmbeddedOptions, ModelFile};

    let facts = provider.models.get(model).ok_or_else(|| unknown(provider, model))?;
    let chosen = settings.model_files.get(model);
    let path = match (chosen, &facts.file) {
        (Some(path), _) => path.clone(),
        (None, Some(file)) => root.join(file),
        (None, None) if model == SMOLLM2 => host.smollm2_file.clone(),
        (None, None) => {
            return Err(AppError::input(format!("the model `{model}` names no file"))
                .with_hint("add `file:` to it in trysquare.yaml, or a path in the settings"));
        }
    };
    let sha256 = match facts.sha256 {
        Some(stated) => stated,
        None => files::hash_file(&path)?,
    };
    let file = ModelFile { name: model.to_owned(), path, sha256 };
    let options = EmbeddedOptions { parallel: provider.concurrency, ..EmbeddedOptions::default() };
    Ok(Arc::new(EmbeddedModel::new(file, options)))
}

/// Says that this build runs no models.
#[cfg(not(feature = "embedded-model"))]
pub(crate) fn connect(
    _host: &Host,
    _settings: &Settings,
    _root: &Path,
    provider: &ProviderSettings,
    model: &str,
) -> Result<Arc<dyn Client>, AppError> {
    if !provider.models.contains_key(model) {
        return Err(unknown(provider, model));
    }
    Err(AppError::input("this program was built without the embedded model")
        .with_hint("build it with the feature `embedded-model`"))
}

fn unknown(provider: &ProviderSettings, model: &str) -> AppError {
    let known: Vec<_> = provider.models.keys().map(String::as_str).collect();
    AppError::input(format!("there is no embedded model `{model}`")).with_hint(format!(
        "known are {}; others are declared under `providers.embedded.models`, {SMOLLM2} needs no \
         declaration",
        known.join(", ")
    ))
}
