use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::PriceList;
use document::{Diagnostic, SourceText};
use evalset::{CaseFile, EvalSet};
use files::Snapshot;
use prompt::Partials;

use crate::prompts::{read_folder, unreadable};
use crate::{ProjectConfig, PromptFile};

/// The project's own price list, beside `trysquare.yaml`.
pub const PRICE_LIST: &str = "prices.jsonl";

/// A project folder that was opened.
#[derive(Debug)]
pub struct Project {
    /// The folder, absolute and without symbolic links: trust and consent are bound to it.
    pub root: PathBuf,
    /// `trysquare.yaml`.
    pub config: ProjectConfig,
    /// The prompts by name.
    pub prompts: BTreeMap<String, PromptFile>,
    /// The partials by name.
    pub partials: Partials,
    /// The judges by name.
    pub judges: BTreeMap<String, PromptFile>,
    /// The names of the eval sets.
    pub eval_sets: Vec<String>,
}

/// An eval set that was read.
#[derive(Debug)]
pub struct EvalSetFolder {
    /// Its name: the folder's.
    pub name: String,
    /// The text of `evalset.yaml`.
    pub source: SourceText,
    /// What `evalset.yaml` says, with the project's defaults; `None` if it cannot be read.
    pub set: Option<EvalSet>,
    /// The cases.
    pub cases: CaseFile,
    /// What `cases.jsonl` held when it was read.
    pub cases_snapshot: Snapshot,
}

/// A folder could not be opened as a project.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no project here.
    #[error("{folder} is not inside a project: no trysquare.yaml here or above")]
    NoProject {
        /// Where the search began.
        folder: PathBuf,
    },
    /// There is no such eval set.
    #[error("there is no eval set `{name}`")]
    NoEvalSet {
        /// The name.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// A file or folder could not be read.
    #[error(transparent)]
    File(#[from] files::FileError),
}

/// Returns the nearest folder, from `start` upwards, that holds `trysquare.yaml`.
///
/// # Errors
/// [`OpenError::NoProject`].
pub fn find_root(start: &Path) -> Result<PathBuf, OpenError> {
    let start = start.canonicalize().unwrap_or_else(|_| start.to_owned());
    start
        .ancestors()
        .find(|folder| folder.join("trysquare.yaml").is_file())
        .map(Path::to_owned)
        .ok_or(OpenError::NoProject { folder: start })
}

impl Project {
    /// Opens the project at its root: settings and prompts are read, eval sets are only listed.
    ///
    /// # Errors
    /// [`OpenError`] if `trysquare.yaml` or a folder cannot be read. Whatever else is wrong is a
    /// diagnostic.
    pub fn open(root: &Path) -> Result<(Self, Vec<Diagnostic>), OpenError> {
        let text = files::read_text(&root.join("trysquare.yaml"))?;
        let (mut config, mut found) = ProjectConfig::read(SourceText::new("trysquare.yaml", text));
        let prices = read_prices(root, &mut found)?;
        for provider in config.providers.values_mut() {
            provider.take_prices(&[PriceList::built_in(), &prices]);
        }
        let prompts = read_folder(root, "prompts", &Partials::new(), &mut found)?;
        let judges = read_folder(root, "judges", &prompts.partials, &mut found)?;
        let mut eval_sets = Vec::new();
        for folder in files::list_folder(&root.join("evalsets"))? {
            if folder.join("evalset.yaml").is_file() {
                let name = folder.file_name().unwrap_or_default();
                eval_sets.push(name.to_string_lossy().into_owned());
            }
        }
        let project = Self {
            root: root.to_owned(),
            config,
            prompts: prompts.prompts,
            partials: prompts.partials,
            judges: judges.prompts,
            eval_sets,
        };
        Ok((project, found))
    }

    /// Reads one eval set with its cases.
    ///
    /// # Errors
    /// [`OpenError`] if there is no such set, or a file cannot be read.
    pub fn eval_set(&self, name: &str) -> Result<(EvalSetFolder, Vec<Diagnostic>), OpenError> {
        if !self.eval_sets.iter().any(|known| known == name) {
            let (name, known) = (name.to_owned(), self.eval_sets.clone());
            return Err(OpenError::NoEvalSet { name, known });
        }
        let inside = Path::new("evalsets").join(name);
        let shown = |file: &str| inside.join(file).to_string_lossy().into_owned();
        let text = files::read_text(&self.root.join(&inside).join("evalset.yaml"))?;
        let source = SourceText::new(shown("evalset.yaml"), text);
        let (mut set, mut found) = EvalSet::read(source.name(), source.text());
        if let Some(set) = &mut set {
            set.apply_defaults(&self.config.defaults);
        }
        let cases_path = inside.join("cases.jsonl");
        let cases_file = self.root.join(&cases_path);
        // What cannot be read is not known, so a save of it is refused as changed.
        let (text, cases_snapshot) = match files::read_text(&cases_file) {
            Ok(text) => {
                let snapshot = Snapshot::of(&cases_file, text.as_bytes());
                (text, snapshot)
            }
            Err(error) => {
                found.push(unreadable(&cases_path, &error));
                (String::new(), Snapshot::absent(&cases_file))
            }
        };
        let (cases, diagnostics) = CaseFile::read(&shown("cases.jsonl"), text);
        found.extend(diagnostics);
        let name = name.to_owned();
        Ok((EvalSetFolder { name, source, set, cases, cases_snapshot }, found))
    }

    /// Returns the folder of an eval set, whether or not it exists.
    pub fn eval_set_folder(&self, name: &str) -> PathBuf {
        self.root.join("evalsets").join(name)
    }
}

/// Reads the project's own price list; a project that has none relies on the program's.
fn read_prices(root: &Path, found: &mut Vec<Diagnostic>) -> Result<PriceList, OpenError> {
    let path = root.join(PRICE_LIST);
    if !path.is_file() {
        return Ok(PriceList::default());
    }
    let source = SourceText::new(PRICE_LIST, files::read_text(&path)?);
    let (list, diagnostics) = PriceList::read(&source);
    found.extend(diagnostics);
    Ok(list)
}

impl EvalSetFolder {
    /// Writes the cases as they were edited, unless the file has changed since it was read.
    ///
    /// # Errors
    /// [`files::FileError`]; with [`files::FileProblem::Changed`] the person must choose.
    pub fn save_cases(&mut self) -> Result<(), files::FileError> {
        let text = self.cases.text().as_bytes();
        self.cases_snapshot = files::write_unless_changed(&self.cases_snapshot, text)?;
        Ok(())
    }
}
