use std::collections::BTreeMap;

use document::{Diagnostic, Diagnostics, SourceText, Span, nearest};
use evalset::{CriterionKind, EvalSet, LabelValue};

use super::{LabelMap, ValueKind, ValueMap};

impl LabelMap {
    /// Makes the mapping one for an eval set: its criteria must be there and have the kind of values
    /// that the mapping gives. Where a criterion has categories, no other is then accepted of a row.
    ///
    /// `name` and `text` are those of the mapping. Returns what does not fit; each says what to do.
    pub fn bind(&mut self, name: &str, text: &str, set: &EvalSet) -> Vec<Diagnostic> {
        let mut found = Diagnostics::new(SourceText::new(name, text));
        for column in &mut self.labels {
            bind(&column.criterion, column.span, &mut column.map, set, &mut found);
        }
        for column in &mut self.judges {
            bind(&column.criterion, column.span, &mut column.map, set, &mut found);
        }
        found.into_vec()
    }
}

fn bind(name: &str, span: Span, map: &mut ValueMap, set: &EvalSet, found: &mut Diagnostics) {
    let Some(criterion) = set.criterion(name) else {
        let known: Vec<&str> = set.criteria.iter().map(|one| one.name.as_str()).collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add it to evalset.yaml: `criteria: {{{name}: {}}}`", map.declared()),
        };
        let message = format!("the eval set has no criterion `{name}`");
        found.error_with_hint("unknown-criterion", span, message, hint);
        return;
    };
    match (map.kind, &criterion.kind) {
        // People and judges compare outputs by any criterion.
        (ValueKind::Preference, _)
        | (ValueKind::Binary, CriterionKind::Binary)
        | (ValueKind::Number { .. }, CriterionKind::Graded) => {}
        (ValueKind::Category, CriterionKind::Categorical { categories, .. }) => {
            only(categories, name, span, map, found);
        }
        (_, kind) => {
            let (word, wanted) = match kind {
                CriterionKind::Binary => ("binary", "passes or fails"),
                CriterionKind::Graded => ("number", "is graded"),
                CriterionKind::Categorical { .. } => ("category", "has categories"),
            };
            let message = format!("`{name}` {wanted}, the mapping gives another kind of value");
            let hint = format!("say `as: {word}`, and what each value stands for under `map`");
            found.error_with_hint("kind", span, message, hint);
        }
    }
}

/// Refuses categories that the criterion does not have; without words its own are expected.
fn only(
    categories: &[String],
    name: &str,
    span: Span,
    map: &mut ValueMap,
    found: &mut Diagnostics,
) {
    let unknown = map.words.values().flatten().find_map(|value| match value {
        LabelValue::Category(word) if !categories.contains(word) => Some(word),
        _ => None,
    });
    if let Some(word) = unknown {
        let message = format!("`{name}` has no category `{word}`");
        let hint = format!("it has {}", categories.join(", "));
        found.error_with_hint("unknown-category", span, message, hint);
    }
    if map.words.is_empty() {
        let own = |word: &String| (word.clone(), Some(LabelValue::Category(word.clone())));
        map.words = categories.iter().map(own).collect::<BTreeMap<_, _>>();
    }
}

impl ValueMap {
    /// Returns how a criterion of such values is declared.
    fn declared(&self) -> String {
        match self.kind {
            ValueKind::Binary | ValueKind::Preference => "{kind: binary}".to_owned(),
            ValueKind::Number { .. } => "{kind: graded}".to_owned(),
            ValueKind::Category => {
                let words = self.words.values().flatten().filter_map(|value| match value {
                    LabelValue::Category(word) => Some(word.as_str()),
                    _ => None,
                });
                let words: Vec<&str> = words.collect();
                format!("{{kind: categorical, categories: [{}]}}", words.join(", "))
            }
        }
    }
}
