//! Prompts as they were at a commit.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use document::{Diagnostic, SourceText};
use prompt::Partials;
use values::ContentHash;

use crate::git::{files_at, versions_of};
use crate::prompts::{name_of, partial_name, read_prompt};
use crate::{FileVersion, GitError, Project, PromptFile, content_at, file_versions};

/// A commit at which a prompt became another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptVersion {
    /// The commit, and the prompt's path there.
    pub change: FileVersion,
    /// The prompt's version; `None` where it had errors.
    pub version: Option<ContentHash>,
}

impl Project {
    /// Returns the versions that a prompt or judge has had in git, the newest first.
    ///
    /// Renames are followed. A commit that changed only a partial which the prompt reaches today is
    /// there too; one that changed nothing that counts (a comment, a display key) is not.
    ///
    /// # Errors
    /// [`GitError`]
    pub fn prompt_log(&self, file: &PromptFile) -> Result<Vec<PromptVersion>, GitError> {
        let own = file_versions(&self.root, &file.path)?;
        let Some(oldest) = own.last().map(|change| change.commit.clone()) else {
            return Ok(Vec::new());
        };
        let own_paths: HashMap<_, _> =
            own.into_iter().map(|change| (change.commit, change.path)).collect();
        let partials = file.linked.iter().flat_map(|linked| linked.partials().values());
        let mut paths: BTreeSet<_> =
            partials.map(|partial| PathBuf::from(partial.source().name())).collect();
        paths.extend(own_paths.values().cloned());
        let mut changes = versions_of(&self.root, &paths)?;
        // What a partial was before the prompt existed says nothing about it.
        if let Some(at) = changes.iter().position(|change| change.commit == oldest) {
            changes.truncate(at + 1);
        }
        let mut path = file.path.clone();
        for change in changes.iter_mut().rev() {
            if let Some(own) = own_paths.get(&change.commit) {
                path.clone_from(own);
            }
            change.path.clone_from(&path);
        }
        let mut versions: Vec<PromptVersion> = Vec::with_capacity(changes.len());
        for change in changes.into_iter().rev() {
            let (at, _) = self.prompt_at(&change.path, &change.commit)?;
            let version = at.linked.map(|linked| linked.version());
            let same =
                versions.last().is_some_and(|last| last.version == version && version.is_some());
            if !same {
                versions.push(PromptVersion { change, version });
            }
        }
        versions.reverse();
        Ok(versions)
    }

    /// Returns the prompt at a path as it was at a commit, with the partials of that commit.
    ///
    /// # Errors
    /// [`GitError`], also where the file did not exist.
    pub fn prompt_at(
        &self,
        path: &Path,
        reference: &str,
    ) -> Result<(PromptFile, Vec<Diagnostic>), GitError> {
        let text = content_at(&self.root, path, reference)?;
        let mut partials = Partials::new();
        // A judge sees the prompts' partials, and its own folder's before them.
        for folder in ["prompts", "judges"] {
            if folder == "judges" && !path.starts_with(folder) {
                continue;
            }
            for file in files_at(&self.root, folder, reference)? {
                if let Some(name) = partial_name(&name_of(&file, folder)) {
                    let text = content_at(&self.root, &file, reference)?;
                    let source = SourceText::new(file.to_string_lossy(), text);
                    partials.extend(
                        prompt::parse_partial(&source).0.map(|partial| (name, Arc::new(partial))),
                    );
                }
            }
        }
        let folder =
            path.components().next().map_or(PathBuf::new(), |first| first.as_os_str().into());
        let name = name_of(path, &folder.to_string_lossy());
        let source = SourceText::new(path.to_string_lossy(), text);
        let mut found = Vec::new();
        let linked = read_prompt(&source, &partials, &mut found);
        Ok((PromptFile { name, path: path.to_owned(), source, linked }, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::Repository;

    #[test]
    fn a_log_names_what_became_another_version_and_nothing_else() {
        let repository = Repository::new();
        repository.commit("trysquare.yaml", "", "Start");
        repository.commit("prompts/_tone.prompt", "Be kind.", "Add a tone");
        repository.commit("prompts/a.prompt", "---\nmodel: x/y\n---\n{{>tone}} {{q}}", "Add a");
        repository.commit(
            "prompts/a.prompt",
            "---\n# why\nmodel: x/y\n---\n{{>tone}} {{q}}",
            "Comment",
        );
        repository.commit("prompts/_tone.prompt", "Be brief.", "Another tone");
        repository.commit("prompts/a.prompt", "{{>tone}} {{#if}", "Break it");
        repository.commit("prompts/a.prompt", "{{>tone}} {{q}}?", "Mend it");
        let (project, _) = Project::open(&repository.root).unwrap();
        let log = project.prompt_log(&project.prompts["a"]).unwrap();
        let subjects: Vec<_> = log.iter().map(|one| one.change.subject.as_str()).collect();
        assert_eq!(subjects, ["Mend it", "Break it", "Another tone", "Add a"]);
        assert!(log[1].version.is_none());
        let now = project.prompts["a"].linked.as_ref().unwrap().version();
        assert_eq!(log[0].version, Some(now));
        let (then, _) = project.prompt_at(Path::new("prompts/a.prompt"), "HEAD~3").unwrap();
        assert_eq!(
            (then.name.as_str(), then.linked.map(|one| one.version())),
            ("a", log[3].version)
        );
    }
}
