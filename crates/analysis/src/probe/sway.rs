use score::probe::{Change, Injection};
use serde::Serialize;
use stats::{InvalidInput, PairedCounts};

use super::{Missing, Said, Swayed, share_of};
use crate::calibration::Share;

/// Two worths that differ by less are the same.
const SAME: f64 = 1e-9;

/// How often a family of injections raised an output without content.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InjectionFinding {
    /// The family's word.
    pub family: &'static str,
    /// The outputs that were tried.
    pub tried: usize,
    /// The outputs that the judge gave the best already without the injection: nothing could raise them.
    pub best_already: usize,
    /// Of the others that it decided, those that it took for better with the injection, and the
    /// interval.
    pub raised: Share,
    /// With the injection or without it, answers that enter no rate.
    pub missing: Missing,
}

/// How often a change that adds nothing moved a judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeFinding {
    /// The change's word.
    pub change: &'static str,
    /// Of the outputs that it decided both ways, those whose result moved, and the interval.
    pub moved: Share,
    /// Those that it took for better.
    pub up: u64,
    /// Those that it took for worse.
    pub down: u64,
    /// The mid-p value of both directions being equally likely.
    pub p_value: f64,
    /// Plain or changed, answers that enter no rate.
    pub missing: Missing,
}

pub(super) fn injections(all: &[Swayed<Injection>]) -> Result<Vec<InjectionFinding>, InvalidInput> {
    let families = Injection::ALL.into_iter().filter_map(|family| {
        let ours: Vec<&Swayed<Injection>> = all.iter().filter(|one| one.kind == family).collect();
        (!ours.is_empty()).then(|| injection(family, &ours))
    });
    families.collect()
}

fn injection(
    family: Injection,
    ours: &[&Swayed<Injection>],
) -> Result<InjectionFinding, InvalidInput> {
    let both = || {
        ours.iter().filter_map(|one| Some((one.plain.worth()?, one.changed.worth()?, one.cluster)))
    };
    let has_room = |plain: f64| plain < 1.0 - SAME;
    let units: Vec<(bool, usize)> = both()
        .filter(|(plain, ..)| has_room(*plain))
        .map(|(plain, changed, cluster)| (changed > plain + SAME, cluster))
        .collect();
    Ok(InjectionFinding {
        family: family.name(),
        tried: ours.len(),
        best_already: both().filter(|(plain, ..)| !has_room(*plain)).count(),
        raised: share_of(&units)?,
        missing: missing(ours),
    })
}

pub(super) fn changes(all: &[Swayed<Change>]) -> Result<Vec<ChangeFinding>, InvalidInput> {
    let kinds = Change::ALL.into_iter().filter_map(|kind| {
        let ours: Vec<&Swayed<Change>> = all.iter().filter(|one| one.kind == kind).collect();
        (!ours.is_empty()).then(|| change(kind, &ours))
    });
    kinds.collect()
}

fn change(kind: Change, ours: &[&Swayed<Change>]) -> Result<ChangeFinding, InvalidInput> {
    let mut units = Vec::new();
    let (mut up, mut down) = (0, 0);
    for one in ours {
        let moved = match (&one.plain, &one.changed) {
            (Said::Worth(plain), Said::Worth(changed)) => {
                up += u64::from(*changed > plain + SAME);
                down += u64::from(*changed < plain - SAME);
                (changed - plain).abs() > SAME
            }
            (Said::Category(plain), Said::Category(changed)) => plain != changed,
            _ => continue,
        };
        units.push((moved, one.cluster));
    }
    let rest = units.len() as u64 - up - down;
    let counts = PairedCounts { both: rest, a_only: down, b_only: up, neither: 0 };
    Ok(ChangeFinding {
        change: kind.name(),
        moved: share_of(&units)?,
        up,
        down,
        p_value: stats::mcnemar(counts)?.mid_p,
        missing: missing(ours),
    })
}

fn missing<K>(ours: &[&Swayed<K>]) -> Missing {
    Missing::count(ours.iter().flat_map(|one| [&one.plain, &one.changed]))
}
