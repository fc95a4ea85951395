//! Finding what a person names as a side of a comparison.

use project::Project;
use run::{RunHeader, RunState};
use store::Store;
use values::Id;

use crate::material::counting_settings;
use crate::{AppError, ErrorKind};

/// A column of a run.
#[derive(Debug, Clone)]
pub(crate) struct RunSide {
    pub(crate) header: RunHeader,
    /// The variant's place in the header.
    pub(crate) variant: u32,
}

impl RunSide {
    fn is_same(&self, other: &Self) -> bool {
        self.header.id == other.header.id && self.variant == other.variant
    }
}

/// Finds the sides that are named, the baseline first.
///
/// A name is `RUN/VARIANT`, a run (`latest`, an id or its beginning), whose only variant or whose
/// candidate it stands for, or a variant of the newest run that has all that are named so, of `set`
/// if that is given.
pub(crate) fn find_sides(
    project: &Project,
    store: &Store,
    names: &[String],
    set: Option<&str>,
) -> Result<Vec<RunSide>, AppError> {
    let mut finder = Finder { project, store, set, named: None };
    finder.named = finder.with_all(names)?;
    let mut sides: Vec<RunSide> = Vec::new();
    for name in names {
        let side = finder.side(name)?;
        if let Some(state) = finder.still_running(&side)? {
            return Err(state);
        }
        if sides.iter().any(|other| other.is_same(&side)) {
            return Err(AppError::input(format!("`{name}` names results that are named already"))
                .with_hint("a variant of an earlier run is named RUN/VARIANT"));
        }
        if let Some(first) = sides.first()
            && first.header.eval_set != side.header.eval_set
        {
            return Err(AppError::input(format!(
                "`{}` and `{name}` are of different eval sets: `{}` and `{}`",
                names[0], first.header.eval_set, side.header.eval_set
            ))
            .with_hint("only results on the same cases can be compared"));
        }
        sides.push(side);
    }
    Ok(sides)
}

struct Finder<'a> {
    project: &'a Project,
    store: &'a Store,
    set: Option<&'a str>,
    /// The newest run that has every variant that is named alone.
    named: Option<RunHeader>,
}

/// A variant that is named alone is looked for in so many runs, the newest first.
const LOOKED_THROUGH: u32 = 200;

impl Finder<'_> {
    fn side(&self, name: &str) -> Result<RunSide, AppError> {
        if name == "latest" {
            return self.of_run(name, self.latest()?.ok_or_else(|| self.no_runs())?);
        }
        if let Some((run, variant)) = name.split_once('/') {
            let header = if run == "latest" {
                self.latest()?.ok_or_else(|| self.no_runs())?
            } else {
                let run = self.run(run)?.ok_or_else(|| no_run(run))?;
                self.store.run_header(run)?
            };
            let known = variants(&header);
            return column(header, variant).ok_or_else(|| {
                AppError::input(format!("the run `{run}` has no variant `{variant}`"))
                    .with_hint(format!("it has {known}"))
            });
        }
        let latest = match &self.named {
            Some(header) => Some(header.clone()),
            None => self.latest()?,
        };
        let variant = latest.clone().and_then(|header| column(header, name));
        match (variant, self.run(name)?) {
            (Some(_), Some(_)) => {
                Err(AppError::input(format!("`{name}` names both a variant and a run"))
                    .with_hint(format!("say latest/{name}, or more digits of the run")))
            }
            (Some(side), None) => Ok(side),
            (None, Some(run)) => self.of_run(name, self.store.run_header(run)?),
            (None, None) => Err(self.unknown(name, latest.as_ref())),
        }
    }

    /// The column that a run stands for: its only one, or the one that its eval set calls candidate.
    fn of_run(&self, name: &str, header: RunHeader) -> Result<RunSide, AppError> {
        if header.variants.len() == 1 {
            return Ok(RunSide { header, variant: 0 });
        }
        let set = counting_settings(self.store, &header, &self.project.config.defaults)?;
        let known = variants(&header);
        let candidate = set.candidate.and_then(|candidate| column(header, &candidate.name));
        candidate.ok_or_else(|| {
            AppError::input(format!("the run `{name}` has several variants"))
                .with_hint(format!("say {name}/VARIANT; it has {known}"))
        })
    }

    /// Refuses a run that goes on: interim numbers carry no verdict.
    fn still_running(&self, side: &RunSide) -> Result<Option<AppError>, AppError> {
        let id = side.header.id;
        Ok((self.store.run_state(id)? == RunState::Running).then(|| {
            AppError::input(format!(
                "the run {id} is still going, so that a verdict would be interim"
            ))
            .with_hint(format!("wait for it, or end it with `trysquare cancel {id}`"))
        }))
    }

    fn run(&self, name: &str) -> Result<Option<Id>, AppError> {
        match self.store.find_runs(name, 2)?.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            _ => Err(AppError::input(format!("more than one run begins with `{name}`"))
                .with_hint("give more digits of the id; `trysquare runs` lists them")),
        }
    }

    /// The newest run, of the eval set that is asked for, that has all variants that are named alone.
    fn with_all(&self, names: &[String]) -> Result<Option<RunHeader>, AppError> {
        let mut variants = Vec::new();
        for name in names.iter().filter(|name| *name != "latest" && !name.contains('/')) {
            if self.store.find_runs(name, 1)?.is_empty() {
                variants.push(name.as_str());
            }
        }
        if variants.is_empty() {
            return Ok(None);
        }
        let has_all = |header: &RunHeader| {
            let has = |name: &&str| header.variants.iter().any(|one| one.name == **name);
            variants.iter().all(has)
        };
        let headers = self.store.run_headers(self.set, None, LOOKED_THROUGH)?;
        Ok(headers.into_iter().find(has_all))
    }

    /// The latest run, of the eval set that is asked for.
    fn latest(&self) -> Result<Option<RunHeader>, AppError> {
        Ok(self.store.run_headers(self.set, None, 1)?.pop())
    }

    fn no_runs(&self) -> AppError {
        let of = self.set.map(|set| format!(" of `{set}`")).unwrap_or_default();
        AppError::input(format!("this project has no runs{of} yet"))
            .with_hint(format!("start one with `trysquare run {}`", self.set.unwrap_or("EVALSET")))
    }

    fn unknown(&self, name: &str, latest: Option<&RunHeader>) -> AppError {
        let Some(latest) = latest else { return self.no_runs() };
        let hint = format!(
            "that run, of `{}`, has {}; --set chooses another eval set, RUN/VARIANT another run",
            latest.eval_set,
            variants(latest)
        );
        AppError::new(
            ErrorKind::Input,
            format!("`{name}` is neither a run nor a variant of the latest run"),
        )
        .with_hint(hint)
    }
}

fn no_run(name: &str) -> AppError {
    AppError::input(format!("there is no run `{name}`"))
        .with_hint("`trysquare runs` lists them; `latest` is the newest")
}

fn variants(header: &RunHeader) -> String {
    let names: Vec<_> = header.variants.iter().map(|one| one.name.as_str()).collect();
    names.join(", ")
}

fn column(header: RunHeader, name: &str) -> Option<RunSide> {
    let found = (0u32..).zip(&header.variants).find(|(_, variant)| variant.name == name);
    let variant = found?.0;
    Some(RunSide { header, variant })
}
