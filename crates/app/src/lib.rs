//! One function for each thing that a person can do, over one engine and one record.
//!
//! Plain requests and answers: nothing here knows a terminal or a window. What a library may not
//! look up itself (the clock, the environment, the user's folders) the program lends as a [`Host`].

mod baseline;
mod bridge;
mod cache;
mod calibrate;
mod clients;
mod compare;
mod corrected;
mod costs;
mod details;
mod doctor;
mod embedded;
mod error;
mod evidence;
mod execute;
mod failures;
mod gate;
mod host;
mod judges;
mod judging;
mod keys;
mod labels;
mod looks;
mod material;
mod media;
mod models;
mod orders;
mod outputs;
mod parts;
mod people;
mod permission;
mod pins;
mod plan;
mod port;
mod probe;
mod projects;
mod prompts;
mod recordings;
mod results;
mod sides;
mod sizes;
mod target;
mod trust;
mod until_decided;
mod waiting;

use std::path::Path;

use document::Diagnostic;
use project::{OpenError, Project};
use settings::{Settings, SettingsFile};
use store::{OpenOptions, Store};

pub use baseline::{
    AcceptRequest, Acceptance, Accepted, BaselineView, CriterionCounts, NotAcceptable,
    from_results, rule_changes, to_results,
};
pub use calibrate::{CalibrateRequest, JudgedRates};
pub use compare::{CompareRequest, Compared};
pub use costs::{
    Basis, BudgetView, CallsEstimate, CostLine, CostsBy, CostsView, ESTIMATE_CONFIDENCE, Free,
    Money, PriceView, PricesImported, PricesRequest, RunEstimate, Tokens,
};
pub use doctor::{Finding, Health, HostContact};
pub use error::{AppError, ErrorKind};
pub use evidence::RunResults;
pub use execute::{ResumeRequest, RunningRun};
pub use failures::{
    CategoryChange, CheckRequest, FailureRequest, Finds, FoundByCheck, GroupRequest, JudgeRequest,
    MadeCheck, MadeJudge, MergeRequest, NOTES_BEFORE_SUGGESTIONS, NotesAsked, RenameRequest,
    SuggestedGroup, SuggestedNote, Suggestions, UngroupRequest,
};
pub use gate::{Approved, GateRequest, Gated, PlannedGate};
pub use host::{Environment, Host};
pub use judges::{CalibrationView, JudgeNext, JudgeUse, JudgeView};
pub use judging::{JudgingPlan, JudgingRequest, JudgingRound};
pub use keys::{KeyTest, KeyView, key_origin};
pub use labels::{
    Brought, Conflict, ConflictDesk, CriterionLabels, ImportFile, ImportedCriterion,
    ImportedExample, ImportedJudge, LabelDesk, LabelImport, LabelItem, LabelPurge, LabelRequest,
    LabelStats, LabellerCounts, LabelsImported, LabelsPurged, LabelsWritten, Opinion, Overlap,
    QueueKind, Resplit, ShownOutput,
};
pub use models::{ModelView, ProviderView};
pub use permission::{Grants, Missing, parse_origin};
pub use pins::{Approval, ExportedPrompt, PinRequest, PinView};
pub use plan::{Plan, PlanSummary, RunRequest, Sending, VariantPlan};
pub use probe::{ProbePlan, ProbeRequest, StartedProbe};
pub use prompts::{PromptView, RenderedPrompt, VariableView, VersionView};
pub use results::{CellFilter, CellView, RunView, VariantView};
pub use sizes::{Detectable, SizeAnswer, SizeRequest, SizeSpread};
pub use trust::TrustView;
pub use until_decided::UntilDecidedRequest;
pub use waiting::{JudgesBill, Waiting};

// Data that answers carry, so that a program needs no other crate for what this one returns.
pub use analysis::{
    CasePasses, Estimate, GateStatus, MostHelps, PassRate, Spread, Verified, pass_rate,
};
pub use catalog::Tariff;
pub use engine::{CacheUse, Stopper};
pub use evalset::Split;
pub use evalset::{
    CertifiedRate, Criterion, CriterionKind, JudgeState, LabelValue, Preference, ScoreSource,
};
pub use interchange::PriceFormat;
pub use store::{CacheStats, CellRow, RunSummary, Which};

/// The name under which keys stand in the system's keyring.
pub(crate) const KEYRING_SERVICE: &str = "trysquare";

/// Everything that a person can do.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) host: Host,
}

impl App {
    /// Makes the application of a program.
    pub fn new(host: Host) -> Self {
        Self { host }
    }

    /// Opens the project of a folder, or of the nearest folder above it. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is none.
    pub fn open(&self, folder: Option<&Path>) -> Result<(Project, Vec<Diagnostic>), AppError> {
        let root = project::find_root(folder.unwrap_or(Path::new(".")))
            .map_err(|error| open_error(&error))?;
        Project::open(&root).map_err(|error| open_error(&error))
    }

    /// Opens the record of a project. Blocking.
    pub(crate) fn store(&self, project: &Project) -> Result<Store, AppError> {
        self.store_at(&project.root)
    }

    pub(crate) fn store_at(&self, root: &Path) -> Result<Store, AppError> {
        let folder = root.join(".trysquare");
        files::create_folder(&folder)?;
        let options = OpenOptions::new((self.host.now)(), self.host.new_id());
        Ok(Store::open(&folder.join("trysquare.db"), options)?)
    }

    pub(crate) fn settings(&self) -> Result<Settings, AppError> {
        Ok(self.settings_file().load()?.with_paths_from(&self.host.settings_folder))
    }

    pub(crate) fn settings_file(&self) -> SettingsFile {
        SettingsFile::in_folder(&self.host.settings_folder)
    }
}

/// Writes a file that is there whole or not at all, as a report is. Blocking.
///
/// # Errors
/// [`ErrorKind::Input`] if it cannot be written.
pub fn write_file(path: &Path, text: &str) -> Result<(), AppError> {
    Ok(files::write_atomic(path, text.as_bytes())?)
}

pub(crate) fn open_error(error: &OpenError) -> AppError {
    match error {
        OpenError::NoProject { .. } => AppError::input(error.to_string())
            .with_hint("start one with `trysquare init`, or name its folder with --project"),
        OpenError::NoEvalSet { known, .. } if known.is_empty() => {
            AppError::input(error.to_string())
                .with_hint("an eval set is a folder in evalsets/ with evalset.yaml and cases.jsonl")
        }
        OpenError::NoEvalSet { known, .. } => {
            let hint = format!("this project has {}", known.join(", "));
            AppError::input(error.to_string()).with_hint(hint)
        }
        OpenError::File(_) => AppError::input(error.to_string()),
    }
}
