//! Which version of a prompt an environment uses: pinning, listing, and writing what a service loads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chat::{ModelRef, Tool};
use evalset::{Baseline, BaselineSource};
use project::{Pin, PinOverride, Project};
use prompt::LinkedPrompt;
use serde::Serialize;
use serde_json::{Map, Value};
use values::{ContentHash, Id, Timestamp};

use crate::material::{self, read_prompt_body};
use crate::{App, AppError};

/// A version that a person wants an environment to use.
#[derive(Debug, Clone)]
pub struct PinRequest {
    /// The prompt.
    pub prompt: String,
    /// The version: its hash, or at least 12 digits of it.
    pub version: String,
    /// The environment.
    pub environment: String,
    /// Why it is pinned although no committed baseline names it.
    pub override_reason: Option<String>,
}

/// A pin as it is listed, and as it was set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PinView {
    /// The environment.
    pub environment: String,
    /// The prompt.
    pub prompt: String,
    /// The version as `trysquare.yaml` holds it.
    pub version: String,
    /// The committed baselines that name this version.
    pub approved_by: Vec<Approval>,
    /// Why it was pinned without one.
    pub override_reason: Option<String>,
    /// Whether the files of today have this version.
    pub is_current: bool,
}

/// A baseline that names a version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Approval {
    /// The eval set.
    pub eval_set: String,
    /// The variant.
    pub variant: String,
    /// The hash of prompt version, model and config together.
    pub variant_hash: ContentHash,
    /// The run.
    pub run: Id,
    /// When it was accepted.
    pub accepted: Timestamp,
}

/// What a service loads of a pinned prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedPrompt {
    /// The format of this document; 1 today.
    pub format: u32,
    /// The environment.
    pub environment: String,
    /// The prompt.
    pub name: String,
    /// Its version.
    pub version: ContentHash,
    /// The model that was approved with it.
    pub model: ModelRef,
    /// The sampling configuration, what was approved with it laid over the prompt's own.
    pub config: Map<String, Value>,
    /// What its variables are, as JSON Schema.
    pub input_schema: Option<Value>,
    /// The values of variables that a caller leaves out.
    pub input_default: Map<String, Value>,
    /// What it answers: `text` or `json`.
    pub output_format: Option<String>,
    /// What a JSON answer looks like, as JSON Schema.
    pub output_schema: Option<Value>,
    /// The functions that the model may call.
    pub tools: Vec<Tool>,
    /// The template, with LF line ends.
    pub template: String,
    /// The templates of the partials that it reaches, by name.
    pub partials: BTreeMap<String, String>,
    /// The whole `.prompt` file.
    pub source: String,
    /// The baselines that name this version.
    pub approved_by: Vec<Approval>,
    /// Why it was pinned without one.
    pub override_reason: Option<String>,
}

impl App {
    /// Pins a version of a prompt in `trysquare.yaml`. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if no committed baseline names the version and the request gives no
    /// reason; if the version is not known at all; if the file cannot be edited.
    pub fn pin(&self, folder: Option<&Path>, request: &PinRequest) -> Result<PinView, AppError> {
        let (project, _) = self.open(folder)?;
        let (name, version) = (&request.prompt, &request.version);
        check_names(request)?;
        let committed = project.committed_baselines();
        let baselines = committed.as_deref().unwrap_or_default();
        let approved: BTreeSet<ContentHash> = baselines
            .iter()
            .filter_map(|(_, baseline)| version_of(baseline, name))
            .filter(|one| one.to_string().starts_with(version.as_str()))
            .collect();
        let reason = request.override_reason.as_deref().map(str::trim);
        let (hash, overridden) = match (approved.iter().next(), reason) {
            (Some(hash), _) => (*hash, None),
            (None, Some(reason)) if !reason.is_empty() => {
                let found = self.find_version(&project, name, version)?;
                let at = Some((self.host.now)());
                (found.version(), Some(PinOverride { reason: reason.to_owned(), at }))
            }
            (None, _) => {
                let why = committed.as_ref().err().map(ToString::to_string);
                return Err(not_approved(name, version, baselines, why));
            }
        };
        let hash = hash.to_string();
        let (text, snapshot) = project
            .with_pin(&request.environment, name, &hash, overridden.as_ref())
            .map_err(|error| AppError::input(format!("trysquare.yaml: {error}")))?;
        files::write_unless_changed(&snapshot, text.as_bytes())?;
        let pin = Pin {
            version: hash,
            span: document::Span::default(),
            name_span: document::Span::default(),
            overridden,
        };
        Ok(view(&project, baselines, &request.environment, name, &pin))
    }

