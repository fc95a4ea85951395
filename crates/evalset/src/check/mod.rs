//! The specification of checks, as data: read from YAML with positions, compiled, and hashed.
//!
//! A check is a deterministic test of an output. What is here says what a check asks; `score`
//! answers it. Everything that can be wrong with a check apart from the case's values is found when
//! it is read. Not here: which criterion combines which checks, and whether a program is declared.

mod compiled;
mod read;
mod read_kind;
mod spec;
mod template;
#[cfg(test)]
mod tests;

pub use compiled::{
    JsonPath, MAX_PATH_CHARS, MAX_PATH_COMMAS, MAX_PATH_DEPTH, MAX_PATH_DESCENTS, MAX_REGEX_BYTES,
    MAX_SCHEMA_BYTES, Pattern, Schema, SchemaError,
};
pub use read::MAX_GROUP_DEPTH;
pub use spec::{
    CheckSpec, Combination, Equality, FinishReasons, Kind, LengthUnit, Measure, Part, Range, Test,
};
pub use template::{
    Bindings, JsonTemplate, Placeholder, ResolveError, TemplateError, TextList, TextTemplate,
    json_kind,
};

/// The tag of a check's hash: the kind of document and its format version.
pub const CHECK_HASH_TAG: &str = "trysquare-check-v1";
