//! What judges say of the variants of a run, and what people would find.

use std::collections::BTreeSet;
use std::path::Path;

use analysis::calibration::{CorrectedRate, Scale};
use evalset::{JudgeSpec, JudgeState};
use project::Project;
use serde::Serialize;
use store::Judgement;
use values::{ContentHash, Id};

use super::gather::{Gathering, scale_of};
use super::trust::judge_today;
use crate::judging::version_of;
use crate::labels::{LabelWorld, open_world};
use crate::material::counting_settings;
use crate::{App, AppError};

/// What a judge says of the variants of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedRates {
    /// The criterion.
    pub criterion: String,
    /// The judge, by its name in the set.
    pub judge: String,
    /// How far the version that gave the verdicts can be trusted; none if it was never calibrated.
    pub state: Option<JudgeState>,
    /// Of each variant that it judged: its own rate, and the corrected one.
    pub rates: Vec<CorrectedRate>,
}

impl App {
    /// Returns the pass rates of a run by each judge whose verdicts count in it, corrected by people's
    /// labels. Nothing is read of a run that no judge judged. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the eval set is gone, its files have errors, or its labelled cases
    /// are in other splits than they were; [`crate::ErrorKind::Record`] if the record cannot be read.
    pub fn judged_rates(
        &self,
        folder: Option<&Path>,
        run: Id,
    ) -> Result<Vec<JudgedRates>, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let judges = store.counting(run)?.judges;
        if judges.is_empty() {
            return Ok(Vec::new());
        }
        let header = store.run_header(run)?;
        // By the thresholds by which the run was scored.
        let counting = counting_settings(&store, &header, &project.config.defaults)?;
        let version = |judge: &run::Variant| {
            let spec = counting.judges.iter().find(|spec| spec.name == judge.name)?;
            Some(version_of(judge.hash, spec))
        };
        let versions: BTreeSet<ContentHash> = judges.iter().filter_map(version).collect();
        let set = header.eval_set;
        let world = open_world(&project, store, &set)?;
        if let Some(judge) = world.set.judges.first() {
            world.require_splits(&format!("trysquare calibrate {}", judge.name))?;
        }
        let judgements = world.store.judgements(&set)?;
        let mut found = Vec::new();
        for spec in &world.set.judges {
            let of = |row: &&Judgement| {
                row.judge == spec.name
                    && row.criterion == spec.criterion.name
                    && versions.contains(&row.version)
            };
            let rows: Vec<Judgement> = judgements.iter().filter(of).cloned().collect();
            found.extend(self.rates_of(&project, &world, spec, rows, run)?);
        }
        Ok(found)
    }

    fn rates_of(
        &self,
        project: &Project,
        world: &LabelWorld,
        spec: &JudgeSpec,
        judgements: Vec<Judgement>,
        run: Id,
    ) -> Result<Option<JudgedRates>, AppError> {
        let criterion = world.set.criterion(&spec.criterion.name);
        let (Some(criterion), Some(version)) =
            (criterion, judgements.first().map(|row| row.version))
        else {
            return Ok(None);
        };
        let (certificate, error) = project.certificate(&spec.judge.name)?;
        if let Some(error) = error {
            return Err(AppError::input(error.to_string())
                .with_hint("remove it and calibrate the judge again"));
        }
        let entry = certificate.content.as_ref();
        let entry = entry.and_then(|one| one.entry(&world.folder.name, &criterion.name));
        // Of a version that is not today's nobody knows which labels it has met: all that any has.
        let today = judge_today(project, spec, criterion)?.filter(|one| one.version == version);
        let tried = today.as_ref().map_or(version, |today| today.hashes.version());
        let gathering = Gathering {
            world,
            criterion,
            judgements,
            seen_until: entry.and_then(|entry| entry.seen_until(tried)),
        };
        let mut items = gathering.items()?;
        let scale = scale_of(&mut items, criterion, spec.threshold);
        if scale == Scale::Pair {
            return Ok(None);
        }
        let mut rates = self.rates(project, world, (Some(run), false), &scale, &mut items)?;
        rates.retain(|rate| rate.judged > 0);
        let state = entry
            .map(|entry| today.map_or(JudgeState::Stale, |today| entry.state_of(&today.hashes)));
        let (criterion, judge) = (criterion.name.clone(), spec.name.clone());
        Ok((!rates.is_empty()).then_some(JudgedRates { criterion, judge, state, rates }))
    }
}
