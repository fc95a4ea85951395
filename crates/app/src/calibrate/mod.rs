//! Measuring a judge against people's labels, and its certificate.

mod gather;
mod rates;
mod shown;
mod trust;

use std::path::Path;

use analysis::calibration::{CalibrationOptions, Thresholds, calibrate};
use evalset::{Certificate, CertifiedRate, Criterion, EvalSet, Split, TestLabels, TrustEntry};
use project::{Project, SetFile};
use report::{CALIBRATION_FORMAT, CalibrationReport};
use serde_json::Map;
use stats::InvalidInput;
use store::Store;
use values::Id;

pub use shown::JudgedRates;
pub(crate) use trust::{
    JudgeToday, is_trusted, judges_of, named_today, seen_until, standing, trusted,
};

use crate::labels::open_world;
use crate::{App, AppError};
use gather::{Gathering, align, scale_of};

/// What a person asks of a judge.
#[derive(Debug, Clone)]
pub struct CalibrateRequest {
    /// The judge, by its name in the set.
    pub judge: String,
    /// The eval set; the only one that has the judge if `None`.
    pub set: Option<String>,
    /// The criterion; the judge's own if `None`.
    pub criterion: Option<String>,
    /// The run whose pass rates are corrected; the newest of the set if `None`.
    pub run: Option<Id>,
    /// The part of the set to measure on. Only the test split gives a certificate.
    pub split: Split,
    /// ε of the alternative annotator test, a share below 1: 0.2 where experts label, 0.15 skilled
    /// people, 0.1 a crowd.
    pub epsilon: f64,
}

impl App {
    /// Measures a judge against people's labels and writes its certificate, whatever its state.
    /// Nothing is sent. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the judge or the criterion is none of the set, or a file has
    /// errors; [`crate::ErrorKind::Record`] if the record cannot be read.
    pub fn calibrate(
        &self,
        folder: Option<&Path>,
        request: &CalibrateRequest,
    ) -> Result<CalibrationReport, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let name = set_of_judge(&project, &request.judge, request.set.as_deref())?;
        let world = open_world(&project, store, &name)?;
        world.require_splits(&format!("trysquare calibrate {}", request.judge))?;
        let (store, set) = (&world.store, &world.set);
        let spec = set.judges.iter().find(|spec| spec.name == request.judge);
        let criterion = criterion_of(set, request)?;
        let jury = set.juries.iter().find(|jury| jury.name == request.judge);
        let today = named_today(&project, set, &request.judge, criterion)?;
        let file = spec.map_or(&request.judge, |spec| &spec.judge.name);
        let (certificate, error) = project.certificate(file)?;
        if let Some(error) = error {
            let error = AppError::input(error.to_string());
            return Err(error.with_hint("remove it and calibrate again"));
        }
        let entry = certificate.content.as_ref().and_then(|one| one.entry(&name, &criterion.name));
        let known = entry.zip(today.as_ref());
        let seen_until = known.and_then(|(entry, today)| entry.seen_until(today.hashes.version()));
        let changed = known.map(|(entry, today)| entry.hashes.changes(&today.hashes));
        let mut judgements = judgements(store, &name, request, criterion, today.as_ref())?;
        align(&mut judgements, &world.labels, &criterion.name);
        let gathering = Gathering { world: &world, criterion, judgements, seen_until };
        let mut items = gathering.items()?;
        let threshold = spec.map_or(jury.and_then(|jury| jury.threshold), |spec| spec.threshold);
        let scale = scale_of(&mut items, criterion, threshold);
        let elsewhere = spec.is_none() && jury.is_none();
        let rates = self.rates(&project, &world, (request.run, elsewhere), &scale, &mut items)?;
        let options = CalibrationOptions {
            scale,
            split: request.split,
            thresholds: thresholds(criterion),
            epsilon: request.epsilon,
            seed: set.seed,
        };
        let report = CalibrationReport {
            format: CALIBRATION_FORMAT,
            judge: request.judge.clone(),
            set: name,
            criterion: criterion.name.clone(),
            calibration: calibrate(&items, &options).map_err(invalid)?,
            rates,
            uses: None,
            changed: changed.unwrap_or_default(),
            certificate: None,
        };
        match (request.split, today) {
            (Split::Test, Some(today)) => self.certify(report, today, file, &certificate),
            _ => Ok(report),
        }
    }

    /// Returns the eval set that a calibration is about. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if none or several have the judge.
    pub fn calibrated_set(
        &self,
        folder: Option<&Path>,
        request: &CalibrateRequest,
    ) -> Result<String, AppError> {
        let (project, _) = self.open(folder)?;
        set_of_judge(&project, &request.judge, request.set.as_deref())
    }

    /// Writes the certificate, and says in the report what it says of the labels.
    fn certify(
        &self,
        mut report: CalibrationReport,
        today: JudgeToday,
        judge: &str,
        file: &SetFile<Certificate>,
    ) -> Result<CalibrationReport, AppError> {
        let mut certificate = file.content.clone().unwrap_or_else(|| Certificate::new(judge));
        certificate.record(self.entry(&report, today));
        let text = certificate.to_text();
        if file.text.as_deref() != Some(text.as_str()) {
            file.write(&text)?;
        }
        report.certificate = Some(file.path.to_string_lossy().into_owned());
        report.uses = certificate.entry(&report.set, &report.criterion).map(TrustEntry::uses);
        Ok(report)
    }

    fn entry(&self, calibrated: &CalibrationReport, today: JudgeToday) -> TrustEntry {
        let found = &calibrated.calibration;
        TrustEntry {
            set: calibrated.set.clone(),
            criterion: calibrated.criterion.clone(),
            state: found.standing.state,
            calibrated: (self.host.now)(),
            hashes: today.hashes,
            test_labels: TestLabels {
                hash: found.labels_hash,
                passes: found.true_passes.of,
                fails: found.true_fails.of,
            },
            true_passes: certified(&found.true_passes, found.standing.thresholds.passes),
            true_fails: certified(&found.true_fails, found.standing.thresholds.fails),
            looks: Vec::new(),
            other: Map::new(),
        }
    }
}

