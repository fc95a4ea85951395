//! Providers and models, and what is known of them.

use std::collections::BTreeSet;
use std::path::Path;

use catalog::Tariff;
use chat::Protocol;
use serde::Serialize;

use crate::permission::binding;
use crate::{App, AppError, Grants};

/// A provider as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct ProviderView {
    /// Its name.
    pub name: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Where it is.
    pub base_url: Option<String>,
    /// The name of the key that it wants.
    pub key: Option<String>,
    /// Whether that key is bound to somewhere.
    pub has_key: bool,
    /// What is known of its models.
    pub models: Vec<ModelView>,
    /// Whether a prompt of the project uses it.
    pub is_used: bool,
}

/// A model as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct ModelView {
    /// Its name.
    pub name: String,
    /// What it costs, in nano-dollars per million tokens; `None` is unknown.
    pub tariff: Option<Tariff>,
    /// Tokens of input and output together.
    pub context_tokens: Option<u64>,
    /// Tokens of output.
    pub max_output_tokens: Option<u64>,
    /// For a model inside this process: whether its file is there.
    pub has_file: Option<bool>,
}

impl App {
    /// Lists providers and models. Sends nothing. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no project, or the settings cannot be read.
    pub fn models(&self, folder: Option<&Path>) -> Result<Vec<ProviderView>, AppError> {
        let (project, _) = self.open(folder)?;
        let settings = self.settings()?;
        let used: Vec<(&str, &str)> = project
            .prompts
            .values()
            .filter_map(|file| {
                let model = file.linked.as_ref()?.prompt().front_matter.model.as_deref()?;
                model.split_once('/')
            })
            .collect();
        let views = project.config.providers.values().map(|provider| {
            let grants = Grants::default();
            let bound = provider.key.as_deref().and_then(|key| binding(&settings, &grants, key));
            let of_prompts = used.iter().filter(|(name, _)| *name == provider.name);
            let mut names: BTreeSet<&str> = of_prompts.map(|(_, model)| *model).collect();
            names.extend(provider.models.keys().map(String::as_str));
            let models = names.into_iter().map(|name| {
                let facts = provider.models.get(name).cloned().unwrap_or_default();
                let local = provider.protocol == Protocol::Embedded;
                let file =
                    settings.model_files.get(name).cloned().unwrap_or_else(|| match &facts.file {
                        Some(file) => project.root.join(file),
                        None => self.host.smollm2_file.clone(),
                    });
                ModelView {
                    name: name.to_owned(),
                    tariff: provider.tariff(name).map(|tariff| Tariff::clone(&tariff)),
                    context_tokens: facts.context_tokens,
                    max_output_tokens: facts.max_output_tokens,
                    has_file: local.then(|| file.is_file()),
                }
            });
            ProviderView {
                name: provider.name.clone(),
                protocol: provider.protocol,
                base_url: provider.base_url.clone(),
                key: provider.key.clone(),
                has_key: bound.is_some(),
                models: models.collect(),
                is_used: used.iter().any(|(name, _)| *name == provider.name),
            }
        });
        Ok(views.collect())
    }
}
