//! What an eval set's folder holds besides cases: the baseline, the outputs that it names, and the
//! labels.

use std::path::{Path, PathBuf};

use document::{Diagnostic, Diagnostics, SourceText, Span};
use evalset::{Baseline, LabelRow, Outputs, read_labels};
use files::{FileError, Snapshot};

use crate::{GitError, Project, content_at, file_versions};

/// A file of an eval set that was read, or is not there.
#[derive(Debug)]
pub struct SetFile<T> {
    /// Its path inside the project.
    pub path: PathBuf,
    /// Its text; `None` if there is no such file.
    pub text: Option<String>,
    /// What it says; `None` if it is not there or cannot be used.
    pub content: Option<T>,
    /// What it held when it was read.
    pub snapshot: Snapshot,
}

impl<T> SetFile<T> {
    /// Writes a text, unless the file has changed since it was read.
    ///
    /// # Errors
    /// [`FileError`]; with [`files::FileProblem::Changed`] the person must choose.
    pub fn write(&self, text: &str) -> Result<(), FileError> {
        files::write_unless_changed(&self.snapshot, text.as_bytes()).map(drop)
    }
}

impl SetFile<Vec<LabelRow>> {
    /// Reads the rows of the text, and returns what is wrong with lines that are none.
    pub fn read_rows(&mut self) -> Vec<Diagnostic> {
        let Some(text) = &self.text else { return Vec::new() };
        let (rows, bad) = read_labels(text);
        self.content = Some(rows);
        if bad.is_empty() {
            return Vec::new();
        }
        let mut found =
            Diagnostics::new(SourceText::new(self.path.to_string_lossy(), text.as_str()));
        let mut bad = bad.into_iter().peekable();
        let mut start = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            while let Some(one) = bad.next_if(|one| one.line == number) {
                let inside = line.trim_start_matches('\u{feff}');
                let begin = start + line.len() - inside.len();
                let column = inside.char_indices().nth(one.column - 1);
                let at = begin + column.map_or(0, |(at, _)| at);
                let end = begin + inside.trim_end_matches(['\n', '\r']).len();
                let span = Span::new(at, end.max(at));
                let hint = "mend or remove the line; until then the file is left as it is, and \
                            labels go on being saved in the database";
                found.error_with_hint("label-row", span, one.problem, hint);
            }
            start += line.len();
        }
        found.into_vec()
    }
}

impl Project {
    /// Reads the `baseline.json` of an eval set.
    ///
    /// # Errors
    /// [`FileError`] if it is there and cannot be read.
    pub fn baseline(&self, set: &str) -> Result<(SetFile<Baseline>, Vec<Diagnostic>), FileError> {
        self.set_file(set, "baseline.json", |name, text| Baseline::read(name, text))
    }

    /// Reads the `outputs.jsonl` of an eval set. Its content is what can be used, and is not to be
    /// written back if a diagnostic is an error.
    ///
    /// # Errors
    /// [`FileError`] if it is there and cannot be read.
    pub fn outputs(&self, set: &str) -> Result<(SetFile<Outputs>, Vec<Diagnostic>), FileError> {
        self.set_file(set, "outputs.jsonl", |name, text| {
            let (outputs, found) = Outputs::read(name, text);
            (Some(outputs), found)
        })
    }

    /// Reads the `labels.jsonl` of an eval set. Its content is what can be used, and is not to be
    /// written back if a diagnostic is an error.
    ///
    /// # Errors
    /// [`FileError`] if it is there and cannot be read.
    pub fn labels(
        &self,
        set: &str,
    ) -> Result<(SetFile<Vec<LabelRow>>, Vec<Diagnostic>), FileError> {
        let mut file = self.label_text(set)?;
        let found = file.read_rows();
        Ok((file, found))
    }

    /// Returns the `labels.jsonl` of an eval set with its text, of which no row is read yet.
    ///
    /// # Errors
    /// [`FileError`] if it is there and cannot be read.
    pub fn label_text(&self, set: &str) -> Result<SetFile<Vec<LabelRow>>, FileError> {
        self.set_file(set, "labels.jsonl", |_, _| (None, Vec::new())).map(|(file, _)| file)
    }

    fn set_file<T>(
        &self,
        set: &str,
        file: &str,
        read: impl Fn(&str, &str) -> (Option<T>, Vec<Diagnostic>),
    ) -> Result<(SetFile<T>, Vec<Diagnostic>), FileError> {
        let path = Path::new("evalsets").join(set).join(file);
        let whole = self.root.join(&path);
        let Some(text) = files::read_text_if_present(&whole)? else {
            let snapshot = Snapshot::absent(&whole);
            return Ok((SetFile { path, text: None, content: None, snapshot }, Vec::new()));
        };
        let snapshot = Snapshot::of(&whole, text.as_bytes());
        let (content, found) = read(&path.to_string_lossy(), &text);
        Ok((SetFile { path, text: Some(text), content, snapshot }, found))
    }

    /// Returns the newest baseline in the history of an eval set that a test accepts.
    pub fn baseline_once(
        &self,
        set: &str,
        accepts: impl Fn(&Baseline) -> bool,
    ) -> Option<Baseline> {
        let path = Path::new("evalsets").join(set).join("baseline.json");
        file_versions(&self.root, &path).ok()?.into_iter().find_map(|then| {
            let text = content_at(&self.root, &then.path, &then.commit).ok()?;
            Baseline::read(&then.path.to_string_lossy(), text).0.filter(|one| accepts(one))
        })
    }

    /// Returns the baselines of all eval sets as the last commit holds them, by the set's name. One
    /// that cannot be used is left out.
    ///
    /// # Errors
    /// [`GitError`], also where there is no repository or no commit.
    pub fn committed_baselines(&self) -> Result<Vec<(String, Baseline)>, GitError> {
        let mut found = Vec::new();
        for path in crate::git::files_at(&self.root, "evalsets", "HEAD")? {
            let set = path.parent().and_then(Path::file_name);
            if path.file_name().is_none_or(|name| name != "baseline.json") {
                continue;
            }
            let Some(set) = set.map(|set| set.to_string_lossy().into_owned()) else { continue };
            let text = content_at(&self.root, &path, "HEAD")?;
            let (baseline, _) = Baseline::read(&path.to_string_lossy(), text);
            found.extend(baseline.map(|baseline| (set, baseline)));
        }
        Ok(found)
    }
}
