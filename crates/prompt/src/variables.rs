//! The variables that a prompt uses, found without rendering it.

use std::collections::BTreeMap;
use std::fmt;

use document::{Position, Span};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::link::LinkedPrompt;

mod bound;
mod schema;
mod walk;

pub use bound::Unbound;

/// What a prompt and the partials that it reaches use, in the order of rendering.
#[derive(Debug, Clone)]
pub struct Variables {
    /// Every use.
    pub uses: Vec<VariableUse>,
    defaults: Map<String, Value>,
}

/// One use of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VariableUse {
    /// Which variable.
    pub path: VariablePath,
    /// The prompt's or the partial's file.
    pub file: String,
    /// The bytes of the path in the file.
    pub span: Span,
    /// The line and column of the path.
    pub position: Position,
    /// Whether the input schema says that it, or what contains it, may be absent.
    pub optional: bool,
    /// Whether it stands inside a conditional on itself or on what contains it (`{{#if x}}`,
    /// `{{#each x}}`), or is that condition.
    pub guarded: bool,
    /// After how many steps of the path a condition around the use tests what is there.
    #[serde(skip)]
    guards: Vec<usize>,
}

/// The path of a variable: `user.name`, `items[].price`, `@state.count`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariablePath {
    /// Where it comes from.
    pub root: VariableRoot,
    /// How to get there.
    pub steps: Vec<PathStep>,
}

/// Where a variable comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VariableRoot {
    /// The variables of the input, which a case binds.
    Input,
    /// The `@` variables, which the application binds.
    Context,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    /// To the member of a name, or the item of an index.
    Key(String),
    /// To every item of a list or member of an object.
    Items,
    /// To every item if it is a list; nowhere if it is something else.
    Inside,
}

impl VariablePath {
    pub(crate) fn new(root: VariableRoot) -> Self {
        Self { root, steps: Vec::new() }
    }

    pub(crate) fn then(mut self, steps: impl IntoIterator<Item = PathStep>) -> Self {
        self.steps.extend(steps);
        self
    }

    pub(crate) fn keys(self, parts: &[String]) -> Self {
        self.then(parts.iter().cloned().map(PathStep::Key))
    }

    /// Tells whether the other path is this one or leads to a part of it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.root == other.root && other.steps.starts_with(&self.steps)
    }
}

impl fmt::Display for VariablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.root == VariableRoot::Context {
            f.write_str("@")?;
        }
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                PathStep::Key(key) => write_key(f, key, at == 0)?,
                PathStep::Items => f.write_str("[]")?,
                PathStep::Inside => {}
            }
        }
        Ok(())
    }
}

/// Writes a key of a path; one that could be mistaken for something else stands in brackets.
pub(crate) fn write_key(f: &mut impl fmt::Write, key: &str, first: bool) -> fmt::Result {
    let plain = |character: char| character.is_alphanumeric() || "_-$".contains(character);
    if key.is_empty() || !key.chars().all(plain) {
        return write!(f, "[{}]", Value::from(key));
    }
    if !first {
        f.write_char('.')?;
    }
    f.write_str(key)
}

impl Serialize for VariablePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl LinkedPrompt {
    /// Returns the variables that the prompt uses, with their places.
    ///
    /// A value that is handed to a partial by name counts where the partial uses it. Variables of
    /// loops (`@index`) and `@metadata` are not listed. Takes time in proportion to the prompt with
    /// its partials written out.
    pub fn variables(&self) -> Variables {
        let uses = walk::uses(self);
        Variables { uses, defaults: self.prompt().front_matter.input.default.clone() }
    }
}

impl Variables {
    /// Returns the distinct variables and where each is used first.
    pub fn distinct(&self) -> Vec<&VariableUse> {
        let mut first = BTreeMap::new();
        for (at, found) in self.uses.iter().enumerate() {
            first.entry(&found.path).or_insert(at);
        }
        let mut places: Vec<usize> = first.into_values().collect();
        places.sort_unstable();
        places.into_iter().map(|at| &self.uses[at]).collect()
    }
}