    /// Lists the pins of an environment, or of all. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such environment.
    pub fn pins(
        &self,
        folder: Option<&Path>,
        environment: Option<&str>,
    ) -> Result<Vec<PinView>, AppError> {
        let (project, _) = self.open(folder)?;
        if let Some(environment) = environment {
            known_environment(&project, environment)?;
        }
        let committed = project.committed_baselines().unwrap_or_default();
        let wanted = project
            .config
            .environments
            .iter()
            .filter(|(name, _)| environment.is_none_or(|wanted| wanted == *name));
        let views = wanted.flat_map(|(environment, pins)| {
            let committed = &committed;
            let project = &project;
            pins.iter().map(move |(name, pin)| view(project, committed, environment, name, pin))
        });
        Ok(views.collect())
    }

    /// Returns what a service loads in an environment: every pinned prompt with the model and config
    /// that were approved with it. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such environment, a version is found nowhere, or
    /// baselines approve it with different models.
    pub fn export_prompts(
        &self,
        folder: Option<&Path>,
        environment: &str,
    ) -> Result<Vec<ExportedPrompt>, AppError> {
        let (project, _) = self.open(folder)?;
        let pins = known_environment(&project, environment)?;
        pins.iter().map(|(name, pin)| self.exported(&project, environment, name, pin)).collect()
    }

    /// Writes [`App::export_prompts`] into a folder, one JSON file a prompt; returns the files.
    /// Blocking.
    ///
    /// # Errors
    /// Those of [`App::export_prompts`]; [`crate::ErrorKind::Input`] if a file cannot be written.
    pub fn export_prompts_to(
        &self,
        folder: Option<&Path>,
        environment: &str,
        target: &Path,
    ) -> Result<Vec<PathBuf>, AppError> {
        let mut written = Vec::new();
        for prompt in self.export_prompts(folder, environment)? {
            let path = target.join(format!("{}.json", prompt.name));
            if let Some(parent) = path.parent() {
                files::create_folder(parent)?;
            }
            let mut text = serde_json::to_string_pretty(&prompt)
                .map_err(|error| AppError::input(error.to_string()))?;
            text.push('\n');
            files::write_atomic(&path, text.as_bytes())?;
            written.push(path);
        }
        Ok(written)
    }

    fn exported(
        &self,
        project: &Project,
        environment: &str,
        name: &str,
        pin: &Pin,
    ) -> Result<ExportedPrompt, AppError> {
        let linked = self.find_version(project, name, &pin.version)?;
        let version = linked.version();
        let approving = approving(project, name, version);
        let (model, config) = approved_settings(name, &linked, &approving)?;
        let (tools, found) = linked.tools();
        material::fail_on_errors(name, found)?;
        let front_matter = linked.prompt().front_matter.clone();
        let mut merged = front_matter.config;
        merged.extend(config);
        let partials = linked.partials().iter();
        Ok(ExportedPrompt {
            format: 1,
            environment: environment.to_owned(),
            name: name.to_owned(),
            version,
            model,
            config: merged,
            input_schema: front_matter.input.schema,
            input_default: front_matter.input.default,
            output_format: front_matter.output.format,
            output_schema: front_matter.output.schema,
            tools,
            template: linked.prompt().template_text(),
            partials: partials.map(|(name, one)| (name.clone(), one.template_text())).collect(),
            source: linked.prompt().source().text().to_owned(),
            approved_by: approving.iter().map(|(set, one)| approval(set, one)).collect(),
            override_reason: pin.overridden.as_ref().map(|one| one.reason.clone()),
        })
    }

    /// Finds a version in the files, in git's history, or among those that runs used.
    fn find_version(
        &self,
        project: &Project,
        name: &str,
        version: &str,
    ) -> Result<LinkedPrompt, AppError> {
        if let Some(found) = project.pinned(name, version) {
            return Ok(found.linked);
        }
        let store = self.store(project)?;
        for hash in store.find_contents("prompt", version, 2)? {
            let linked = store.content("prompt", hash)?.and_then(|body| read_prompt_body(&body));
            let own = Path::new("prompts").join(format!("{name}.prompt"));
            let is_own = |linked: &LinkedPrompt| Path::new(linked.prompt().source().name()) == own;
            if let Some(linked) = linked.filter(is_own) {
                return Ok(linked);
            }
        }
        Err(AppError::input(format!(
            "neither the files, git's history nor the record of runs have the version {} of `{name}`",
            version.chars().take(12).collect::<String>()
        ))
        .with_hint(format!("`trysquare prompt log {name}` lists the versions in git")))
    }
}

fn check_names(request: &PinRequest) -> Result<(), AppError> {
    let version = &request.version;
    let hex = version.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if !hex || !(12..=64).contains(&version.len()) {
        let message = format!("found `{version}` as a version, expected 12 to 64 hex digits");
        return Err(AppError::input(message)
            .with_hint("`trysquare prompt list` and `trysquare baseline show` print versions"));
    }
    let environment = &request.environment;
    if environment.trim().is_empty() || environment.chars().any(char::is_control) {
        return Err(AppError::input("the environment needs a name"));
    }
    Ok(())
}

