//! What a run is made of: the eval set, its cases, and each variant ready to be rendered.
//!
//! A new run takes it from the project's files and keeps a copy of every version in the store; a
//! resumed or re-scored run takes it from there, so that it is the same whatever the files say now.

use chat::{ModelRef, Request, Tool, ToolChoice};
use document::{Diagnostic, Severity, SourceText};
use evalset::{CaseFile, Defaults, EvalSet, VariantSpec};
use project::{EvalSetFolder, Project};
use prompt::{LinkedPrompt, Partials, RenderInput, Schemas};
use run::{RunHeader, Variant, VariantSource};
use serde_json::{Map, Value, json};
use store::{Content, SETTINGS_KIND, Store};
use values::{ContentHash, Timestamp};

use crate::target::{describe, description_hash};
use crate::{AppError, ErrorKind};

/// How many versions are handed to the store at once, so that a large set is not copied whole. What
/// one page kept is of use without the others: a version stands for itself.
const KEPT_AT_ONCE: usize = 4_000;

/// What a run is made of.
#[derive(Debug)]
pub(crate) struct Material {
    /// The eval set's name.
    pub(crate) set_name: String,
    /// The text of its `evalset.yaml`.
    pub(crate) set_source: SourceText,
    /// What it says.
    pub(crate) set: EvalSet,
    /// The cases.
    pub(crate) cases: CaseFile,
    /// The variants, in the order of the columns.
    pub(crate) variants: Vec<ReadyVariant>,
}

/// A variant that can make outputs.
#[derive(Debug)]
pub(crate) struct ReadyVariant {
    /// The record of it.
    pub(crate) variant: Variant,
    /// How its requests are made; `None` for outputs that were made elsewhere.
    pub(crate) maker: Maker,
}

/// How a variant's requests are made.
#[derive(Debug)]
pub(crate) enum Maker {
    /// A prompt is rendered.
    Prompt(Box<ReadyPrompt>),
    /// The case goes to a target.
    Target(ReadyTarget),
    /// Nothing is made.
    Nothing,
}

/// A target by name.
#[derive(Debug)]
pub(crate) struct ReadyTarget {
    /// Its name in `trysquare.yaml`.
    pub(crate) name: String,
    /// What is declared under it, for the store's copy; `None` where it comes from there.
    pub(crate) described: Option<Value>,
}

/// A prompt with everything that a request needs besides the case.
#[derive(Debug)]
pub(crate) struct ReadyPrompt {
    pub(crate) linked: LinkedPrompt,
    pub(crate) model: ModelRef,
    pub(crate) tools: Vec<Tool>,
}

impl ReadyPrompt {
    /// Tells whether a template names media, which may be files. Values are never rendered again, so
    /// no case can.
    pub(crate) fn may_send_media(&self) -> bool {
        let mut partials = self.linked.partials().values();
        self.linked.prompt().template_text().contains("media")
            || partials.any(|partial| partial.template_text().contains("media"))
    }

    /// Makes the request of a case. The seed of repetitions differs, so that they are repetitions.
    pub(crate) fn request(
        &self,
        variables: Map<String, Value>,
        sample: u32,
    ) -> Result<Request, prompt::RenderError> {
        let input = RenderInput { variables, ..RenderInput::default() };
        let rendered = self.linked.render(&input)?;
        let front_matter = &self.linked.prompt().front_matter;
        let mut sampling = front_matter.sampling.clone();
        sampling.seed = sampling.seed.map(|seed| seed.wrapping_add(u64::from(sample)));
        Ok(Request {
            model: self.model.clone(),
            messages: rendered.to_messages(),
            tools: self.tools.clone(),
            tool_choice: ToolChoice::Auto,
            output: front_matter.output.to_format(),
            sampling,
        })
    }
}

