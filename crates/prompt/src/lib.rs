//! Dotprompt: parsing, schemas, rendering, identity and structural comparison of prompts.
//!
//! A `.prompt` file becomes a [`Prompt`] ([`parse`]), which is linked with the partials that it
//! reaches ([`link`]). Only a [`LinkedPrompt`] renders, has a version and knows its variables: its
//! partials exist and contain no cycle, and its expanded size is bounded.
//!
//! Pure: text and values in, values out. Nothing here reads a file or a clock or calls a model.
//! Invariants: a variable's value is never parsed as a template or a marker; rendering ends, within
//! [`MAX_NESTING`] levels, [`MAX_OUTPUT_BYTES`] bytes and [`MAX_STEPS`] steps, or is an error.

mod diff;
mod front_matter;
mod identity;
mod input_schema;
mod link;
mod message;
mod picoschema;
mod prompt;
mod render;
mod source;
mod template;
mod variables;

pub use diff::{
    Fragment, Line, LineKind, PartialChange, PartialDiff, PromptDiff, Side, TextDiff, ValueChange,
    diff,
};
pub use front_matter::{DISPLAY_KEYS, FrontMatter, Input, NamedTool, Output};
pub use input_schema::{InputSchema, Schema, SchemaError, SchemaProblem};
pub use link::{LinkedPrompt, link};
pub use message::{RenderedMessage, RenderedPart};
pub use picoschema::Schemas;
pub use prompt::{Partial, Partials, Prompt, parse, parse_partial};
pub use render::{RenderError, RenderFailure, RenderInput, Rendered};
pub use variables::{PathStep, Unbound, VariablePath, VariableRoot, VariableUse, Variables};

/// How deep blocks, arguments and partials may nest.
pub const MAX_NESTING: usize = 64;
/// The most bytes that a prompt may render, 16 MiB.
pub const MAX_OUTPUT_BYTES: usize = 16 << 20;
/// The most statements that one rendering may execute; values that it copies count too.
pub const MAX_STEPS: usize = 10_000_000;
