use document::yaml::{Node, Yaml};
use document::{Diagnostics, Fields};
use values::NanoDollars;

/// The most that may be spent, in dollars, each cap on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// On one request.
    pub request: Option<NanoDollars>,
    /// On one run.
    pub run: Option<NanoDollars>,
    /// On one day (UTC), over all runs of the project on this machine.
    pub day: Option<NanoDollars>,
    /// On the project, over all time on this machine.
    pub project: Option<NanoDollars>,
}

impl Budget {
    /// Reads a `budget` mapping.
    pub fn read(node: &Node, diagnostics: &mut Diagnostics) -> Self {
        let Some(mut fields) = Fields::open(node, "`budget`", diagnostics) else {
            return Self::default();
        };
        let mut cap = |key| fields.get(key).and_then(|node| dollars(node, key, diagnostics));
        let budget = Self {
            request: cap("request_usd"),
            run: cap("run_usd"),
            day: cap("day_usd"),
            project: cap("project_usd"),
        };
        fields.warn_unknown(diagnostics);
        budget
    }

    /// Takes what is open here from `other`.
    pub fn fill_from(&mut self, other: &Self) {
        self.request = self.request.or(other.request);
        self.run = self.run.or(other.run);
        self.day = self.day.or(other.day);
        self.project = self.project.or(other.project);
    }
}

/// Reads an amount in dollars from the digits as they stand in the file, so that none is rounded.
pub(crate) fn dollars(
    node: &Node,
    key: &str,
    diagnostics: &mut Diagnostics,
) -> Option<NanoDollars> {
    let text = match &node.value {
        Yaml::Number(_) => diagnostics.source().text().get(node.span.start..node.span.end),
        Yaml::String(text) => Some(text.as_str()),
        _ => None,
    };
    let amount = text.and_then(NanoDollars::parse_dollars);
    if amount.is_none() {
        let message = format!(
            "`{key}` must be dollars as a plain decimal such as 0.25, with at most nine decimals"
        );
        diagnostics.error("wrong-kind", node.span, message);
    }
    amount
}
