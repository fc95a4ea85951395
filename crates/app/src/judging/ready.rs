use std::collections::BTreeMap;

use chat::Reply;
use evalset::{EvalSet, JudgeSpec};
use project::Project;
use run::Variant;
use score::{Judge, Judged, Outcome, judge_version, read_judge};
use serde_json::Map;
use store::Store;
use values::ContentHash;

use crate::AppError;
use crate::material::{Maker, ReadyVariant, fail_on_errors, ready_from_store, ready_prompt};

/// Makes the judges of an eval set ready, by the names that they have there: those that are named,
/// where a jury stands for its members, or all of them.
///
/// # Errors
/// [`crate::ErrorKind::Input`] with diagnostics if there is no such judge, or it cannot be used.
pub(crate) fn judges_from_files(
    project: &Project,
    set: &EvalSet,
    only: Option<&[String]>,
) -> Result<Vec<ReadyVariant>, AppError> {
    let only = only.map(|names| members(set, names));
    for name in only.iter().flatten() {
        if !set.judges.iter().any(|spec| spec.name == *name) {
            let judges = set.judges.iter().map(|spec| spec.name.as_str());
            let known: Vec<_> = judges.chain(set.juries.iter().map(|one| &*one.name)).collect();
            let error = AppError::input(format!("there is no judge `{name}`"));
            return Err(error.with_hint(match known.as_slice() {
                [] => {
                    "this eval set names none; add `judges: [NAME]` to its evalset.yaml".to_owned()
                }
                known => format!("this eval set has {}", known.join(", ")),
            }));
        }
    }
    let is_chosen = |spec: &&JudgeSpec| only.as_ref().is_none_or(|only| only.contains(&spec.name));
    let chosen = set.judges.iter().filter(is_chosen);
    chosen.map(|spec| judge_from_files(project, spec)).collect()
}

/// Returns names with those of its members in place of a jury's, and in place of a file in `judges/` that
/// has another name in the set those that it has there.
pub(crate) fn members(set: &EvalSet, names: &[String]) -> Vec<String> {
    let of = |name: &String| -> Vec<String> {
        if let Some(jury) = set.juries.iter().find(|jury| jury.name == *name) {
            return jury.members.iter().map(|member| member.name.clone()).collect();
        }
        let own = set.judges.iter().filter(|spec| spec.name == *name);
        let of_file = set.judges.iter().filter(|spec| spec.judge.name == *name);
        let found: Vec<String> = match own.count() {
            0 => of_file.map(|spec| spec.name.clone()).collect(),
            _ => Vec::new(),
        };
        if found.is_empty() { vec![name.clone()] } else { found }
    };
    names.iter().flat_map(of).collect()
}

fn judge_from_files(project: &Project, spec: &JudgeSpec) -> Result<ReadyVariant, AppError> {
    let file = &spec.judge.name;
    let known = project.judges.get(file).ok_or_else(|| {
        let names: Vec<_> = project.judges.keys().map(String::as_str).collect();
        AppError::input(format!("there is no judge `judges/{file}.prompt`"))
            .with_hint(format!("judges/ has {}", names.join(", ")))
    })?;
    let linked = known.linked.clone().ok_or_else(|| {
        AppError::input(format!("the judge `{file}` has errors"))
            .with_hint("`trysquare validate` lists them")
    })?;
    fail_on_errors(file, read_judge(&linked).1)?;
    ready_prompt(spec.name.clone(), file, linked, spec.model.clone(), &Map::new())
}

/// Returns the version of what a judge of a set says, by the version of what it is asked.
pub(crate) fn version_of(asked: ContentHash, spec: &JudgeSpec) -> ContentHash {
    judge_version(asked, spec.threshold, spec.reads.as_ref().map(|reads| &*reads.name))
}

/// Returns what a jury knows of a member: the version of what it reads, and the threshold.
pub(crate) fn member_version(asked: ContentHash, spec: &JudgeSpec) -> (ContentHash, Option<f64>) {
    let reads = spec.reads.as_ref().map(|reads| &*reads.name);
    (judge_version(asked, None, reads), spec.threshold)
}