fn invalid(error: InvalidInput) -> AppError {
    AppError::input(error.to_string())
}

fn certified(share: &analysis::calibration::Share, threshold: f64) -> CertifiedRate {
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    let interval = share.interval.value();
    CertifiedRate {
        right: share.right,
        of: share.of,
        rate: share.rate.value().map(rounded),
        low: interval.map(|interval| rounded(interval.low())),
        high: interval.map(|interval| rounded(interval.high())),
        bound: share.bound.value().map(rounded),
        threshold,
    }
}

fn thresholds(criterion: &Criterion) -> Thresholds {
    let default = Thresholds::default();
    Thresholds {
        passes: criterion.trust.passes.unwrap_or(default.passes),
        fails: criterion.trust.fails.unwrap_or(default.fails),
    }
}

/// The set that is meant: the named one, else the only one that has the judge or jury.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if no set or several have it.
pub(crate) fn set_of_judge(
    project: &Project,
    judge: &str,
    set: Option<&str>,
) -> Result<String, AppError> {
    if let Some(name) = set {
        return Ok(name.to_owned());
    }
    let mut having = Vec::new();
    for name in &project.eval_sets {
        let (folder, _) = project.eval_set(name).map_err(|error| crate::open_error(&error))?;
        let has = |set: &EvalSet| {
            set.judges.iter().any(|spec| spec.name == judge)
                || set.juries.iter().any(|jury| jury.name == judge)
        };
        if folder.set.as_ref().is_some_and(has) {
            having.push(name.clone());
        }
    }
    match having.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(AppError::input(format!("no eval set has a judge `{judge}`")).with_hint(
            "name it under `judges` of an evalset.yaml; imported verdicts need --set and --criterion",
        )),
        several => Err(AppError::input(format!("several eval sets have a judge `{judge}`"))
            .with_hint(format!("choose one with --set: {}", several.join(", ")))),
    }
}

fn criterion_of<'a>(
    set: &'a EvalSet,
    request: &CalibrateRequest,
) -> Result<&'a Criterion, AppError> {
    let spec = set.judges.iter().find(|spec| spec.name == request.judge);
    let jury = || set.juries.iter().find(|jury| jury.name == request.judge);
    let own = spec.map(|spec| &spec.criterion).or_else(|| Some(&jury()?.criterion));
    let own = own.map(|criterion| criterion.name.as_str());
    let primary = set.primary.as_ref().map(|primary| primary.name.as_str());
    let name = request.criterion.as_deref().or(own).or(primary);
    let known: Vec<_> = set.criteria.iter().map(|one| one.name.as_str()).collect();
    name.and_then(|name| set.criterion(name)).ok_or_else(|| {
        AppError::input("which criterion?")
            .with_hint(format!("name one with --criterion: {}", known.join(", ")))
    })
}

/// What the judge as it is today said on the criterion. An imported judge has no prompt here, so
/// that its newest version is meant.
fn judgements(
    store: &Store,
    set: &str,
    request: &CalibrateRequest,
    criterion: &Criterion,
    today: Option<&JudgeToday>,
) -> Result<Vec<store::Judgement>, AppError> {
    let mut rows = store.judgements(set)?;
    rows.retain(|row| row.judge == request.judge && row.criterion == criterion.name);
    let newest = rows.iter().max_by_key(|row| row.judged).map(|row| row.version);
    let version = today.map(|today| today.version).or(newest);
    rows.retain(|row| Some(row.version) == version);
    if rows.is_empty() {
        let judge = &request.judge;
        let message = format!("the judge `{judge}`, as it is today, has judged nothing of `{set}`");
        return Err(AppError::input(message)
            .with_hint(format!("`trysquare score latest --judge {judge}` judges the last run")));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
