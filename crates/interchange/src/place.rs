use serde_json::Value;
use serde_json_path::{JsonPath, PathElement};

/// One step from a value into a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// Where in a row a value stands: a dotted name (`judges.first.0`), the name of a CSV column, or a
/// JSONPath that starts with `$`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    Dotted(String),
    Path(String, Box<JsonPath>),
}

/// A value of a row, with the steps that lead to it.
pub(crate) type Found<'v> = (Vec<Step>, &'v Value);

impl Place {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('$') {
            return Ok(Self::Dotted(text.to_owned()));
        }
        let path = JsonPath::parse(text).map_err(|error| error.to_string())?;
        Ok(Self::Path(text.to_owned(), Box::new(path)))
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Dotted(text) | Self::Path(text, _) => text,
        }
    }

    /// Returns what stands there: nothing, one value, or all that a JSONPath selects.
    pub(crate) fn find<'v>(&self, row: &'v Value) -> Vec<Found<'v>> {
        match self {
            Self::Dotted(name) => dotted(name, row).into_iter().collect(),
            Self::Path(_, path) => path
                .query_located(row)
                .into_iter()
                .map(|found| {
                    let steps = found.location().iter().map(|element| match element {
                        PathElement::Name(name) => Step::Key((*name).to_owned()),
                        PathElement::Index(index) => Step::Index(*index),
                    });
                    (steps.collect(), found.node())
                })
                .collect(),
        }
    }
}

/// Follows a dotted name. A key that has the whole name goes first, since columns are free to
/// contain dots.
fn dotted<'v>(name: &str, row: &'v Value) -> Option<Found<'v>> {
    if let Some(value) = row.get(name) {
        return Some((vec![Step::Key(name.to_owned())], value));
    }
    let (mut at, mut steps) = (row, Vec::new());
    for part in name.split('.') {
        let step = match at {
            Value::Array(_) => Step::Index(part.parse().ok()?),
            _ => Step::Key(part.to_owned()),
        };
        at = match &step {
            Step::Key(key) => at.get(key)?,
            Step::Index(index) => at.get(*index)?,
        };
        steps.push(step);
    }
    Some((steps, at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(place: &str, row: &Value) -> Vec<Value> {
        let place = Place::parse(place).unwrap();
        place.find(row).into_iter().map(|(_, value)| value.clone()).collect()
    }

    #[test]
    fn names_indices_and_paths_lead_to_the_same_value() {
        let row = json!({"human": [2, 1], "judges": {"GPT-4/CoT": {"x": 7}}, "a.b": 5});
        assert_eq!(values("human.1", &row), [json!(1)]);
        assert_eq!(values("$.human[1]", &row), [json!(1)]);
        assert_eq!(values("judges.GPT-4/CoT.x", &row), [json!(7)]);
        assert_eq!(values("a.b", &row), [json!(5)]);
        assert_eq!(values("$.human[*]", &row), [json!(2), json!(1)]);
        assert_eq!(values("human.2", &row), Vec::<Value>::new());
    }

    #[test]
    fn a_path_that_is_none_is_refused() {
        assert!(Place::parse("$.[").is_err());
    }
}
