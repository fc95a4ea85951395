use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use document::{Diagnostic, Severity, SourceText};
use prompt::{LinkedPrompt, Partials, Schemas};

/// A `.prompt` file of the project.
#[derive(Debug, Clone)]
pub struct PromptFile {
    /// Its name: the path below `prompts/` or `judges/` without `.prompt`.
    pub name: String,
    /// Its path inside the project.
    pub path: PathBuf,
    /// Its text.
    pub source: SourceText,
    /// The prompt with its partials; `None` if it has errors.
    pub linked: Option<LinkedPrompt>,
}

/// The prompts of one folder, and what is wrong with them.
pub(crate) struct PromptFolder {
    pub(crate) prompts: BTreeMap<String, PromptFile>,
    pub(crate) partials: Partials,
}

/// Reads every `.prompt` file below a folder of the project.
pub(crate) fn read_folder(
    root: &Path,
    folder: &str,
    inherited: &Partials,
    found: &mut Vec<Diagnostic>,
) -> Result<PromptFolder, files::FileError> {
    let mut paths = Vec::new();
    collect(&root.join(folder), &mut paths, 0)?;
    let mut partials = inherited.clone();
    let mut sources = Vec::new();
    for path in paths {
        let inside = path.strip_prefix(root).unwrap_or(&path).to_owned();
        let name = name_of(&inside, folder);
        let text = match files::read_text(&path) {
            Ok(text) => text,
            Err(error) => {
                found.push(unreadable(&inside, &error));
                continue;
            }
        };
        let source = SourceText::new(inside.to_string_lossy(), text);
        if let Some(name) = partial_name(&name) {
            let (partial, diagnostics) = prompt::parse_partial(&source);
            found.extend(diagnostics);
            partials.extend(partial.map(|partial| (name, Arc::new(partial))));
        } else {
            sources.push((name, inside, source));
        }
    }
    let prompts = sources
        .into_iter()
        .map(|(name, path, source)| {
            let linked = read_prompt(&source, &partials, found);
            (name.clone(), PromptFile { name, path, source, linked })
        })
        .collect();
    Ok(PromptFolder { prompts, partials })
}

/// Parses and links one prompt; `None` if it has an error.
pub(crate) fn read_prompt(
    source: &SourceText,
    partials: &Partials,
    found: &mut Vec<Diagnostic>,
) -> Option<LinkedPrompt> {
    let (parsed, diagnostics) = prompt::parse(source, &Schemas::new());
    let sound = diagnostics.iter().all(|one| one.severity != Severity::Error);
    found.extend(diagnostics);
    let (linked, diagnostics) = prompt::link(parsed?, partials);
    found.extend(diagnostics);
    linked.filter(|_| sound)
}

impl crate::Project {
    /// Reads the text of a prompt that is no file of the project, with the project's partials.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_prompt(&self, name: &str, text: String) -> Result<LinkedPrompt, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let linked = read_prompt(&SourceText::new(name, text), &self.partials, &mut found);
        linked.ok_or(found)
    }
}

/// Folders deeper than this are not searched: a loop of symbolic links ends here.
const DEEPEST: usize = 8;

fn collect(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) -> Result<(), files::FileError> {
    for path in files::list_folder(folder)? {
        if path.is_dir() {
            if depth < DEEPEST {
                collect(&path, found, depth + 1)?;
            }
        } else if path.extension().is_some_and(|end| end == "prompt") {
            found.push(path);
        }
    }
    Ok(())
}

pub(crate) fn name_of(inside: &Path, folder: &str) -> String {
    let below = inside.strip_prefix(folder).unwrap_or(inside);
    let text = below.to_string_lossy().replace('\\', "/");
    text.strip_suffix(".prompt").unwrap_or(&text).to_owned()
}

/// `_tone` is the partial `tone`, `mail/_tone` is `mail/tone`.
pub(crate) fn partial_name(name: &str) -> Option<String> {
    let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
    let file = file.strip_prefix('_')?;
    Some(if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") })
}

/// A diagnostic for a file that could not be read at all.
pub(crate) fn unreadable(inside: &Path, error: &files::FileError) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "unreadable-file".to_owned(),
        message: error.problem.to_string(),
        hint: None,
        file: inside.to_string_lossy().into_owned(),
        span: None,
        position: None,
        excerpt: None,
    }
}