impl Material {
    /// Takes the material of a new run from the project's files.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] with diagnostics if a variant cannot be made ready.
    pub(crate) fn from_files(
        project: &Project,
        folder: EvalSetFolder,
        only: &[String],
    ) -> Result<Self, AppError> {
        let set = folder.set.ok_or_else(|| {
            AppError::input(format!("the eval set `{}` cannot be read", folder.name))
        })?;
        for name in only {
            if set.variant(name).is_none() {
                let known: Vec<_> = set.variants.iter().map(|one| one.name.as_str()).collect();
                return Err(AppError::input(format!("there is no variant `{name}`"))
                    .with_hint(format!("this eval set has {}", known.join(", "))));
            }
        }
        let chosen = set.variants.iter().filter(|one| only.is_empty() || only.contains(&one.name));
        let variants =
            chosen.map(|spec| ready_from_files(project, spec)).collect::<Result<Vec<_>, _>>()?;
        if variants.is_empty() {
            return Err(AppError::input(format!("the eval set `{}` has no variants", folder.name))
                .with_hint("add `variants:` to its evalset.yaml"));
        }
        Ok(Self {
            set_name: folder.name,
            set_source: folder.source,
            set,
            cases: folder.cases,
            variants,
        })
    }

    /// Takes the material of an earlier run from the store's copies. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`] if a copy is missing or cannot be read.
    pub(crate) fn from_store(store: &Store, header: &RunHeader) -> Result<Self, AppError> {
        let text = kept(store, "evalset", header.eval_set_hash)?;
        let name = format!("evalsets/{}/evalset.yaml", header.eval_set);
        let (set, _) = EvalSet::read(&name, text.clone());
        let set = set.ok_or_else(|| unreadable("the eval set"))?;
        let cases = store.run_cases(header.id)?;
        let mut rows = String::new();
        for (id, hash) in cases {
            let mut row: Map<String, Value> = serde_json::from_str(&kept(store, "case", hash)?)
                .map_err(|_| unreadable("a case"))?;
            row.insert("id".to_owned(), Value::String(id));
            rows += &Value::Object(row).to_string();
            rows.push('\n');
        }
        let (cases, _) = CaseFile::read("cases of the run", rows);
        let variants = header
            .variants
            .iter()
            .map(|variant| ready_from_store(store, variant))
            .collect::<Result<_, _>>()?;
        let set_name = header.eval_set.clone();
        Ok(Self { set_name, set_source: SourceText::new(name, text), set, cases, variants })
    }

    /// Keeps copies of every version that the run uses in the store: the eval set, its settings, the
    /// prompts, and these cases, given with the hash of their content. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`] if they cannot be written.
    pub(crate) fn keep<'c>(
        &self,
        store: &Store,
        set_hash: ContentHash,
        cases: impl IntoIterator<Item = (&'c str, ContentHash)>,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let mut page = vec![
            content("evalset", set_hash, self.set_source.text().to_owned()),
            settings_version(&self.set_source),
        ];
        for ready in &self.variants {
            page.extend(prompt_version(ready));
            if let Maker::Target(ReadyTarget { described: Some(described), .. }) = &ready.maker {
                page.push(content("target", description_hash(described), described.to_string()));
            }
        }
        for (id, hash) in cases {
            page.extend(self.cases.get(id).map(|case| content("case", hash, case.to_row())));
            if page.len() >= KEPT_AT_ONCE {
                let full = std::mem::take(&mut page);
                store::wait(|done| store.keep_contents(full, now, done))?;
            }
        }
        Ok(store::wait(|done| store.keep_contents(page, now, done))?)
    }
}

/// Keeps copies of the prompts of judges in the store. Blocking.
///
/// # Errors
/// [`ErrorKind::Record`] if they cannot be written.
pub(crate) fn keep_prompts(
    store: &Store,
    judges: &[ReadyVariant],
    now: Timestamp,
) -> Result<(), AppError> {
    let versions = judges.iter().filter_map(prompt_version).collect();
    Ok(store::wait(|done| store.keep_contents(versions, now, done))?)
}

fn prompt_version(ready: &ReadyVariant) -> Option<Content> {
    match (&ready.maker, &ready.variant.source) {
        (Maker::Prompt(prompt), VariantSource::Prompt { version, .. }) => {
            Some(content("prompt", *version, prompt_body(&prompt.linked)))
        }
        _ => None,
    }
}

