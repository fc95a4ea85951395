//! Models inside this process.

#[cfg(feature = "embedded-model")]
use std::path::PathBuf;
use std::sync::Arc;

use catalog::{ProviderSettings, SMOLLM2};
use chat::Protocol;
use project::Project;
use provider::Client;
use settings::Settings;
#[cfg(feature = "embedded-model")]
use values::ContentHash;

#[cfg(feature = "embedded-model")]
use crate::target::missing_trust;
use crate::{AppError, Grants, Host, Sending};

/// Tells whether a model comes from a file that the project names, so that it needs trust: native
/// code reads it. A file of the user's own settings, and the built-in model's, need none.
pub(crate) fn is_from_project(
    settings: &Settings,
    provider: &ProviderSettings,
    model: &str,
) -> bool {
    let facts = provider.models.get(model);
    provider.protocol == Protocol::Embedded
        && facts.is_some_and(|facts| facts.file.is_some())
        && !settings.model_files.contains_key(model)
}

/// Makes the client of one model file. The file is read at the first call, so that planning and
/// replay need none.
///
/// `sending` is that of a command that will send; then a file that the project names must be trusted,
/// and must be the one that was trusted when it is loaded.
#[cfg(feature = "embedded-model")]
pub(crate) fn connect(
    host: &Host,
    settings: &Settings,
    sending: Option<&Sending>,
    project: &Project,
    provider: &ProviderSettings,
    model: &str,
) -> Result<Arc<dyn Client>, AppError> {
    use provider::embedded::{EmbeddedModel, EmbeddedOptions};

    let facts = provider.models.get(model).ok_or_else(|| unknown(provider, model))?;
    let file =
        model_file(host, settings, sending.map(|one| &one.grants), project, provider, model)?;
    // Calls that run at once share a batch, and their sums come out in another order.
    let concurrency = sending.and_then(|sending| sending.concurrency);
    let usual = EmbeddedOptions::default();
    let request_tokens = facts
        .context_tokens
        .and_then(|tokens| u32::try_from(tokens).ok())
        .and_then(std::num::NonZeroU32::new);
    let options = EmbeddedOptions {
        parallel: concurrency.unwrap_or(provider.concurrency),
        context_tokens: request_tokens
            .map_or(usual.context_tokens, |most| most.max(usual.context_tokens)),
        request_tokens,
        ..usual
    };
    Ok(Arc::new(EmbeddedModel::new(file, options)))
}

/// Opens the tokenizer of a model, for counting what its prompts take. Blocking: reads the whole file.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if the file is not here, or is the project's and not trusted.
#[cfg(feature = "embedded-model")]
pub(crate) fn tokenizer(
    host: &Host,
    settings: &Settings,
    grants: &Grants,
    project: &Project,
    provider: &ProviderSettings,
    model: &str,
) -> Result<PromptTokenizer, AppError> {
    let file = model_file(host, settings, Some(grants), project, provider, model)?;
    PromptTokenizer::open(&file).map_err(|failure| AppError::input(failure.to_string()))
}

/// Says that this build has no tokenizers of files.
#[cfg(not(feature = "embedded-model"))]
pub(crate) fn tokenizer(
    _host: &Host,
    _settings: &Settings,
    _grants: &Grants,
    _project: &Project,
    _provider: &ProviderSettings,
    _model: &str,
) -> Result<PromptTokenizer, AppError> {
    Err(without_models())
}

/// Counts the tokens of calls to a model inside this process.
#[cfg(feature = "embedded-model")]
pub(crate) use provider::embedded::GgufTokenizer as PromptTokenizer;

/// Never made: this build has no models.
#[cfg(not(feature = "embedded-model"))]
pub(crate) enum PromptTokenizer {}

#[cfg(not(feature = "embedded-model"))]
impl PromptTokenizer {
    pub(crate) fn count_prompt_tokens(&self, _call: &run::Call) -> Result<u64, run::Failure> {
        match *self {}
    }
}

