//! Reading the text that a person wrote: positions, diagnostics, YAML with spans.
//!
//! Prompts, eval sets and project settings are all edited by hand, so all of them need the same
//! three things: to say where something is wrong, to say everything that is wrong at once, and to
//! know which bytes a value came from. Pure: text in, values and diagnostics out. What a key means
//! is not known here.

mod diagnostic;
pub mod edit;
mod escape;
mod fields;
mod text;
pub mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Excerpt, Severity};
pub use escape::{escape_into, is_deceptive};
pub use fields::{Fields, nearest, refer};
pub use text::{Position, SourceText, Span};