fn content(kind: &str, hash: ContentHash, body: String) -> Content {
    Content { kind: kind.to_owned(), hash, body }
}

/// Returns the copy of an `evalset.yaml` under its own hash.
pub(crate) fn settings_version(source: &SourceText) -> Content {
    let body = source.text().to_owned();
    let hash = ContentHash::of_bytes(body.as_bytes());
    Content { kind: SETTINGS_KIND.to_owned(), hash, body }
}

/// Reads the settings by which the scores of a run that count were given, with the project's
/// defaults for what they leave open. Blocking.
///
/// # Errors
/// [`ErrorKind::Record`] if the copy is missing or cannot be read.
pub(crate) fn counting_settings(
    store: &Store,
    header: &RunHeader,
    defaults: &Defaults,
) -> Result<EvalSet, AppError> {
    let text = match store.counting(header.id)?.settings {
        Some(settings) => kept(store, SETTINGS_KIND, settings)?,
        // A run of an older program: the settings with which its checks were first kept.
        None => kept(store, "evalset", header.eval_set_hash)?,
    };
    let (set, _) = EvalSet::read("evalset.yaml", text);
    let mut set = set.ok_or_else(|| unreadable("the eval set"))?;
    set.apply_defaults(defaults);
    Ok(set)
}

pub(crate) fn kept(store: &Store, kind: &str, hash: ContentHash) -> Result<String, AppError> {
    store.content(kind, hash)?.ok_or_else(|| {
        AppError::new(
            ErrorKind::Record,
            format!("the database has no copy of {kind} {}", hash.short()),
        )
    })
}

fn unreadable(what: &str) -> AppError {
    AppError::new(ErrorKind::Record, format!("the database's copy of {what} cannot be read"))
        .with_hint("start a new run from the files")
}

fn prompt_body(linked: &LinkedPrompt) -> String {
    let prompt = linked.prompt();
    let partials: Map<String, Value> = linked
        .partials()
        .iter()
        .map(|(name, partial)| (name.clone(), Value::String(partial.template_text())))
        .collect();
    json!({
        "format": 1,
        "path": prompt.source().name(),
        "source": prompt.source().text(),
        "partials": partials,
    })
    .to_string()
}

/// Reads a copy of a prompt that [`prompt_body`] wrote.
pub(crate) fn read_prompt_body(body: &str) -> Option<LinkedPrompt> {
    let value: Value = serde_json::from_str(body).ok()?;
    let mut partials = Partials::new();
    for (name, text) in value.get("partials")?.as_object()? {
        let source = SourceText::new(name.clone(), text.as_str()?);
        partials.insert(name.clone(), prompt::parse_partial(&source).0?.into());
    }
    let source = SourceText::new(value.get("path")?.as_str()?, value.get("source")?.as_str()?);
    let (parsed, _) = prompt::parse(&source, &Schemas::new());
    prompt::link(parsed?, &partials).0
}

fn ready_from_files(project: &Project, spec: &VariantSpec) -> Result<ReadyVariant, AppError> {
    let name = match &spec.source {
        evalset::VariantSource::Target(target) => {
            return ready_target(project, spec.name.clone(), target.name.clone());
        }
        evalset::VariantSource::Prompt(prompt) => &prompt.name,
    };
    let file = project.prompts.get(name).ok_or_else(|| {
        let known: Vec<_> = project.prompts.keys().map(String::as_str).collect();
        AppError::input(format!(
            "the variant `{}` names the prompt `{name}`, which does not exist",
            spec.name
        ))
        .with_hint(format!("prompts/ has {}", known.join(", ")))
    })?;
    let linked = file.linked.clone().ok_or_else(|| {
        AppError::input(format!("the prompt `{name}` has errors"))
            .with_hint("`trysquare validate` lists them")
    })?;
    ready_prompt(spec.name.clone(), name, linked, spec.model.clone(), &spec.config)
}