fn not_approved(
    name: &str,
    version: &str,
    baselines: &[(String, Baseline)],
    why: Option<String>,
) -> AppError {
    let short: String = version.chars().take(12).collect();
    if let Some(why) = why {
        return AppError::input(format!("what is committed cannot be read: {why}")).with_hint(
            "a pin needs a committed baseline.json that names it, or --override REASON",
        );
    }
    let known: Vec<String> = baselines
        .iter()
        .filter_map(|(set, one)| Some(format!("{} ({set})", version_of(one, name)?.short())))
        .collect();
    let message = format!("no committed baseline names the version {short} of `{name}`");
    let hint = if known.is_empty() {
        "accept a run of it with `trysquare baseline accept` and commit baseline.json, or say \
         --override REASON"
            .to_owned()
    } else {
        format!(
            "committed baselines name {}; --override REASON pins it all the same",
            known.join(", ")
        )
    };
    AppError::input(message).with_hint(hint)
}

fn known_environment<'p>(
    project: &'p Project,
    environment: &str,
) -> Result<&'p project::EnvironmentPins, AppError> {
    let environments = &project.config.environments;
    environments.get(environment).ok_or_else(|| {
        let known: Vec<_> = environments.keys().map(String::as_str).collect();
        let hint = if known.is_empty() {
            "`trysquare pin NAME@VERSION --env ENVIRONMENT` makes one".to_owned()
        } else {
            format!("trysquare.yaml has {}", known.join(", "))
        };
        AppError::input(format!("there is no environment `{environment}`")).with_hint(hint)
    })
}

/// Returns the version of a prompt that a baseline names.
fn version_of(baseline: &Baseline, name: &str) -> Option<ContentHash> {
    match &baseline.variant.source {
        BaselineSource::Prompt { prompt, version, .. } if prompt == name => Some(*version),
        _ => None,
    }
}

fn approval(set: &str, baseline: &Baseline) -> Approval {
    Approval {
        eval_set: set.to_owned(),
        variant: baseline.variant.name.clone(),
        variant_hash: baseline.variant.hash,
        run: baseline.run,
        accepted: baseline.accepted,
    }
}

fn view(
    project: &Project,
    baselines: &[(String, Baseline)],
    environment: &str,
    name: &str,
    pin: &Pin,
) -> PinView {
    let approving = baselines
        .iter()
        .filter(|(_, baseline)| version_of(baseline, name).is_some_and(|one| pin.is_of(&one)));
    let current = project.prompts.get(name).and_then(|file| file.linked.as_ref());
    PinView {
        environment: environment.to_owned(),
        prompt: name.to_owned(),
        version: pin.version.clone(),
        approved_by: approving.map(|(set, baseline)| approval(set, baseline)).collect(),
        override_reason: pin.overridden.as_ref().map(|one| one.reason.clone()),
        is_current: current.is_some_and(|linked| pin.is_of(&linked.version())),
    }
}

/// Returns the baselines that name a version: those of the last commit, else the newest of each set
/// in history, since a pin may stay behind what is approved by now.
fn approving(project: &Project, name: &str, version: ContentHash) -> Vec<(String, Baseline)> {
    let names_it = |baseline: &Baseline| version_of(baseline, name) == Some(version);
    let mut found = project.committed_baselines().unwrap_or_default();
    found.retain(|(_, baseline)| names_it(baseline));
    if found.is_empty() {
        for set in &project.eval_sets {
            found.extend(project.baseline_once(set, names_it).map(|one| (set.clone(), one)));
        }
    }
    found
}

/// The model and the config that were approved with a version; its own where nothing was.
fn approved_settings(
    name: &str,
    linked: &LinkedPrompt,
    approving: &[(String, Baseline)],
) -> Result<(ModelRef, Map<String, Value>), AppError> {
    let mut settings: Vec<(ModelRef, Map<String, Value>)> = Vec::new();
    for (_, baseline) in approving {
        if let BaselineSource::Prompt { model, config, .. } = &baseline.variant.source {
            let one = (model.clone(), config.as_object().cloned().unwrap_or_default());
            if !settings.contains(&one) {
                settings.push(one);
            }
        }
    }
    match settings.len() {
        0 => Ok((material::stated_model(name, linked)?, Map::new())),
        1 => Ok(settings.remove(0)),
        _ => {
            let sets: Vec<_> = approving.iter().map(|(set, _)| set.as_str()).collect();
            Err(AppError::input(format!(
                "the baselines of {} approve `{name}` with different models or configs",
                sets.join(", ")
            ))
            .with_hint("accept runs of one variant in all of them, and commit the baselines"))
        }
    }
}
