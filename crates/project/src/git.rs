//! Reading git's history of a file, through the `git` program.
//!
//! Read only, with fixed arguments. A cloned repository's own configuration can name programs, so
//! everything that could start one or reach a network is switched off for these calls.

mod within;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use values::Timestamp;

use within::output_within;

/// One commit that changed a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// The commit, in full.
    pub commit: String,
    /// Who wrote it.
    pub author: String,
    /// When it was written.
    pub time: Timestamp,
    /// The first line of its message.
    pub subject: String,
    /// The file's path at that commit, inside the project; a renamed file had another one.
    pub path: PathBuf,
}

/// Git could not tell.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program could not be started.
    #[error("git could not be started: {0}")]
    NotStarted(#[source] io::Error),
    /// The folder is not part of a git repository.
    #[error("{0} is not inside a git repository")]
    NoRepository(PathBuf),
    /// There is no such commit, branch or tag.
    #[error("git knows no commit `{0}`")]
    NoSuchCommit(String),
    /// The file does not exist at that commit.
    #[error("`{path}` does not exist at {commit}")]
    NoSuchFile {
        /// The file.
        path: String,
        /// The commit.
        commit: String,
    },
    /// The file's content at that commit is not UTF-8.
    #[error("`{path}` at {commit} is not UTF-8 text")]
    NotText {
        /// The file.
        path: String,
        /// The commit.
        commit: String,
    },
    /// Git took too long and was stopped.
    #[error("git gave no answer within {} s and was stopped", .0.as_secs_f64())]
    TooSlow(Duration),
    /// Git failed for another reason.
    #[error("git failed: {0}")]
    Failed(String),
}

/// How long git may take for one question. The history of a large repository takes seconds; a file
/// system that hangs takes for ever.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// The settings that a repository must not decide. Those given on the command line win.
const SETTINGS: [&str; 7] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "diff.external=",
    "log.showSignature=false",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
];

/// Returns the commits that changed a file, the newest first, renames followed.
///
/// `path` is the file's path inside the project, whose folder is `root`; the project may be a folder
/// of a larger repository. A file that git does not know has no versions.
///
/// # Errors
/// [`GitError`]
pub fn file_versions(root: &Path, path: &Path) -> Result<Vec<FileVersion>, GitError> {
    let path = path.to_string_lossy();
    log(root, &["--follow", "--", &path])
}

/// Returns the commits that changed one of some files, children before parents.
pub(crate) fn versions_of(
    root: &Path,
    paths: &BTreeSet<PathBuf>,
) -> Result<Vec<FileVersion>, GitError> {
    let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    let mut arguments = vec!["--topo-order", "--"];
    arguments.extend(paths.iter().map(AsRef::as_ref));
    log(root, &arguments)
}

/// Returns the name that git would write into a commit made here, if one is set.
///
/// # Errors
/// [`GitError`] if git cannot be asked.
pub fn user_name(root: &Path) -> Result<Option<String>, GitError> {
    let name = git(root, &["config", "--get", "user.name"])?;
    let name = String::from_utf8_lossy(&name.stdout).trim().to_owned();
    Ok((!name.is_empty()).then_some(name))
}

fn log(root: &Path, which: &[&str]) -> Result<Vec<FileVersion>, GitError> {
    let prefix = repository_prefix(root)?;
    if git(root, &["rev-parse", "--verify", "--quiet", "HEAD"])?.stdout.is_empty() {
        return Ok(Vec::new());
    }
    let mut arguments = vec![
        "log",
        "--no-ext-diff",
        "--no-textconv",
        "--no-show-signature",
        "--name-only",
        "-z",
        "--format=%x00%H%x00%an%x00%at%x00%s%x00",
    ];
    arguments.extend(which);
    let text = succeeded(&git(root, &arguments)?)?;
    read_log(&text, &prefix)
}

