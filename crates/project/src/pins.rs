//! The versions that environments use: finding them, and pinning one.

use std::path::{Path, PathBuf};

use document::SourceText;
use document::edit::{self, EditError, Step};
use files::Snapshot;
use prompt::LinkedPrompt;
use serde_json::{Value, json};

use crate::{PinOverride, Project, PromptFile};

/// A version of a prompt that was found.
#[derive(Debug, Clone)]
pub struct FoundPrompt {
    /// The prompt.
    pub linked: LinkedPrompt,
    /// The commit that has it; `None` if the files of today have it.
    pub commit: Option<String>,
}

impl Project {
    /// Returns a version of a prompt, by the beginning of its hash, from the files of today or else
    /// from git's history. Where there is no repository, history is empty.
    pub fn pinned(&self, name: &str, version: &str) -> Option<FoundPrompt> {
        let is_it = |linked: &LinkedPrompt| linked.version().to_string().starts_with(version);
        let file = self.prompts.get(name);
        if let Some(linked) = file.and_then(|file| file.linked.as_ref()).filter(|one| is_it(one)) {
            return Some(FoundPrompt { linked: linked.clone(), commit: None });
        }
        // A prompt that was removed has a history all the same.
        let removed = || PromptFile {
            name: name.to_owned(),
            path: Path::new("prompts").join(format!("{name}.prompt")),
            source: SourceText::new("", ""),
            linked: None,
        };
        let file = file.cloned().unwrap_or_else(removed);
        let log = self.prompt_log(&file).unwrap_or_default();
        let then = log
            .into_iter()
            .find(|one| one.version.is_some_and(|one| one.to_string().starts_with(version)))?;
        let (at, _) = self.prompt_at(&then.change.path, &then.change.commit).ok()?;
        let linked = at.linked.filter(is_it)?;
        Some(FoundPrompt { linked, commit: Some(then.change.commit) })
    }

    /// Returns the text of `trysquare.yaml` with a pin set, every other byte as it was, and what the
    /// file held. The reason of an earlier override goes with the pin that it explained.
    ///
    /// # Errors
    /// [`EditError`] if the text cannot hold the pin without changing something else.
    pub fn with_pin(
        &self,
        environment: &str,
        name: &str,
        version: &str,
        overridden: Option<&PinOverride>,
    ) -> Result<(String, Snapshot), EditError> {
        let source = self.config.source.text();
        let path = |last| ["environments", environment, last, name].map(Step::Key);
        let mut text = edit::set(source, &path("prompts"), &json!(version))?;
        let explained = self
            .config
            .environments
            .get(environment)
            .and_then(|pins| pins.get(name))
            .is_some_and(|pin| pin.overridden.is_some());
        if let Some(overridden) = overridden {
            let at = overridden.at.map_or(Value::Null, |at| json!(at.to_string()));
            let reason = json!({"reason": overridden.reason, "at": at});
            text = edit::set(&text, &path("overrides"), &reason)?;
        } else if explained {
            let rest = self.config.environments[environment].values();
            let only = rest.filter(|pin| pin.overridden.is_some()).count() == 1;
            let whole = path("overrides");
            text = edit::remove(&text, if only { &whole[..3] } else { &whole })?;
        }
        let file: PathBuf = self.root.join("trysquare.yaml");
        Ok((text, Snapshot::of(&file, source.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use values::Timestamp;

    use super::*;
    use crate::git::tests::Repository;

    fn project(repository: &Repository) -> Project {
        Project::open(&repository.root).unwrap().0
    }

    #[test]
    fn a_version_is_found_in_the_files_and_then_in_history() {
        let repository = Repository::new();
        repository.commit("trysquare.yaml", "format: 1\n", "Start");
        repository.commit("prompts/a.prompt", "---\nmodel: x/y\n---\nOne {{q}}", "One");
        let one = project(&repository).prompts["a"].linked.as_ref().unwrap().version().to_string();
        repository.commit("prompts/a.prompt", "---\nmodel: x/y\n---\nTwo {{q}}", "Two");
        let now = project(&repository);
        let two = now.prompts["a"].linked.as_ref().unwrap().version().to_string();
        assert_eq!(now.pinned("a", &two[..12]).unwrap().commit, None);
        let found = now.pinned("a", &one[..12]).unwrap();
        assert!(found.commit.is_some());
        assert_eq!(found.linked.prompt().template_text(), "One {{q}}");
        assert!(now.pinned("a", "000000000000").is_none());
        assert!(now.pinned("b", &one).is_none());
    }

    #[test]
    fn a_pin_changes_its_lines_and_no_others() {
        let repository = Repository::new();
        let text = "format: 1 # first\n\nenvironments:\n  staging: {prompts: {a: '0123456789ab'}} # tried\n";
        repository.commit("trysquare.yaml", text, "Start");
        let version = "f".repeat(64);
        let (once, _) = project(&repository).with_pin("production", "a", &version, None).unwrap();
        assert!(once.starts_with(text), "{once}");
        let reason =
            PinOverride { reason: "hotfix: now".to_owned(), at: Some(Timestamp::from_unix_ms(0)) };
        repository.commit("trysquare.yaml", &once, "Pin");
        let (twice, _) = project(&repository)
            .with_pin("production", "a", &"e".repeat(64), Some(&reason))
            .unwrap();
        insta::assert_snapshot!(twice, @r#"
        format: 1 # first

        environments:
          staging: {prompts: {a: '0123456789ab'}} # tried
          production:
            prompts:
              a: eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
            overrides:
              a:
                reason: "hotfix: now"
                at: "1970-01-01T00:00:00Z"
        "#);
        repository.commit("trysquare.yaml", &twice, "Override");
        let (back, snapshot) =
            project(&repository).with_pin("production", "a", &version, None).unwrap();
        assert_eq!(back, once, "the reason goes with the pin that it explained");
        assert!(!snapshot.is_outdated().unwrap());
    }
}
