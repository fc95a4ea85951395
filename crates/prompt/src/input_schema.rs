//! Checking values against a JSON Schema, with the path to what is wrong.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::link::LinkedPrompt;
use crate::variables::write_key;

/// A compiled JSON Schema.
///
/// Patterns run on a linear-time engine, and no reference to another document is followed.
#[derive(Debug)]
pub struct Schema {
    validator: jsonschema::Validator,
}

/// A JSON Schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It is nested too deep.
    #[error("the schema is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// It has too many values.
    #[error("the schema has more than {MAX_VALUES} values")]
    TooLarge,
    /// It is not a JSON Schema, or refers to another document.
    #[error("this is not a usable JSON Schema: {message} (at `{path}`)")]
    Invalid {
        /// Where in the schema.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// One thing that is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: {message}", if path.is_empty() { "the whole value" } else { path })]
pub struct SchemaProblem {
    /// The path to the wrong value (`user.tags[2]`); empty for the whole value.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// Deeper schemas are refused.
const MAX_DEPTH: usize = 64;
/// Larger schemas are refused.
const MAX_VALUES: usize = 20_000;
/// More problems of one value are not listed.
const MAX_PROBLEMS: usize = 20;
/// A longer message is cut: it may quote the value.
const MAX_MESSAGE_CHARS: usize = 400;
/// The most memory of one compiled pattern, 1 MiB.
const MAX_PATTERN_BYTES: usize = 1 << 20;

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// [`SchemaError`] if it is too large, is not a JSON Schema, has a pattern that the linear-time
    /// engine does not know (look-around, back-references), or refers to another document.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        measure(schema, 0, &mut 0)?;
        let patterns = jsonschema::PatternOptions::regex()
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES);
        let built = jsonschema::options().with_pattern_options(patterns).offline().build(schema);
        match built {
            Ok(validator) => Ok(Self { validator }),
            Err(error) => {
                let path = path_of(error.instance_path().as_str(), schema);
                Err(SchemaError::Invalid { path, message: shortened(&error.to_string()) })
            }
        }
    }

    /// Tells whether the value is valid.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Returns what is wrong with a value, the first 20 problems.
    pub fn problems(&self, value: &Value) -> Vec<SchemaProblem> {
        let errors = self.validator.iter_errors(value).take(MAX_PROBLEMS);
        let problem = |error: jsonschema::ValidationError<'_>| SchemaProblem {
            path: path_of(error.instance_path().as_str(), value),
            message: shortened(&error.to_string()),
        };
        errors.map(problem).collect()
    }
}

/// The schema of a prompt's input, together with its defaults.
#[derive(Debug)]
pub struct InputSchema {
    schema: Schema,
    defaults: Map<String, Value>,
}

impl LinkedPrompt {
    /// Compiles the schema of the prompt's input; `None` if it has none.
    ///
    /// # Errors
    /// [`SchemaError`] if the schema cannot be used.
    pub fn input_schema(&self) -> Result<Option<InputSchema>, SchemaError> {
        let input = &self.prompt().front_matter.input;
        let compile = |schema| {
            let schema = Schema::compile(schema)?;
            Ok(InputSchema { schema, defaults: input.default.clone() })
        };
        input.schema.as_ref().map(compile).transpose()
    }
}

impl InputSchema {
    /// Returns what is wrong with the variables of a case, defaults filled in.
    pub fn problems(&self, variables: &Map<String, Value>) -> Vec<SchemaProblem> {
        let mut merged = self.defaults.clone();
        merged.extend(variables.clone());
        self.schema.problems(&Value::Object(merged))
    }
}

fn measure(value: &Value, depth: usize, values: &mut usize) -> Result<(), SchemaError> {
    *values += 1;
    if depth > MAX_DEPTH {
        return Err(SchemaError::TooDeep);
    }
    if *values > MAX_VALUES {
        return Err(SchemaError::TooLarge);
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| measure(item, depth + 1, values)),
        Value::Object(map) => map.values().try_for_each(|item| measure(item, depth + 1, values)),
        _ => Ok(()),
    }
}

fn shortened(message: &str) -> String {
    let mut short: String = message.chars().take(MAX_MESSAGE_CHARS).collect();
    if short.len() < message.len() {
        short.push('…');
    }
    short
}

/// Writes a JSON pointer as the paths of templates are written.
fn path_of(pointer: &str, mut value: &Value) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        let first = path.is_empty();
        let next = if let Value::Array(items) = value {
            path.push_str(&format!("[{key}]"));
            key.parse::<usize>().ok().and_then(|at| items.get(at))
        } else {
            write_key(&mut path, &key, first).expect("writing to a string does not fail");
            value.get(&key)
        };
        value = next.unwrap_or(&Value::Null);
    }
    path
}
