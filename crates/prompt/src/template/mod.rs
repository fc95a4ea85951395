//! The template language: Handlebars, parsed into statements with their places.
//!
//! Handlebars' own grammar, white space control and helpers, with three differences that make a
//! template safe to render and its version well defined: nesting is bounded, the name of a partial
//! must be written out, and a helper that does not exist is an error when parsing.

mod ast;
mod cursor;
mod expression;
mod helper;
mod parser;
mod whitespace;

use std::borrow::Cow;

use document::{Diagnostics, Span};

pub(crate) use ast::{
    Block, Call, Expr, Helper, HelperCall, Inline, PARTIAL_BLOCK, Partial, Path, PathRoot, Program,
    Statement,
};
pub(crate) use helper::is_truthy;
pub(crate) use whitespace::is_space;

/// Parses the part `range` of the collection's text as a template.
///
/// Returns `None` if its grammar is broken; the reason is added to the diagnostics, whose spans are
/// those of the whole text.
pub(crate) fn parse(range: Span, diagnostics: &mut Diagnostics) -> Option<Program> {
    let source = diagnostics.source().clone();
    let text = source.text().get(range.start..range.end)?;
    let cursor = cursor::Cursor::new(text, range.start);
    let mut parser = parser::Parser { cursor, diagnostics, names: Vec::new(), depth: 0 };
    match parser.template() {
        Ok(mut program) => {
            whitespace::control(&mut program);
            Some(program)
        }
        Err(error) => {
            match error.hint {
                Some(hint) => {
                    let (span, message) = (error.span, error.message);
                    diagnostics.error_with_hint("template-syntax", span, message, hint);
                }
                None => diagnostics.error("template-syntax", error.span, error.message),
            }
            None
        }
    }
}

/// Returns the text with LF line ends.
pub(crate) fn with_lf(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}