/// Returns the files below a folder at a commit, as paths inside the project.
pub(crate) fn files_at(
    root: &Path,
    folder: &str,
    reference: &str,
) -> Result<Vec<PathBuf>, GitError> {
    let commit = commit_of(root, reference)?;
    let output = git(root, &["ls-tree", "-r", "-z", "--name-only", &commit, "--", folder])?;
    let names = succeeded(&output)?;
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

/// Reads commits, each an empty field, four fields of its own and the names of files, all between NUL
/// characters: no name of a person or file, and no message, can hold one.
fn read_log(text: &str, prefix: &str) -> Result<Vec<FileVersion>, GitError> {
    let mut fields = text.split('\0').peekable();
    let mut versions = Vec::new();
    while fields.next().is_some() {
        // After the last name of a file the text ends.
        let Some(commit) = fields.next() else { break };
        let (Some(author), Some(seconds), Some(subject)) =
            (fields.next(), fields.next(), fields.next())
        else {
            return Err(GitError::Failed(format!("its log ends within the commit {commit:?}")));
        };
        let seconds: i64 = seconds
            .parse()
            .map_err(|_| GitError::Failed(format!("found `{seconds}` as a commit's time")))?;
        // A commit that changed several of the files stands for the first.
        let mut first = None;
        fields.next_if(|field| field.is_empty());
        while let Some(name) = fields.next_if(|field| !field.is_empty()) {
            first.get_or_insert(name.strip_prefix('\n').unwrap_or(name));
        }
        let name = first.unwrap_or_default();
        versions.push(FileVersion {
            commit: commit.to_owned(),
            author: author.to_owned(),
            time: Timestamp::from_unix_ms(seconds.saturating_mul(1_000)),
            subject: subject.to_owned(),
            path: PathBuf::from(name.strip_prefix(prefix).unwrap_or(name)),
        });
    }
    Ok(versions)
}

/// Returns the full name of the commit that a reference (`HEAD~2`, `v1.0`, `4153714`) means.
///
/// # Errors
/// [`GitError::NoSuchCommit`] and others.
pub fn commit_of(root: &Path, reference: &str) -> Result<String, GitError> {
    repository_prefix(root)?;
    let unknown = || GitError::NoSuchCommit(reference.to_owned());
    if reference.starts_with('-') || reference.chars().any(char::is_control) {
        return Err(unknown());
    }
    let wanted = format!("{reference}^{{commit}}");
    let output = git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
    if !output.status.success() {
        return Err(unknown());
    }
    Ok(succeeded(&output)?.trim().to_owned())
}

/// Returns the text of a file at a commit.
///
/// # Errors
/// [`GitError`]
pub fn content_at(root: &Path, path: &Path, reference: &str) -> Result<String, GitError> {
    let commit = commit_of(root, reference)?;
    let path = path.to_string_lossy().replace('\\', "/");
    let object = format!("{commit}:./{path}");
    let output = git(root, &["cat-file", "blob", &object])?;
    if !output.status.success() {
        return Err(GitError::NoSuchFile { path, commit });
    }
    String::from_utf8(output.stdout).map_err(|_| GitError::NotText { path, commit })
}

/// Returns the project's path inside its repository, empty or with a slash at its end.
fn repository_prefix(root: &Path) -> Result<String, GitError> {
    let output = git(root, &["rev-parse", "--show-prefix"])?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(if message.contains("not a git repository") {
            GitError::NoRepository(root.to_owned())
        } else {
            GitError::Failed(message.trim().to_owned())
        });
    }
    Ok(succeeded(&output)?.trim_end_matches('\n').to_owned())
}

