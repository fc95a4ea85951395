use std::collections::HashMap;
use std::num::NonZeroU32;

use document::yaml::{self, Node};
use document::{Diagnostic, Diagnostics, Fields, SourceText, Span, refer};

use super::{Budget, Criterion, EvalSet, GateSpec, JudgeSpec, JurySpec, ScoreSource, VariantSpec};
use crate::check::CheckSpec;
use crate::read::{named, positive32};
use crate::{Split, SplitPolicy, SplitShares};

/// What a project says for all its eval sets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Defaults {
    /// The margin.
    pub margin: Option<f64>,
    /// How often each case is repeated.
    pub samples: Option<NonZeroU32>,
    /// The caps.
    pub budget: Budget,
    /// The gate.
    pub gate: GateSpec,
}

impl Defaults {
    /// Reads the `defaults` mapping of `trysquare.yaml`.
    pub fn read(node: &Node, diagnostics: &mut Diagnostics) -> Self {
        let Some(mut fields) = Fields::open(node, "`defaults`", diagnostics) else {
            return Self::default();
        };
        let defaults = Self {
            margin: margin(&mut fields, diagnostics),
            samples: positive32(&mut fields, "samples", diagnostics),
            budget: fields
                .get("budget")
                .map(|node| Budget::read(node, diagnostics))
                .unwrap_or_default(),
            gate: fields
                .get("gate")
                .map(|node| GateSpec::read(node, diagnostics))
                .unwrap_or_default(),
        };
        fields.warn_unknown(diagnostics);
        defaults
    }
}

impl EvalSet {
    /// Reads an `evalset.yaml`. `name` is the path that diagnostics show.
    ///
    /// Everything that is wrong is reported at once. Returns `None` only where the text is no YAML
    /// mapping; a part that could not be read is left out.
    pub fn read(name: &str, text: impl Into<String>) -> (Option<Self>, Vec<Diagnostic>) {
        let source = SourceText::new(name, text);
        let whole = Span::new(0, source.text().len());
        let mut diagnostics = Diagnostics::new(source);
        let set = yaml::parse(whole, &mut diagnostics)
            .and_then(|node| Self::read_node(&node, &mut diagnostics));
        (set, diagnostics.into_vec())
    }

    fn read_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::open(node, "an eval set", diagnostics)?;
        format_version(&mut fields, diagnostics);
        let mut set = Self {
            description: fields.text("description", diagnostics).map(str::to_owned),
            variants: entries(&mut fields, "variants", diagnostics, VariantSpec::read),
            candidate: named(&mut fields, "candidate", diagnostics),
            samples: positive32(&mut fields, "samples", diagnostics),
            seed: fields.count("seed", diagnostics).unwrap_or(0),
            margin: margin(&mut fields, diagnostics),
            primary: named(&mut fields, "primary", diagnostics),
            criteria: entries(&mut fields, "criteria", diagnostics, Criterion::read),
            checks: items(&mut fields, "checks", diagnostics, CheckSpec::read),
            judges: items(&mut fields, "judges", diagnostics, JudgeSpec::read)
                .into_iter()
                .flatten()
                .collect(),
            juries: entries(&mut fields, "juries", diagnostics, JurySpec::read),
            gate: fields
                .get("gate")
                .map(|node| GateSpec::read(node, diagnostics))
                .unwrap_or_default(),
            split: fields
                .get("split")
                .map(|node| read_split(node, diagnostics))
                .unwrap_or_default(),
            budget: fields
                .get("budget")
                .map(|node| Budget::read(node, diagnostics))
                .unwrap_or_default(),
        };
        fields.warn_unknown(diagnostics);
        set.connect(diagnostics);
        Some(set)
    }

    /// Checks that names are unique and refer to something, and adds the implied criteria.
    fn connect(&mut self, diagnostics: &mut Diagnostics) {
        let checks = self.checks.iter().map(|check| (&check.name, check.name_span));
        let judges = self.judges.iter().map(|judge| (&judge.name, judge.criterion.span));
        let juries = self.juries.iter().map(|jury| (&jury.name, jury.name_span));
        let mut seen = HashMap::new();
        for (name, span) in checks.chain(judges).chain(juries) {
            if seen.insert(name, span).is_some() {
                let message = format!("the name `{name}` is used by two checks, judges or juries");
                diagnostics.error("duplicate-name", span, message);
            }
        }
        self.imply_criteria(diagnostics);
        self.connect_juries(diagnostics);
        let criteria = || self.criteria.iter().map(|criterion| criterion.name.as_str());
        if let Some(primary) = &self.primary {
            refer("criterion", &primary.name, primary.span, criteria(), diagnostics);
        }
        if let Some(candidate) = &self.candidate {
            let variants = self.variants.iter().map(|variant| variant.name.as_str());
            refer("variant", &candidate.name, candidate.span, variants, diagnostics);
        }
        for trust in &self.gate.min_trust {
            refer("criterion", &trust.name, trust.span, criteria(), diagnostics);
        }
    }

    /// Adds the criteria that a check, jury or judge of the same name brings with it.
    fn imply_criteria(&mut self, diagnostics: &mut Diagnostics) {
        let checks = self
            .checks
            .iter()
            .map(|check| (&check.name, &check.criterion, check.name_span, ScoreSource::Code));
        // A jury before its members, which serve its criterion under other names.
        let juries = self.juries.iter().map(|jury| (&jury.name, &jury.criterion));
        let judges = self.judges.iter().map(|judge| (&judge.name, &judge.criterion));
        let users =
            checks.chain(juries.chain(judges).map(|(name, criterion)| {
                (name, &criterion.name, criterion.span, ScoreSource::Judge)
            }));
        let mut implied: Vec<Criterion> = Vec::new();
        for (name, criterion, span, source) in users {
            let known = |list: &[Criterion]| list.iter().any(|known| known.name == *criterion);
            if known(&self.criteria) || known(&implied) {
                continue;
            }
            if name == criterion {
                implied.push(Criterion::implied(name, span, source));
            } else {
                let names = self.criteria.iter().map(|criterion| criterion.name.as_str());
                refer("criterion", criterion, span, names, diagnostics);
            }
        }
        self.criteria.extend(implied);
    }

    /// Checks that the members of a jury are judges that serve its criterion, each in one jury.
    fn connect_juries(&self, diagnostics: &mut Diagnostics) {
        let mut sits_in: HashMap<&str, &str> = HashMap::new();
        for jury in &self.juries {
            for member in &jury.members {
                let names = self.judges.iter().map(|judge| judge.name.as_str());
                if !refer("judge", &member.name, member.span, names, diagnostics) {
                    continue;
                }
                let judge = self.judges.iter().find(|judge| judge.name == member.name);
                let (name, of) = (&jury.name, &jury.criterion.name);
                if let Some(judge) = judge.filter(|judge| judge.criterion.name != *of) {
                    let message = format!(
                        "`{}` serves the criterion `{}`, and its jury `{name}` serves `{of}`",
                        judge.name, judge.criterion.name
                    );
                    let hint = format!("give the judge `criterion: {of}`");
                    diagnostics.error_with_hint("jury", member.span, message, hint);
                }
                if let Some(other) = sits_in.insert(&member.name, name).filter(|one| one != name) {
                    let message =
                        format!("`{}` sits in two juries: `{other}` and `{name}`", member.name);
                    diagnostics.error("jury", member.span, message);
                }
            }
        }
    }
}

