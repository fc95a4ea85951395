//! Whether the cases still stand in the splits in which people labelled them.
//!
//! Which cases are train, dev and test follows from the seed, the shares and the clusters. A set whose
//! labelled cases change sides may show a judge what it is later measured on, so that a change is refused
//! until somebody says that the splits are drawn anew, which takes back what was certified by the old.

use std::collections::BTreeSet;
use std::path::Path;

use evalset::{Dealing, Dealt, LabelRow, Split, SplitPolicy};
use project::Project;
use serde::Serialize;
use serde_json::Map;
use store::{LabelOrigin, wait};
use values::{Id, Timestamp};

use super::{KnownCase, LabelWorld, labelled_set, open_world, sync};
use crate::{App, AppError, Host};

/// So many cases are named.
const NAMED: usize = 3;

/// Who writes down how cases are dealt: nobody decides it.
const PROGRAM: &str = "trysquare";

/// Splits that were drawn anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resplit {
    /// The eval set.
    pub eval_set: String,
    /// What had changed; nothing is done if nothing had.
    pub changes: Vec<String>,
    /// The certificates from which the set was taken, as paths in the project.
    pub certificates: Vec<String>,
}

/// How the cases of a set were dealt, by the rows of its labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Dealings {
    /// The dealing that counts, if one was ever written down.
    current: Option<(SplitPolicy, Timestamp, Id)>,
    /// Labels that are not newer than this were made by an earlier dealing.
    since: Option<Timestamp>,
    /// What a new one takes the place of.
    standing: Vec<Id>,
}

impl Dealings {
    pub(super) fn of(rows: &[LabelRow]) -> Self {
        let mut dealings: Vec<&Dealing> = Vec::new();
        let mut gone: BTreeSet<Id> = BTreeSet::new();
        for row in rows {
            match row {
                LabelRow::Split(dealing) => {
                    gone.extend(&dealing.replaces);
                    dealings.push(dealing);
                }
                LabelRow::Purge(purge) => gone.extend(&purge.purges),
                _ => {}
            }
        }
        dealings.retain(|dealing| !gone.contains(&dealing.id));
        let current = dealings.iter().max_by_key(|dealing| (dealing.time, dealing.id));
        Self {
            current: current.map(|dealing| (dealing.policy, dealing.time, dealing.id)),
            since: current.filter(|one| !one.replaces.is_empty()).map(|one| one.time),
            standing: dealings.iter().map(|dealing| dealing.id).collect(),
        }
    }

    /// Tells whether it was ever written down.
    pub(super) fn is_known(&self) -> bool {
        self.current.is_some()
    }

    /// Returns the row that says how cases are dealt from now on.
    pub(super) fn row(&self, host: &Host, policy: SplitPolicy) -> LabelRow {
        LabelRow::Split(Dealing {
            id: host.new_id(),
            time: (host.now)(),
            labeller: PROGRAM.to_owned(),
            policy,
            replaces: self.standing.clone(),
            other: Map::new(),
        })
    }
}

impl KnownCase {
    /// Returns where the case stands, as a label of today notes it.
    pub(super) fn dealt(&self) -> Dealt {
        Dealt { split: self.split, cluster: self.cluster.clone() }
    }
}

