//! Plan-time strictness: which variables a case leaves open.

use document::{Position, Span};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{PathStep, VariableRoot, VariableUse, Variables, write_key};
use crate::render::member;
use crate::template::is_truthy;

/// A variable that a prompt uses and a case does not bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file}:{}:{}: the variable `{variable}` is not bound", position.line, position.column)]
pub struct Unbound {
    /// The variable, with the index of the item that lacks it (`items[3].price`).
    pub variable: String,
    /// The prompt's or the partial's file.
    pub file: String,
    /// The bytes of the first use in the file.
    pub span: Span,
    /// Its line and column.
    pub position: Position,
}

impl Variables {
    /// Returns the variables that these values leave unbound, each once, where it is used first.
    ///
    /// Defaults of the front matter bind. A variable that its schema makes optional is not missed,
    /// nor one inside a conditional on itself, or on what contains it, whose condition is not met.
    /// A variable that is given as null is bound. `@` variables are the application's to bind.
    pub fn unbound(&self, variables: &Map<String, Value>) -> Vec<Unbound> {
        let mut found: Vec<Unbound> = Vec::new();
        for used in &self.uses {
            if used.optional || used.path.root == VariableRoot::Context {
                continue;
            }
            let Some(variable) = self.missing(used, variables) else { continue };
            if !found.iter().any(|known| known.variable == variable) {
                found.push(Unbound {
                    variable,
                    file: used.file.clone(),
                    span: used.span,
                    position: used.position,
                });
            }
        }
        found
    }

    /// Returns the first place of a use that has no value; `None` if all have one, or if a condition
    /// around the use is not met there.
    fn missing(&self, used: &VariableUse, variables: &Map<String, Value>) -> Option<String> {
        let (PathStep::Key(first), rest) = used.path.steps.split_first()? else { return None };
        let mut name = String::new();
        push_key(&mut name, first);
        let value = variables.get(first).or_else(|| self.defaults.get(first));
        let search = Search { steps: rest, taken: 1, guards: &used.guards };
        search.next(value, name)
    }
}

/// A walk along a path in search of a place without a value.
#[derive(Clone, Copy)]
struct Search<'s> {
    steps: &'s [PathStep],
    taken: usize,
    /// After how many steps a condition tests the value.
    guards: &'s [usize],
}

impl Search<'_> {
    /// Goes on at a value, whose place is `name`.
    fn next(self, value: Option<&Value>, name: String) -> Option<String> {
        if self.guards.contains(&self.taken) && !is_truthy(value, false) {
            return None;
        }
        let Some(value) = value else { return Some(name) };
        let (step, steps) = self.steps.split_first()?;
        let rest = Self { steps, taken: self.taken + 1, ..self };
        let longer = |key: &str| {
            let mut longer = name.clone();
            push_key(&mut longer, key);
            longer
        };
        match (step, value) {
            (PathStep::Key(key), _) => rest.next(member(value, key).as_deref(), longer(key)),
            (PathStep::Items | PathStep::Inside, Value::Array(items)) => items
                .iter()
                .enumerate()
                .find_map(|(at, item)| rest.next(Some(item), format!("{name}[{at}]"))),
            (PathStep::Items, Value::Object(map)) => {
                map.iter().find_map(|(key, item)| rest.next(Some(item), longer(key)))
            }
            // A loop over something else has no turns.
            (PathStep::Items, _) => None,
            (PathStep::Inside, _) => rest.next(Some(value), name),
        }
    }
}

fn push_key(name: &mut String, key: &str) {
    let first = name.is_empty();
    write_key(name, key, first).expect("writing to a string does not fail");
}
