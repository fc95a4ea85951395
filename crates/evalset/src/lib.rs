//! Eval sets as data: cases, criteria, splits, and what checks, judges and gates are asked to do.
//!
//! Pure: text in, values and diagnostics out, canonical text back. Nothing is run or scored here,
//! and no file is opened. What was read and is written back unedited is the same text, byte by byte.

mod baseline;
mod case;
mod certificate;
pub mod check;
mod json;
mod label;
mod outputs;
mod read;
mod set;
mod split;

pub use baseline::{
    BASELINE_FORMAT, Baseline, BaselineCase, BaselineCriterion, BaselineLooks, BaselineSample,
    BaselineSource, BaselineValue, BaselineVariant, GateChange, NotDecided, Override,
};
pub use case::{
    Attachment, Case, CaseFile, CaseRow, EditCaseError, MAX_LINE_BYTES, Place as AttachmentPlace,
};
pub use certificate::{
    CERTIFICATE_FORMAT, Certificate, CertificateError, CertifiedRate, JudgeState, TestLabels,
    TrustEntry, TrustHashes, TrustLook,
};
pub use label::{
    Act, BadLabel, Categories, Category, CurrentLabel, Dealing, Dealt, Drawn, ExternalOutput,
    LABEL_FORMAT, LabelEvent, LabelLine, LabelRow, LabelSubject, LabelText, LabelValue,
    LabelledOutput, Labels, LaterRow, Preference, Purge, Reference, Sorting, SubjectLabels,
    read_labels, write_labels,
};
pub use outputs::{OUTPUT_FORMAT, Output, OutputContent, Outputs};
pub use set::{
    Budget, Combine, Criterion, CriterionKind, DEFAULT_CONFIDENCE, Defaults, EvalSet, GateSpec,
    JudgeSpec, JuryRule, JurySpec, Named, NotEnoughRule, RegressionRule, RequiredCases,
    Requirement, ScoreSource, TrustThresholds, VariantSource, VariantSpec,
};
pub use split::{Split, SplitPolicy, SplitShares};