impl LabelWorld {
    /// Returns what has changed about the splits since cases were labelled, in words.
    pub(crate) fn split_changes(&self) -> Vec<String> {
        let (today, mut found) = (self.set.split, Vec::new());
        let mut is_drawn_otherwise = false;
        if let Some((then, ..)) = self.dealings.current {
            if then.seed != today.seed {
                found.push(format!("the seed was {} and is {}", then.seed, today.seed));
            }
            if then.shares != today.shares {
                found.push(format!("the shares were {} and are {}", shares(then), shares(today)));
            }
            is_drawn_otherwise = !found.is_empty();
        }
        let (mut clusters, mut splits) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for event in self.labels.events() {
            let is_older = self.dealings.since.is_some_and(|since| event.time <= since);
            let (Some(then), false) = (&event.dealt, is_older) else { continue };
            let Some(case) = self.cases.get(&event.subject.case) else { continue };
            let id = event.subject.case.as_str();
            if then.cluster != case.cluster {
                if seen.insert(id) {
                    let of = |cluster: &Option<String>| match cluster {
                        Some(cluster) => format!("the cluster `{cluster}`"),
                        None => "no cluster".to_owned(),
                    };
                    let (was, is) = (of(&then.cluster), of(&case.cluster));
                    clusters.push(format!("the labelled case `{id}` was in {was} and is in {is}"));
                }
            } else if then.split != case.split && !is_drawn_otherwise && seen.insert(id) {
                let (was, is) = (then.split.name(), case.split.name());
                splits.push(format!("the labelled case `{id}` was in {was} and is in {is}"));
            }
        }
        found.extend(named(clusters));
        found.extend(named(splits));
        found
    }

    /// Refuses a set whose labelled cases were dealt otherwise; `command` draws them anew.
    pub(crate) fn require_splits(&self, command: &str) -> Result<(), AppError> {
        let changes = self.split_changes();
        if changes.is_empty() {
            return Ok(());
        }
        let name = &self.folder.name;
        Err(AppError::input(format!(
            "the splits of `{name}` are no longer those in which its cases were labelled: {}",
            changes.join("; ")
        ))
        .with_hint(format!(
            "put that back, or draw the splits anew with `{command} --resplit`, which takes back the \
             certificates of the judges of `{name}`"
        )))
    }
}

fn named(mut changes: Vec<String>) -> Vec<String> {
    let more = changes.len().saturating_sub(NAMED);
    changes.truncate(NAMED);
    if let Some(last) = changes.last_mut().filter(|_| more > 0) {
        *last += &format!(", and {more} more likewise");
    }
    changes
}

fn shares(policy: SplitPolicy) -> String {
    let of = |split: Split| format!("{} {} %", split.name(), policy.shares.percent(split));
    Split::ALL.map(of).join(", ")
}

impl App {
    /// Takes the splits of a set as they are today for those of its labelled cases, and takes back what
    /// was certified by the earlier ones. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set, or a file of it or a certificate has errors.
    pub fn resplit(&self, folder: Option<&Path>, set: Option<&str>) -> Result<Resplit, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let eval_set = labelled_set(&store, &project, set)?;
        let world = open_world(&project, store, &eval_set)?;
        let changes = world.split_changes();
        let mut certificates = Vec::new();
        if !changes.is_empty() {
            // Before the row, so that whoever dies in between is refused again and not trusted.
            certificates = take_back(&project, &world)?;
            let row = world.dealings.row(&self.host, world.set.split);
            let (store, set) = (&world.store, &eval_set);
            wait(|done| store.add_labels(set, vec![row], LabelOrigin::Here, done))?;
            sync::write(&project, store, set, false)?;
        }
        Ok(Resplit { eval_set, changes, certificates })
    }
}

/// Takes a set out of the certificates of its judges, and returns those that had it.
fn take_back(project: &Project, world: &LabelWorld) -> Result<Vec<String>, AppError> {
    let judges: BTreeSet<&str> =
        world.set.judges.iter().map(|spec| spec.judge.name.as_str()).collect();
    let mut taken = Vec::new();
    for judge in judges {
        let (file, error) = project.certificate(judge)?;
        if let Some(error) = error {
            return Err(AppError::input(error.to_string())
                .with_hint("remove it and calibrate the judge again"));
        }
        let Some(mut certificate) = file.content.clone() else { continue };
        let before = certificate.calibrations.len();
        certificate.calibrations.retain(|entry| entry.set != world.folder.name);
        if certificate.calibrations.len() < before {
            file.write(&certificate.to_text())?;
            taken.push(file.path.to_string_lossy().into_owned());
        }
    }
    Ok(taken)
}