/// A version of a judge whose replies can be read.
pub(crate) struct Reader {
    /// The judges of the set that read them: one, or one for each criterion that it answers on.
    pub(crate) specs: Vec<JudgeSpec>,
    pub(crate) judge: Judge,
    pub(crate) version: ContentHash,
}

impl Reader {
    /// Makes a reader for all judges of a set that share the calls of a judge that is ready.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] with diagnostics if it is no judge.
    pub(crate) fn of(ready: &ReadyVariant, set: &EvalSet) -> Result<Self, AppError> {
        let own = set.judges.iter().find(|spec| spec.name == ready.variant.name);
        let shares = |spec: &&JudgeSpec| {
            own.is_some_and(|own| own.judge.name == spec.judge.name && own.model == spec.model)
        };
        let specs = set.judges.iter().filter(shares).cloned().collect();
        Ok(Self { specs, judge: judge_of(ready)?, version: ready.variant.hash })
    }

    /// Reads what a reply says where a judge of the set reads it.
    pub(crate) fn read(&self, spec: &JudgeSpec, reply: &Reply) -> Judged {
        self.read_at(spec, reply, spec.threshold)
    }

    /// Reads it without a threshold: whether it can be read at all.
    pub(crate) fn read_plain(&self, spec: &JudgeSpec, reply: &Reply) -> Judged {
        self.read_at(spec, reply, None)
    }

    /// Reads it by another threshold than the judge's own.
    pub(crate) fn read_at(
        &self,
        spec: &JudgeSpec,
        reply: &Reply,
        threshold: Option<f64>,
    ) -> Judged {
        match &spec.reads {
            Some(reads) => self.judge.read_criterion(reply, &reads.name, threshold),
            None => self.judge.read(reply, threshold),
        }
    }

    /// Returns what is wrong with a reply; `None` if each judge of the set can read it. That a threshold
    /// cannot be applied is no reason to ask again: the answer would be the same.
    pub(crate) fn problem(&self, reply: &Reply) -> Option<String> {
        let judged = self.specs.iter().map(|spec| self.read_plain(spec, reply));
        let mut wrong = judged.filter(|judged| judged.outcome == Outcome::Unreadable);
        wrong.next().map(|judged| judged.reason)
    }
}

/// Makes readers of the replies of judges, by version; each reads for the judges of the set that are
/// given with its version. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the store has no copy of one, or it is none.
pub(crate) fn readers(
    store: &Store,
    set: &EvalSet,
    judges: &[Variant],
) -> Result<BTreeMap<ContentHash, Reader>, AppError> {
    let mut readers: BTreeMap<ContentHash, Reader> = BTreeMap::new();
    for variant in judges {
        let spec = set.judges.iter().find(|spec| spec.name == variant.name).cloned();
        if let Some(known) = readers.get_mut(&variant.hash) {
            known.specs.extend(spec);
            continue;
        }
        let judge = judge_of(&ready_from_store(store, variant)?)?;
        let reader = Reader { specs: spec.into_iter().collect(), judge, version: variant.hash };
        readers.insert(variant.hash, reader);
    }
    Ok(readers)
}

/// Reads how a judge that is ready answers.
pub(crate) fn judge_of(ready: &ReadyVariant) -> Result<Judge, AppError> {
    let name = &ready.variant.name;
    let Maker::Prompt(prompt) = &ready.maker else {
        return Err(AppError::input(format!("the judge `{name}` is no prompt")));
    };
    let (judge, found) = read_judge(&prompt.linked);
    judge.ok_or_else(|| {
        AppError::input(format!("the judge `{name}` cannot be used")).with_diagnostics(found)
    })
}

/// Returns judges without those that ask exactly what an earlier one asks.
pub(crate) fn distinct(judges: Vec<Variant>) -> Vec<Variant> {
    let mut seen: Vec<Variant> = Vec::with_capacity(judges.len());
    for judge in judges {
        if seen.iter().all(|known| known.hash != judge.hash) {
            seen.push(judge);
        }
    }
    seen
}

/// Returns what is recorded of judges.
pub(crate) fn variants_of(judges: Vec<ReadyVariant>) -> Vec<Variant> {
    judges.into_iter().map(|ready| ready.variant).collect()
}
