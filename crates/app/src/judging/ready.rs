use std::collections::BTreeMap;

use evalset::{EvalSet, JudgeSpec};
use project::Project;
use run::Variant;
use score::{Judge, read_judge};
use serde_json::Map;
use store::Store;
use values::ContentHash;

use crate::AppError;
use crate::material::{Maker, ReadyVariant, fail_on_errors, ready_from_store, ready_prompt};

/// Makes the judges of an eval set ready, by the names that they have there: those that are named, or
/// all of them.
///
/// # Errors
/// [`crate::ErrorKind::Input`] with diagnostics if there is no such judge, or it cannot be used.
pub(crate) fn judges_from_files(
    project: &Project,
    set: &EvalSet,
    only: Option<&[String]>,
) -> Result<Vec<ReadyVariant>, AppError> {
    for name in only.unwrap_or_default() {
        if !set.judges.iter().any(|spec| spec.name == *name) {
            let known: Vec<_> = set.judges.iter().map(|spec| spec.name.as_str()).collect();
            let error = AppError::input(format!("there is no judge `{name}`"));
            return Err(error.with_hint(match known.as_slice() {
                [] => {
                    "this eval set names none; add `judges: [NAME]` to its evalset.yaml".to_owned()
                }
                known => format!("this eval set has {}", known.join(", ")),
            }));
        }
    }
    let chosen = set.judges.iter().filter(|spec| only.is_none_or(|only| only.contains(&spec.name)));
    chosen.map(|spec| judge_from_files(project, spec)).collect()
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

/// A judge whose replies can be read.
pub(crate) struct Reader {
    /// The names in the set of what it is asked for.
    pub(crate) names: Vec<String>,
    pub(crate) judge: Judge,
    pub(crate) version: ContentHash,
}

/// Makes readers of the replies of judges, by version. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the store has no copy of one, or it is none.
pub(crate) fn readers(
    store: &Store,
    judges: &[Variant],
) -> Result<BTreeMap<ContentHash, Reader>, AppError> {
    let mut readers: BTreeMap<ContentHash, Reader> = BTreeMap::new();
    for variant in judges {
        if let Some(known) = readers.get_mut(&variant.hash) {
            known.names.push(variant.name.clone());
            continue;
        }
        let ready = ready_from_store(store, variant)?;
        let judge = judge_of(&ready)?;
        let (names, version) = (vec![variant.name.clone()], variant.hash);
        readers.insert(version, Reader { names, judge, version });
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