fn ready_target(
    project: &Project,
    variant: String,
    target: String,
) -> Result<ReadyVariant, AppError> {
    let described = describe(project, &target)?;
    let declaration = description_hash(&described);
    let content = json!({"target": target, "declaration": declaration});
    let hash = ContentHash::of_document("trysquare-variant-v1", &content);
    let source = VariantSource::Target { target: target.clone(), declaration: Some(declaration) };
    let maker = Maker::Target(ReadyTarget { name: target, described: Some(described) });
    Ok(ReadyVariant { variant: Variant { name: variant, source, hash }, maker })
}

pub(crate) fn ready_from_store(store: &Store, variant: &Variant) -> Result<ReadyVariant, AppError> {
    match &variant.source {
        VariantSource::Target { target, .. } => {
            let maker = Maker::Target(ReadyTarget { name: target.clone(), described: None });
            Ok(ReadyVariant { variant: variant.clone(), maker })
        }
        VariantSource::Outputs { .. } => {
            Ok(ReadyVariant { variant: variant.clone(), maker: Maker::Nothing })
        }
        VariantSource::Prompt { prompt, version, model, config } => {
            let body = kept(store, "prompt", *version)?;
            let linked = read_prompt_body(&body).ok_or_else(|| unreadable("a prompt"))?;
            let none = Map::new();
            let config = config.as_object().unwrap_or(&none);
            let mut ready =
                ready_prompt(variant.name.clone(), prompt, linked, Some(model.clone()), config)?;
            ready.variant = variant.clone();
            Ok(ready)
        }
    }
}

pub(crate) fn ready_prompt(
    variant: String,
    name: &str,
    linked: LinkedPrompt,
    model: Option<ModelRef>,
    config: &Map<String, Value>,
) -> Result<ReadyVariant, AppError> {
    let version = linked.version();
    let model = match model {
        Some(model) => model,
        None => stated_model(name, &linked)?,
    };
    let source = VariantSource::Prompt {
        prompt: name.to_owned(),
        version,
        model: model.clone(),
        config: Value::Object(config.clone()),
    };
    let hash = ContentHash::of_document(
        "trysquare-variant-v1",
        &json!({"prompt": version, "model": model, "config": config}),
    );
    let linked = with_config(linked, config)?;
    let (tools, found) = linked.tools();
    fail_on_errors(name, found)?;
    let maker = Maker::Prompt(Box::new(ReadyPrompt { linked, model, tools }));
    Ok(ReadyVariant { variant: Variant { name: variant, source, hash }, maker })
}

/// Returns the model that a prompt names.
pub(crate) fn stated_model(name: &str, linked: &LinkedPrompt) -> Result<ModelRef, AppError> {
    let Some(text) = &linked.prompt().front_matter.model else {
        return Err(AppError::input(format!("the prompt `{name}` names no model"))
            .with_hint("add `model: provider/model` to its front matter, or to the variant"));
    };
    text.parse().map_err(|error: chat::ParseModelRefError| {
        AppError::input(format!("the prompt `{name}`: {error}"))
    })
}

fn with_config(
    linked: LinkedPrompt,
    config: &Map<String, Value>,
) -> Result<LinkedPrompt, AppError> {
    if config.is_empty() {
        return Ok(linked);
    }
    let mut options = Map::new();
    options.insert("config".to_owned(), Value::Object(config.clone()));
    let (prompt, found) = linked.prompt().with_options(&options, &Schemas::new());
    fail_on_errors(prompt.source().name(), found)?;
    let (relinked, found) = prompt::link(prompt, linked.partials());
    relinked.ok_or_else(|| AppError::input("the prompt cannot be linked").with_diagnostics(found))
}

/// Refuses a prompt in which errors were found.
pub(crate) fn fail_on_errors(name: &str, found: Vec<Diagnostic>) -> Result<(), AppError> {
    if found.iter().all(|one| one.severity != Severity::Error) {
        return Ok(());
    }
    Err(AppError::input(format!("the prompt `{name}` cannot be used")).with_diagnostics(found))
}
