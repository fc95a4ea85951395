use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU64};

use chat::ModelRef;
use document::yaml::{self, Node};
use document::{Diagnostic, Diagnostics, Fields, SourceText, Span, nearest};

use super::{Budget, Criterion, EvalSet, GateSpec, JudgeSpec, Named, ScoreSource, VariantSpec};
use crate::check::CheckSpec;
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
            judges: items(&mut fields, "judges", diagnostics, JudgeSpec::read),
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
        let judges = self.judges.iter().map(|judge| (&judge.name, judge.judge.span));
        let mut seen = HashMap::new();
        for (name, span) in checks.chain(judges) {
            if seen.insert(name, span).is_some() {
                let message = format!("the name `{name}` is used by two checks or judges");
                diagnostics.error("duplicate-name", span, message);
            }
        }
        let users = self
            .checks
            .iter()
            .map(|check| (&check.name, &check.criterion, check.name_span, ScoreSource::Code))
            .chain(self.judges.iter().map(|judge| {
                (&judge.name, &judge.criterion.name, judge.criterion.span, ScoreSource::Judge)
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
                unknown_name("criterion", criterion, span, names, diagnostics);
            }
        }
        self.criteria.extend(implied);
        let criteria = || self.criteria.iter().map(|criterion| criterion.name.as_str());
        refer(self.primary.as_ref(), "criterion", criteria(), diagnostics);
        let variants = self.variants.iter().map(|variant| variant.name.as_str());
        refer(self.candidate.as_ref(), "variant", variants, diagnostics);
        for trust in &self.gate.judge_trust {
            let named = Named { name: trust.criterion.clone(), span: trust.span };
            refer(Some(&named), "criterion", criteria(), diagnostics);
        }
    }
}

/// Reports a name that refers to nothing.
fn refer<'n>(
    name: Option<&Named>,
    what: &str,
    known: impl Iterator<Item = &'n str> + Clone,
    diagnostics: &mut Diagnostics,
) {
    if let Some(name) = name
        && !known.clone().any(|known| known == name.name)
    {
        unknown_name(what, &name.name, name.span, known, diagnostics);
    }
}

fn unknown_name<'n>(
    what: &str,
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'n str>,
    diagnostics: &mut Diagnostics,
) {
    let known: Vec<_> = known.collect();
    let message = format!("there is no {what} `{name}`");
    let code = format!("unknown-{what}");
    match nearest(name, &known) {
        Some(near) => {
            diagnostics.error_with_hint(&code, span, message, format!("did you mean `{near}`?"));
        }
        None if known.is_empty() => diagnostics.error(&code, span, message),
        None => {
            let hint = format!("there are {}", known.join(", "));
            diagnostics.error_with_hint(&code, span, message, hint);
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

/// Reads a name with its place.
pub(super) fn named(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<Named> {
    let span = fields.get(key)?.span;
    Some(Named { name: fields.text(key, diagnostics)?.to_owned(), span })
}

/// Reads one of some words.
pub(super) fn word<'w>(
    fields: &mut Fields<'_>,
    key: &'static str,
    words: &[&'w str],
    diagnostics: &mut Diagnostics,
) -> Option<&'w str> {
    let found = named(fields, key, diagnostics)?;
    let known = words.iter().find(|word| **word == found.name).copied();
    if known.is_none() {
        let message = format!("found `{}` as `{key}`, expected {}", found.name, words.join(", "));
        diagnostics.error("unknown-word", found.span, message);
    }
    known
}

/// Reads a list of texts; one text is a list of one.
pub(super) fn texts(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    if let Some(text) = node.as_str() {
        return vec![text.to_owned()];
    }
    let mut found = Vec::new();
    for item in fields.list(key, diagnostics).unwrap_or_default() {
        let Some(text) = item.as_str() else {
            let message = format!("`{key}` must hold text, found {}", item.kind());
            diagnostics.error("wrong-kind", item.span, message);
            continue;
        };
        found.push(text.to_owned());
    }
    found
}

/// Reads the reference of a model.
pub(super) fn model(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<ModelRef> {
    let found = named(fields, "model", diagnostics)?;
    match found.name.parse() {
        Ok(model) => Some(model),
        Err(error) => {
            diagnostics.error("model", found.span, error.to_string());
            None
        }
    }
}

/// Reads a share in 0..=1.
pub(super) fn share(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<f64> {
    fields.get(key).and_then(|node| share_of(node, key, diagnostics))
}

/// Reads a node as a share in 0..=1.
pub(super) fn share_of(node: &Node, key: &str, diagnostics: &mut Diagnostics) -> Option<f64> {
    let number = if let yaml::Yaml::Number(number) = &node.value { number.as_f64() } else { None };
    let share = number.filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        let message = format!("`{key}` must be a number from 0 to 1");
        diagnostics.error("out-of-range", node.span, message);
    }
    share
}

/// Reads a whole number of 1 or more.
pub(super) fn positive(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<NonZeroU64> {
    let span = fields.get(key)?.span;
    let number = NonZeroU64::new(fields.count(key, diagnostics)?);
    if number.is_none() {
        diagnostics.error("out-of-range", span, format!("`{key}` must be 1 or more"));
    }
    number
}

/// Reads a whole number of 1 or more that fits 32 bits.
pub(super) fn positive32(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<NonZeroU32> {
    let span = fields.get(key)?.span;
    let number = positive(fields, key, diagnostics)?;
    let small = NonZeroU32::try_from(number).ok();
    if small.is_none() {
        diagnostics.error("out-of-range", span, format!("`{key}` is too large: {number}"));
    }
    small
}

/// Reports a name that reports, commands and files could not carry.
pub(super) fn check_name(name: &str, span: Span, what: &str, diagnostics: &mut Diagnostics) {
    let fine = |symbol: char| symbol.is_alphanumeric() || "._- ".contains(symbol);
    if name.trim() == name && !name.is_empty() && name.len() <= 100 && name.chars().all(fine) {
        return;
    }
    let message = format!("`{name}` cannot name a {what}");
    let hint = "use letters, digits, `.`, `_`, `-`, up to 100 bytes";
    diagnostics.error_with_hint("name", span, message, hint);
}