/// Refuses a file of a newer format than this program knows.
fn format_version(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    let span = fields.get("format").map(|node| node.span);
    if let (Some(span), Some(version)) = (span, fields.count("format", diagnostics))
        && version != 1
    {
        let message = format!("found format {version}, expected 1");
        let hint = "a newer Trysquare wrote this file; update yours";
        diagnostics.error_with_hint("format", span, message, hint);
    }
}

fn read_split(node: &Node, diagnostics: &mut Diagnostics) -> SplitPolicy {
    let default = SplitPolicy::default();
    let Some(mut fields) = Fields::open(node, "`split`", diagnostics) else { return default };
    let seed = fields.count("seed", diagnostics).unwrap_or(default.seed);
    let mut percent = |key| fields.count(key, diagnostics);
    let given = [percent("train"), percent("dev"), percent("test")];
    fields.warn_unknown(diagnostics);
    let all = Split::ALL.map(|split| u64::from(default.shares.percent(split)));
    let [train, dev, test] = match given {
        [None, None, None] => all,
        // One left out is what the others leave of the whole.
        [Some(train), Some(dev), None] => {
            [train, dev, 100_u64.saturating_sub(train.saturating_add(dev))]
        }
        [train, dev, test] => [train.unwrap_or(0), dev.unwrap_or(0), test.unwrap_or(0)],
    };
    let whole = train.checked_add(dev).and_then(|sum| sum.checked_add(test)) == Some(100);
    let shares = u8::try_from(train)
        .ok()
        .zip(u8::try_from(dev).ok())
        .filter(|_| whole)
        .and_then(|(train, dev)| SplitShares::new(train, dev));
    if shares.is_none() {
        let message =
            "`train`, `dev` and `test` of `split` must be whole percents that add up to 100";
        diagnostics.error("out-of-range", node.span, message);
    }
    SplitPolicy { seed, shares: shares.unwrap_or(default.shares) }
}

fn margin(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<f64> {
    let span = fields.get("margin")?.span;
    let margin = fields.number("margin", diagnostics)?;
    if margin > 0.0 && margin < 1.0 {
        return Some(margin);
    }
    let message = format!("`margin` must lie between 0 and 1, found {margin}");
    diagnostics.error_with_hint("out-of-range", span, message, "0.05 is five points");
    None
}

fn entries<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
    read: impl Fn(&yaml::Entry, &mut Diagnostics) -> Option<T>,
) -> Vec<T> {
    let entries = fields.mapping(key, diagnostics).unwrap_or_default();
    entries.iter().filter_map(|entry| read(entry, diagnostics)).collect()
}

fn items<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
    read: impl Fn(&Node, &mut Diagnostics) -> Option<T>,
) -> Vec<T> {
    let items = fields.list(key, diagnostics).unwrap_or_default();
    items.iter().filter_map(|item| read(item, diagnostics)).collect()
}