fn succeeded(output: &Output) -> Result<String, GitError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(GitError::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

#[expect(clippy::disallowed_methods, reason = "this module is the one that asks git")]
fn git(root: &Path, arguments: &[&str]) -> Result<Output, GitError> {
    let mut command = Command::new("git");
    command.args(["--no-pager", "--literal-pathspecs", "-C"]).arg(root);
    for setting in SETTINGS {
        command.arg("-c").arg(setting);
    }
    command
        .args(arguments)
        .stdin(Stdio::null())
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    // A hook of another repository, or a person's shell, may point git elsewhere.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF"] {
        command.env_remove(variable);
    }
    output_within(&mut command, TIME_LIMIT)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) struct Repository {
        _folder: tempfile::TempDir,
        pub(crate) root: PathBuf,
    }

    impl Repository {
        pub(crate) fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().canonicalize().unwrap();
            let repository = Self { _folder: folder, root };
            repository.run(&["init", "--quiet", "--initial-branch=main"]);
            repository
        }

        #[expect(clippy::disallowed_methods, reason = "the test makes a real repository")]
        fn run(&self, arguments: &[&str]) {
            let output = Command::new("git")
                .current_dir(&self.root)
                .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
                .args(["-c", "commit.gpgsign=false"])
                .args(arguments)
                .env_remove("GIT_DIR")
                .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }

        pub(crate) fn commit(&self, path: &str, text: &str, message: &str) {
            let file = self.root.join(path);
            files::create_folder(file.parent().unwrap()).unwrap();
            files::write_atomic(&file, text.as_bytes()).unwrap();
            self.run(&["add", "-A"]);
            self.run(&["commit", "--quiet", "-m", message]);
        }
    }

    #[test]
    fn versions_come_newest_first_and_follow_a_rename() {
        let repository = Repository::new();
        let long = "A prompt that is long enough to be known again after it was renamed.\n";
        repository.commit("team/prompts/old name.prompt", long, "Add it\n\nBody");
        repository.run(&["mv", "team/prompts/old name.prompt", "team/prompts/new.prompt"]);
        repository.run(&["commit", "--quiet", "-m", "Rename it"]);
        repository.commit("team/prompts/new.prompt", "Other text.\n", "Größer: \"it\"");
        repository.commit("team/other.txt", "x", "Unrelated");
        let root = repository.root.join("team");
        let path = Path::new("prompts/new.prompt");
        let versions = file_versions(&root, path).unwrap();
        let seen: Vec<_> =
            versions.iter().map(|one| (one.subject.as_str(), one.path.to_str().unwrap())).collect();
        assert_eq!(
            seen,
            [
                ("Größer: \"it\"", "prompts/new.prompt"),
                ("Rename it", "prompts/new.prompt"),
                ("Add it", "prompts/old name.prompt")
            ]
        );
        assert_eq!(versions[0].author, "Ada");
        assert_eq!(versions[0].time.to_string(), "2026-01-02T03:04:05Z");
        let first = &versions[2];
        assert_eq!(content_at(&root, &first.path, &first.commit).unwrap(), long);
        assert_eq!(content_at(&root, path, "main").unwrap(), "Other text.\n");
    }

    #[test]
    fn no_message_can_pass_for_the_end_of_a_field() {
        let repository = Repository::new();
        repository.commit("a.prompt", "one", "x\u{1f}y\u{1e}z");
        repository.commit("other.txt", "x", "Unrelated");
        repository.commit("a.prompt", "two", "\u{1f}\u{1f}\u{1f}\u{1f}");
        repository.run(&["commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", ""]);
        repository.commit("b.prompt", "two", "Both");
        let root = &repository.root;
        let versions = file_versions(root, Path::new("a.prompt")).unwrap();
        let subjects: Vec<_> = versions.iter().map(|one| one.subject.as_str()).collect();
        assert_eq!(subjects, ["\u{1f}\u{1f}\u{1f}\u{1f}", "x\u{1f}y\u{1e}z"]);
        let both = BTreeSet::from(["a.prompt", "b.prompt"].map(PathBuf::from));
        let paths: Vec<_> =
            versions_of(root, &both).unwrap().into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["b.prompt", "a.prompt", "a.prompt"].map(PathBuf::from));
        for commit in versions_of(root, &BTreeSet::new()).unwrap() {
            assert_eq!(commit.commit.len(), 40, "{commit:?}");
        }
    }

    #[test]
    fn what_does_not_exist_is_said_plainly() {
        let repository = Repository::new();
        let root = &repository.root;
        let path = Path::new("a.prompt");
        assert_eq!(file_versions(root, path).unwrap(), [], "no commit yet");
        repository.commit("b.prompt", "b", "Add b");
        assert_eq!(file_versions(root, path).unwrap(), []);
        assert!(matches!(content_at(root, path, "HEAD"), Err(GitError::NoSuchFile { .. })));
        for reference in ["nowhere", "--output=x", "HEAD:b.prompt", ""] {
            let refused = content_at(root, path, reference);
            assert!(matches!(refused, Err(GitError::NoSuchCommit(_))), "{reference}: {refused:?}");
        }
        let outside = tempfile::tempdir().unwrap();
        let refused = file_versions(outside.path(), path);
        assert!(matches!(refused, Err(GitError::NoRepository(_))), "{refused:?}");
    }

    #[test]
    fn a_repository_cannot_make_git_run_a_program() {
        let repository = Repository::new();
        repository.commit("a.prompt", "a", "One");
        repository.commit("a.prompt", "b", "Two");
        let root = &repository.root;
        let bait = root.join("bait");
        let program = root.join("program.sh");
        let script = format!("#!/bin/sh\ntouch '{}'\ncat\n", bait.display());
        files::write_atomic(&program, script.as_bytes()).unwrap();
        repository.run(&["update-index", "--chmod=+x", "--add", "program.sh"]);
        repository.run(&["checkout-index", "--force", "program.sh"]);
        files::write_atomic(&root.join(".gitattributes"), b"*.prompt diff=bait filter=bait\n")
            .unwrap();
        let program = program.display().to_string();
        for key in [
            "core.pager",
            "core.fsmonitor",
            "core.editor",
            "core.sshCommand",
            "diff.external",
            "diff.bait.textconv",
            "diff.bait.command",
            "filter.bait.smudge",
            "gpg.program",
            "pager.log",
        ] {
            repository.run(&["config", key, &program]);
        }
        repository.run(&["config", "log.showSignature", "true"]);
        assert_eq!(file_versions(root, Path::new("a.prompt")).unwrap().len(), 2);
        assert_eq!(content_at(root, Path::new("a.prompt"), "HEAD").unwrap(), "b");
        assert!(!bait.exists());
    }
}