/// Returns the file of a model. With `grants` it is to be opened, so that one that the project names must
/// be trusted.
#[cfg(feature = "embedded-model")]
fn model_file(
    host: &Host,
    settings: &Settings,
    grants: Option<&Grants>,
    project: &Project,
    provider: &ProviderSettings,
    model: &str,
) -> Result<provider::embedded::ModelFile, AppError> {
    let facts = provider.models.get(model).ok_or_else(|| unknown(provider, model))?;
    let (path, trusted) = match (settings.model_files.get(model), &facts.file) {
        (Some(path), _) => (path.clone(), None),
        (None, Some(file)) => match grants {
            Some(grants) => trusted_file(settings, grants, project, provider, model, file)?,
            // Not loaded, but hashed where no hash is stated.
            None if facts.sha256.is_none() => (inside(project, model, file)?, None),
            None => (project.root.join(file), None),
        },
        (None, None) if model == SMOLLM2 => (host.smollm2_file.clone(), None),
        (None, None) => {
            return Err(AppError::input(format!("the model `{model}` names no file"))
                .with_hint("add `file:` to it in trysquare.yaml, or a path in the settings"));
        }
    };
    let sha256 = match trusted.or(facts.sha256) {
        Some(known) => known,
        None => files::hash_file(&path)?,
    };
    Ok(provider::embedded::ModelFile { name: model.to_owned(), path, sha256 })
}

/// Returns a model file of the project and the SHA-256 under which it is trusted.
#[cfg(feature = "embedded-model")]
fn trusted_file(
    settings: &Settings,
    grants: &Grants,
    project: &Project,
    provider: &ProviderSettings,
    model: &str,
    file: &str,
) -> Result<(PathBuf, Option<ContentHash>), AppError> {
    let path = inside(project, model, file)?;
    let block = project.trust_block()?;
    if let Some(missing) = missing_trust(settings, grants, &project.root, &block) {
        return Err(missing.error());
    }
    Ok((path, block.models.get(&format!("{}/{model}", provider.name)).copied()))
}

/// Returns the path of a model file that the project names, which must be a file inside it.
#[cfg(feature = "embedded-model")]
fn inside(project: &Project, model: &str, file: &str) -> Result<PathBuf, AppError> {
    project::resolve_inside(&project.root, file).map_err(|error| {
        AppError::input(format!("the file of the model `{model}`: {error}")).with_hint(format!(
            "a file outside the project is named in your own settings, under `model_files`: `{model}`"
        ))
    })
}

/// Says that this build runs no models.
#[cfg(not(feature = "embedded-model"))]
pub(crate) fn connect(
    _host: &Host,
    _settings: &Settings,
    _sending: Option<&Sending>,
    _project: &Project,
    provider: &ProviderSettings,
    model: &str,
) -> Result<Arc<dyn Client>, AppError> {
    if !provider.models.contains_key(model) {
        return Err(unknown(provider, model));
    }
    Err(without_models())
}

#[cfg(not(feature = "embedded-model"))]
fn without_models() -> AppError {
    AppError::input("this program was built without the embedded model")
        .with_hint("build it with the feature `embedded-model`")
}

fn unknown(provider: &ProviderSettings, model: &str) -> AppError {
    let known: Vec<_> = provider.models.keys().map(String::as_str).collect();
    AppError::input(format!("there is no embedded model `{model}`")).with_hint(format!(
        "known are {}; others are declared under `providers.embedded.models`, {SMOLLM2} needs no \
         declaration",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_the_project_names_needs_trust() {
        let mut provider = catalog::built_in_providers().remove(catalog::EMBEDDED).unwrap();
        let mut settings = Settings::default();
        assert!(!is_from_project(&settings, &provider, SMOLLM2));
        let facts = catalog::ModelFacts { file: Some("m.gguf".to_owned()), ..Default::default() };
        provider.models.insert("mine".to_owned(), facts);
        assert!(is_from_project(&settings, &provider, "mine"));
        settings.model_files.insert("mine".to_owned(), "/models/mine.gguf".into());
        assert!(!is_from_project(&settings, &provider, "mine"));
    }
}
