//! Looking at prompts: what they say, what they send, what differs, what they were.

use std::path::Path;

use chat::Request;
use document::{Diagnostic, Severity};
use project::{Project, PromptFile};
use prompt::{LinkedPrompt, PromptDiff};
use serde::Serialize;
use serde_json::Value;
use values::{ContentHash, Timestamp};

use crate::material::{ReadyPrompt, fail_on_errors, read_prompt_body};
use crate::{App, AppError, ErrorKind};

/// A prompt as it is listed and shown.
#[derive(Debug, Clone, Serialize)]
pub struct PromptView {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its version; `None` if it has errors.
    pub version: Option<ContentHash>,
    /// The model that it names.
    pub model: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its front matter.
    pub front_matter: Value,
    /// Its template.
    pub template: String,
    /// The eval sets that run it.
    pub used_in: Vec<String>,
}

/// A variable that a prompt uses.
#[derive(Debug, Clone, Serialize)]
pub struct VariableView {
    /// Its path (`customer.name`).
    pub name: String,
    /// The file of its first use.
    pub file: String,
    /// The line of its first use.
    pub line: u32,
    /// The column of its first use.
    pub column: u32,
    /// Whether its schema makes it optional.
    pub is_optional: bool,
    /// Whether it stands inside a conditional on itself.
    pub is_guarded: bool,
}

/// What a case would send.
#[derive(Debug, Clone, Serialize)]
pub struct RenderedPrompt {
    /// The prompt's version.
    pub version: ContentHash,
    /// The request.
    pub request: Request,
}

/// A version of a prompt in git.
#[derive(Debug, Clone, Serialize)]
pub struct VersionView {
    /// The version; `None` where it had errors.
    pub version: Option<ContentHash>,
    /// The commit.
    pub commit: String,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub time: Timestamp,
    /// The first line of its message.
    pub subject: String,
    /// The prompt's file then.
    pub file: String,
}

impl App {
    /// Lists the prompts of a project. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is no project.
    pub fn prompts(&self, folder: Option<&Path>) -> Result<Vec<PromptView>, AppError> {
        let (project, _) = self.open(folder)?;
        Ok(project.prompts.values().map(|file| view(&project, file)).collect())
    }

    /// Returns one prompt, named `NAME` or `NAME@GITREF`. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is none.
    pub fn prompt(&self, folder: Option<&Path>, name: &str) -> Result<PromptView, AppError> {
        let (project, _) = self.open(folder)?;
        let file = find(&project, name)?;
        Ok(view(&project, &file))
    }

    /// Lists the variables of a prompt. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is no such prompt, or it has errors.
    pub fn prompt_variables(
        &self,
        folder: Option<&Path>,
        name: &str,
    ) -> Result<Vec<VariableView>, AppError> {
        let (project, found) = self.open(folder)?;
        let file = find(&project, name)?;
        let linked = linked(&file, found)?;
        let variables = linked.variables();
        let views = variables.distinct().into_iter().map(|used| VariableView {
            name: used.path.to_string(),
            file: used.file.clone(),
            line: used.position.line,
            column: used.position.column,
            is_optional: used.optional,
            is_guarded: used.guarded,
        });
        Ok(views.collect())
    }

    /// Returns what a case would send. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is no such prompt or case, or they do not fit together.
    pub fn render_prompt(
        &self,
        folder: Option<&Path>,
        name: &str,
        case: &str,
        set: Option<&str>,
    ) -> Result<RenderedPrompt, AppError> {
        let (project, found) = self.open(folder)?;
        let file = find(&project, name)?;
        let linked = linked(&file, found)?;
        let case = find_case(&project, case, set)?;
        let variables = case.variables();
        if let Some(missing) = linked.variables().unbound(&variables).first() {
            let at = missing.position;
            return Err(AppError::input(format!(
                "the case `{}` does not bind `{}`, used at {}:{}:{}",
                case.id, missing.variable, missing.file, at.line, at.column
            )));
        }
        let (tools, found) = linked.tools();
        fail_on_errors(name, found)?;
        let front_matter = &linked.prompt().front_matter;
        let model = front_matter.model.as_deref().unwrap_or("none/none");
        let ready = ReadyPrompt {
            model: model
                .parse()
                .map_err(|error: chat::ParseModelRefError| AppError::input(error.to_string()))?,
            tools,
            linked,
        };
        let request =
            ready.request(variables, 0).map_err(|error| AppError::input(error.to_string()))?;
        Ok(RenderedPrompt { version: ready.linked.version(), request })
    }

    /// Compares two prompts, each a file, `NAME`, `NAME@GITREF`, or the beginning of a version that
    /// a run used. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if one cannot be found or has errors.
    pub fn diff_prompts(
        &self,
        folder: Option<&Path>,
        old: &str,
        new: &str,
    ) -> Result<PromptDiff, AppError> {
        let (project, _) = self.open(folder)?;
        let old = self.any_prompt(&project, old)?;
        let new = self.any_prompt(&project, new)?;
        Ok(prompt::diff(&old, &new))
    }

