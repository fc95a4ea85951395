use document::yaml::Entry;
use document::{Diagnostics, Fields, Span};

use super::Named;
use crate::read;

/// Judges of the set that decide a criterion together. Its verdict counts, and not theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct JurySpec {
    /// Its name, unique among checks, judges and juries.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The judges, by their names in this set; at least two, each once.
    pub members: Vec<Named>,
    /// How they come to a verdict.
    pub rule: JuryRule,
    /// The criterion that it serves, as its members do; its own name unless it says otherwise.
    pub criterion: Named,
    /// The share in 0..=1 from which the mean passes.
    pub threshold: Option<f64>,
    /// How much it counts in a weighted criterion, more than 0.
    pub weight: f64,
}

/// How a jury comes to a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JuryRule {
    /// What more than half of all members say; without that it is split.
    Majority,
    /// The mean of what they say, a pass counting as 1 and a fail as 0.
    Mean,
}

impl JuryRule {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Majority, Self::Mean];

    /// Returns the word that files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Majority => "majority",
            Self::Mean => "mean",
        }
    }
}

impl JurySpec {
    pub(super) fn read(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Self> {
        let place = format!("the jury `{}`", entry.key);
        read::check_name(&entry.key, entry.key_span, "jury", diagnostics);
        let mut fields = Fields::open(&entry.value, &place, diagnostics)?;
        fields.required("members", diagnostics)?;
        let span = fields.get("members").map_or(entry.key_span, |node| node.span);
        let members = fields.list("members", diagnostics).unwrap_or_default();
        let members: Vec<Named> =
            members.iter().filter_map(|node| read::name_of(node, "members", diagnostics)).collect();
        let words = JuryRule::ALL.map(JuryRule::name);
        let rule = read::word(&mut fields, "rule", &words, diagnostics);
        let rule = JuryRule::ALL.into_iter().find(|known| Some(known.name()) == rule);
        let rule = rule.unwrap_or(JuryRule::Majority);
        let threshold_span = fields.get("threshold").map(|node| node.span);
        let threshold = read::share(&mut fields, "threshold", diagnostics);
        let criterion = read::named(&mut fields, "criterion", diagnostics)
            .unwrap_or_else(|| Named { name: entry.key.clone(), span: entry.key_span });
        let weight = read::weight(&mut fields, diagnostics).unwrap_or(1.0);
        fields.warn_unknown(diagnostics);
        check_members(&place, &members, rule, span, diagnostics);
        if let (Some(span), JuryRule::Majority) = (threshold_span, rule) {
            let message = format!("{place} decides by majority, which has no `threshold`");
            diagnostics.error_with_hint("jury", span, message, "add `rule: mean`");
        }
        let (name, name_span) = (entry.key.clone(), entry.key_span);
        Some(Self { name, name_span, members, rule, criterion, threshold, weight })
    }
}

fn check_members(
    place: &str,
    members: &[Named],
    rule: JuryRule,
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    for (at, member) in members.iter().enumerate() {
        if members[..at].iter().any(|other| other.name == member.name) {
            let message = format!("`{}` is a member of {place} twice", member.name);
            diagnostics.error("jury", member.span, message);
        }
    }
    if members.len() < 2 {
        diagnostics.error("jury", span, format!("{place} has fewer than two members"));
    } else if members.len().is_multiple_of(2) && rule == JuryRule::Majority {
        let message = format!("{place} has an even number of members and may be split");
        let hint = "a split jury decides nothing: the cell is `skipped`";
        diagnostics.warning_with_hint("jury", span, message, hint);
    }
}