    /// Lists the versions of a prompt in git, newest first. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is no such prompt, or no git repository.
    pub fn prompt_log(
        &self,
        folder: Option<&Path>,
        name: &str,
    ) -> Result<Vec<VersionView>, AppError> {
        let (project, _) = self.open(folder)?;
        let file = find(&project, name)?;
        let log = project.prompt_log(&file).map_err(|error| AppError::input(error.to_string()))?;
        let views = log.into_iter().map(|one| VersionView {
            version: one.version,
            commit: one.change.commit,
            author: one.change.author,
            time: one.change.time,
            subject: one.change.subject,
            file: one.change.path.to_string_lossy().into_owned(),
        });
        Ok(views.collect())
    }

    fn any_prompt(&self, project: &Project, name: &str) -> Result<LinkedPrompt, AppError> {
        if Path::new(name).extension().is_some_and(|end| end == "prompt")
            && let Some(text) = files::read_text_if_present(Path::new(name))?
        {
            return project.parse_prompt(name, text).map_err(|found| {
                AppError::input(format!("the prompt `{name}` has errors")).with_diagnostics(found)
            });
        }
        match find(project, name) {
            Ok(file) => linked(&file, Vec::new()),
            Err(error) => self.kept_prompt(project, name)?.ok_or(error),
        }
    }

    /// Finds a version that a run used, by the beginning of its hash.
    fn kept_prompt(&self, project: &Project, hash: &str) -> Result<Option<LinkedPrompt>, AppError> {
        let enough = hash.len() >= 6 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !enough {
            return Ok(None);
        }
        let store = self.store(project)?;
        match store.find_contents("prompt", hash, 2)?.as_slice() {
            [] => Ok(None),
            [only] => {
                let body = store.content("prompt", *only)?;
                Ok(body.and_then(|body| read_prompt_body(&body)))
            }
            _ => Err(AppError::input(format!("more than one version begins with `{hash}`"))),
        }
    }
}

fn view(project: &Project, file: &PromptFile) -> PromptView {
    let linked = file.linked.as_ref();
    let prompt = linked.map(LinkedPrompt::prompt);
    let used_in = project
        .eval_sets
        .iter()
        .filter(|name| {
            let set = project.eval_set(name).ok().and_then(|(folder, _)| folder.set);
            set.is_some_and(|set| set.variants.iter().any(|variant| uses(variant, &file.name)))
        })
        .cloned()
        .collect();
    PromptView {
        name: file.name.clone(),
        file: file.path.to_string_lossy().into_owned(),
        version: linked.map(LinkedPrompt::version),
        model: prompt.and_then(|prompt| prompt.front_matter.model.clone()),
        description: prompt.and_then(|prompt| prompt.front_matter.description.clone()),
        front_matter: prompt
            .map(|prompt| Value::Object(prompt.front_matter.raw.clone()))
            .unwrap_or_default(),
        template: prompt.map(prompt::Prompt::template_text).unwrap_or_default(),
        used_in,
    }
}

fn uses(variant: &evalset::VariantSpec, prompt: &str) -> bool {
    matches!(&variant.source, evalset::VariantSource::Prompt(named) if named.name == prompt)
}

fn find(project: &Project, name: &str) -> Result<PromptFile, AppError> {
    let (plain, reference) = match name.rsplit_once('@') {
        Some((plain, reference)) => (plain, Some(reference)),
        None => (name, None),
    };
    let file = project.prompts.get(plain).or_else(|| project.judges.get(plain));
    let file = file.ok_or_else(|| {
        let known: Vec<_> = project.prompts.keys().map(String::as_str).collect();
        AppError::input(format!("there is no prompt `{plain}`"))
            .with_hint(format!("this project has {}", known.join(", ")))
    })?;
    match reference {
        None => Ok(file.clone()),
        Some(reference) => project
            .prompt_at(&file.path, reference)
            .map(|(file, _)| file)
            .map_err(|error| AppError::input(error.to_string())),
    }
}

fn linked(file: &PromptFile, mut found: Vec<Diagnostic>) -> Result<LinkedPrompt, AppError> {
    if let Some(linked) = &file.linked {
        return Ok(linked.clone());
    }
    found.retain(|one| one.severity == Severity::Error && one.file == file.source.name());
    Err(AppError::new(ErrorKind::Input, format!("the prompt `{}` has errors", file.name))
        .with_diagnostics(found))
}

fn find_case(project: &Project, id: &str, set: Option<&str>) -> Result<evalset::Case, AppError> {
    let mut found = Vec::new();
    for name in project.eval_sets.iter().filter(|name| set.is_none_or(|set| set == *name)) {
        let (folder, _) = project.eval_set(name).map_err(|error| crate::open_error(&error))?;
        if let Some(case) = folder.cases.get(id) {
            found.push((name.clone(), case));
        }
    }
    match found.len() {
        1 => Ok(found.remove(0).1),
        0 => Err(AppError::input(format!("there is no case `{id}`"))),
        _ => {
            let sets: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
            Err(AppError::input(format!("more than one eval set has a case `{id}`"))
                .with_hint(format!("say --set; it is in {}", sets.join(", "))))
        }
    }
}
