//! From text to statements: Handlebars' grammar, written down by hand.
//!
//! Bounded: blocks and arguments nest at most [`MAX_NESTING`] deep. The first error of the grammar
//! ends the parse; errors of meaning (an unknown helper) are collected.

use document::{Diagnostics, Span};

use super::ast::{
    Block, BlockStrips, Call, Content, Helper, HelperCall, Inline, Mustache, PARTIAL_BLOCK,
    Partial, Path, PathRoot, Program, Statement, Strip,
};
use super::cursor::Cursor;
use super::expression::Head;
use super::helper::{self, Place};
use crate::MAX_NESTING;

/// The first error of the grammar.
pub(super) struct SyntaxError {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl SyntaxError {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) struct Parser<'t, 'd> {
    pub(super) cursor: Cursor<'t>,
    pub(super) diagnostics: &'d mut Diagnostics,
    /// The names that `as |…|` gave, innermost last.
    pub(super) names: Vec<Vec<String>>,
    pub(super) depth: usize,
}

/// How a tag opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Plain,
    /// `{{{…}}}`, which is the same here: nothing is escaped.
    Unescaped,
    Block,
    Inverse,
    Partial,
    PartialBlock,
    Inline,
    Else,
    Close,
}

/// A tag that ends an arm, read up to the place that its kind needs.
struct End {
    tag: Tag,
    strip_open: bool,
    start: usize,
}

/// The name of a tag that opens a block, and its place.
struct Opening<'t> {
    name: &'t str,
    span: Span,
}

/// What stands after the first arm of a block.
struct Tail {
    inverse: Option<Program>,
    inverse_strip: Strip,
    close_strip: Strip,
}

impl<'t> Parser<'t, '_> {
    /// Parses the whole text.
    pub(super) fn template(&mut self) -> Parsed<Program> {
        let (program, end) = self.program()?;
        match end {
            None => Ok(program),
            Some(End { tag: Tag::Close, start, .. }) => {
                let span = self.cursor.span_from(start);
                Err(SyntaxError::new(span, "this closes a block that was not opened"))
            }
            Some(End { start, .. }) => {
                Err(SyntaxError::new(self.cursor.span_from(start), "`else` stands outside a block"))
            }
        }
    }

    /// Parses statements up to the end of the text or of the arm.
    fn program(&mut self) -> Parsed<(Program, Option<End>)> {
        let mut program = Program::default();
        loop {
            self.content(&mut program.body);
            if self.cursor.is_at_end() {
                return Ok((program, None));
            }
            if let Some(end) = self.tag(&mut program.body)? {
                return Ok((program, Some(end)));
            }
        }
    }

    /// Reads text up to the next tag; `\{{` makes a tag text, `\\{{` is a backslash before a tag.
    fn content(&mut self, body: &mut Vec<Statement>) {
        loop {
            let rest = self.cursor.rest();
            let Some(tag) = rest.find("{{") else {
                push_content(body, rest);
                self.cursor.advance(rest.len());
                return;
            };
            self.cursor.advance(tag);
            let text = &rest[..tag];
            if let Some(kept) = text.strip_suffix('\\') {
                push_content(body, kept);
                if kept.ends_with('\\') {
                    return;
                }
                let escaped = self.cursor.rest();
                let length = escaped_length(escaped);
                push_content(body, &escaped[..length]);
                self.cursor.advance(length);
            } else {
                push_content(body, text);
                return;
            }
        }
    }

    /// Parses one tag; one that ends the arm is returned.
    fn tag(&mut self, body: &mut Vec<Statement>) -> Parsed<Option<End>> {
        let start = self.cursor.offset();
        if self.cursor.starts_with("{{{{") {
            body.push(self.raw_block(start)?);
            return Ok(None);
        }
        self.cursor.advance(2);
        let strip_open = self.cursor.eat("~");
        if self.cursor.eat("!") {
            body.push(self.comment(start, strip_open)?);
            return Ok(None);
        }
        let tag = self.tag_kind();
        match tag {
            Tag::Close | Tag::Else => return Ok(Some(End { tag, strip_open, start })),
            Tag::Plain | Tag::Unescaped => body.push(self.mustache(tag, start, strip_open)?),
            Tag::Block | Tag::Inverse => body.push(self.block(tag, start, strip_open)?),
            Tag::Partial => body.push(self.partial(start, strip_open)?),
            Tag::PartialBlock => body.push(self.partial_block(start, strip_open)?),
            Tag::Inline => body.push(self.inline(start, strip_open)?),
        }
        Ok(None)
    }

    fn tag_kind(&mut self) -> Tag {
        let kinds = [
            ("#>", Tag::PartialBlock),
            ("#*", Tag::Inline),
            ("#", Tag::Block),
            ("/", Tag::Close),
            (">", Tag::Partial),
            ("{", Tag::Unescaped),
            ("&", Tag::Plain),
        ];
        for (sign, tag) in kinds {
            if self.cursor.eat(sign) {
                return tag;
            }
        }
        if self.cursor.eat("^") {
            let mut ahead = self.cursor.clone();
            ahead.skip_spaces();
            let is_else = ahead.starts_with("~}}") || ahead.starts_with("}}");
            return if is_else { Tag::Else } else { Tag::Inverse };
        }
        let mut ahead = self.cursor.clone();
        ahead.skip_spaces();
        if ahead.is_at_word("else") {
            ahead.advance("else".len());
            self.cursor = ahead;
            return Tag::Else;
        }
        Tag::Plain
    }

    fn comment(&mut self, start: usize, strip_open: bool) -> Parsed<Statement> {
        let unclosed = SyntaxError::new(Span::new(start, start + 2), "this comment is not closed");
        let rest = self.cursor.rest();
        // `--` ends the comment only right before the closing braces.
        let closed = if rest.starts_with("--") {
            [("--}}", false), ("--~}}", true)]
                .into_iter()
                .filter_map(|(end, strip)| rest.find(end).map(|at| (at + end.len(), strip)))
                .min()
        } else {
            rest.find("}}").map(|at| (at + 2, rest[..at].ends_with('~')))
        };
        let (length, close) = closed.ok_or(unclosed)?;
        self.cursor.advance(length);
        Ok(Statement::Comment(Strip { open: strip_open, close }))
    }

    fn mustache(&mut self, tag: Tag, start: usize, strip_open: bool) -> Parsed<Statement> {
        let call = self.call(start, Place::Inline)?;
        if tag == Tag::Unescaped && !self.cursor.eat("}") {
            return Err(self.expected("`}}}`"));
        }
        let close = self.close_tag()?;
        let strip = Strip { open: strip_open, close };
        Ok(Statement::Mustache(Mustache { call, strip }))
    }

    fn block(&mut self, tag: Tag, start: usize, strip_open: bool) -> Parsed<Statement> {
        self.enter(start)?;
        self.cursor.skip_spaces();
        let name_start = self.cursor.offset();
        let name = self.tag_name();
        let span = Span::new(name_start, name_start + name.len());
        let call = self.call(start, Place::Block)?;
        let names = self.block_names()?;
        let strip = Strip { open: strip_open, close: self.close_tag()? };
        let opening = Opening { name, span };
        self.names.push(names.clone());
        let arm = self.program();
        self.names.pop();
        let (mut program, end) = arm?;
        program.names = names;
        let tail = self.tail(&opening, end)?;
        self.depth -= 1;
        let (mut program, mut inverse) = (Some(program), tail.inverse);
        if tag == Tag::Inverse {
            std::mem::swap(&mut program, &mut inverse);
        }
        let strips =
            BlockStrips { open: strip, inverse: tail.inverse_strip, close: tail.close_strip };
        Ok(Statement::Block(Box::new(Block { call, program, inverse, strips })))
    }

    /// Parses what follows the first arm: `else`, `else if …`, and the closing tag.
    fn tail(&mut self, opening: &Opening<'_>, end: Option<End>) -> Parsed<Tail> {
        let Some(end) = end else {
            let message = format!("the block `{}` is not closed", opening.name);
            return Err(SyntaxError::new(opening.span, message)
                .with_hint(format!("close it with {{{{/{}}}}}", opening.name)));
        };
        if end.tag == Tag::Close {
            let close_strip = self.close_block(opening, &end)?;
            return Ok(Tail { inverse: None, inverse_strip: Strip::default(), close_strip });
        }
        self.cursor.skip_spaces();
        if self.cursor.starts_with("}}") || self.cursor.starts_with("~}}") {
            let inverse_strip = Strip { open: end.strip_open, close: self.close_tag()? };
            let (inverse, close) = self.program()?;
            let Some(close) = close.filter(|end| end.tag == Tag::Close) else {
                let message = format!("the block `{}` is not closed", opening.name);
                return Err(SyntaxError::new(opening.span, message)
                    .with_hint("after `else`, only the closing tag may follow"));
            };
            let close_strip = self.close_block(opening, &close)?;
            return Ok(Tail { inverse: Some(inverse), inverse_strip, close_strip });
        }
        self.chained(opening, &end)
    }

    /// Parses `else if …` and what follows: a block whose closing tag is that of the outer one.
    fn chained(&mut self, opening: &Opening<'_>, end: &End) -> Parsed<Tail> {
        self.enter(end.start)?;
        let call = self.call(end.start, Place::Block)?;
        let names = self.block_names()?;
        let inverse_strip = Strip { open: end.strip_open, close: self.close_tag()? };
        self.names.push(names.clone());
        let arm = self.program();
        self.names.pop();
        let (mut program, next) = arm?;
        program.names = names;
        let mut tail = self.tail(opening, next)?;
        self.depth -= 1;
        // handlebars.js closes the second and later `else if` with its own tag's `~`, not with that
        // of the closing tag. Templates must render alike, so this does too.
        if let Some(Statement::Block(inner)) = tail.inverse.as_mut().and_then(Program::only_chained)
        {
            inner.strips.close = tail.inverse_strip;
        }
        let block = Block {
            call,
            program: Some(program),
            inverse: tail.inverse,
            strips: BlockStrips {
                open: inverse_strip,
                inverse: tail.inverse_strip,
                close: tail.close_strip,
            },
        };
        let inverse = Program {
            body: vec![Statement::Block(Box::new(block))],
            chained: true,
            names: Vec::new(),
        };
        Ok(Tail { inverse: Some(inverse), inverse_strip, close_strip: tail.close_strip })
    }

    /// Parses a closing tag after its slash and compares its name with the opening one's.
    fn close_block(&mut self, opening: &Opening<'_>, end: &End) -> Parsed<Strip> {
        self.cursor.skip_spaces();
        let start = self.cursor.offset();
        let name = self.tag_name();
        self.cursor.advance(name.len());
        let span = self.cursor.span_from(start);
        let close = self.close_tag()?;
        let bare = |name: &'_ str| name.trim_matches(['"', '\'', '[', ']']).to_owned();
        if bare(name) != bare(opening.name) {
            let line = self.diagnostics.source().position(opening.span.start).line;
            let message =
                format!("`{name}` is closed here, but `{}` of line {line} is open", opening.name);
            return Err(SyntaxError::new(span, message));
        }
        Ok(Strip { open: end.strip_open, close })
    }

    /// Returns the name that an opening or closing tag starts with, as written.
    fn tag_name(&self) -> &'t str {
        let rest = self.cursor.rest();
        let end = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map(|at| at + 2),
            _ => None,
        };
        let stops = |character: char| character.is_whitespace() || "~}()|=".contains(character);
        let end = end.unwrap_or_else(|| rest.find(stops).unwrap_or(rest.len()));
        &rest[..end]
    }

    fn partial(&mut self, start: usize, strip_open: bool) -> Parsed<Statement> {
        let mut partial = self.partial_call(start)?;
        partial.strips.open = Strip { open: strip_open, close: self.close_tag()? };
        Ok(Statement::Partial(Box::new(partial)))
    }

    fn partial_block(&mut self, start: usize, strip_open: bool) -> Parsed<Statement> {
        self.enter(start)?;
        let mut partial = self.partial_call(start)?;
        let strip = Strip { open: strip_open, close: self.close_tag()? };
        let opening = Opening { name: &partial.name.clone(), span: partial.name_span };
        let (program, close_strip) = self.only_arm(&opening)?;
        partial.block = Some(program);
        partial.strips = BlockStrips { open: strip, inverse: Strip::default(), close: close_strip };
        Ok(Statement::Partial(Box::new(partial)))
    }

    fn inline(&mut self, start: usize, strip_open: bool) -> Parsed<Statement> {
        self.enter(start)?;
        self.cursor.skip_spaces();
        let name = self.cursor.peek_name();
        let span = Span::new(self.cursor.offset(), self.cursor.offset() + name.len());
        if name != "inline" {
            return Err(SyntaxError::new(span, format!("no decorator is called `{name}`"))
                .with_hint("the only one is {{#*inline \"name\"}}…{{/inline}}"));
        }
        self.cursor.advance(name.len());
        self.cursor.skip_spaces();
        let (partial, _) = self.partial_name()?;
        let strip = Strip { open: strip_open, close: self.close_tag()? };
        let (program, close) = self.only_arm(&Opening { name: "inline", span })?;
        let strips = BlockStrips { open: strip, inverse: Strip::default(), close };
        Ok(Statement::Inline(Box::new(Inline { name: partial, program, strips })))
    }

    /// Parses the arm of a block that has no `else`, and its closing tag.
    fn only_arm(&mut self, opening: &Opening<'_>) -> Parsed<(Program, Strip)> {
        let (program, end) = self.program()?;
        let tail = self.tail(opening, end)?;
        self.depth -= 1;
        if tail.inverse.is_some() {
            let message = format!("the block `{}` cannot have an `else`", opening.name);
            return Err(SyntaxError::new(opening.span, message));
        }
        Ok((program, tail.close_strip))
    }

    fn partial_call(&mut self, start: usize) -> Parsed<Partial> {
        self.cursor.skip_spaces();
        let (name, name_span) = self.partial_name()?;
        let (mut params, hash) = self.arguments(start)?;
        if params.len() > 1 {
            let message = "a partial takes at most one context, and named values";
            return Err(SyntaxError::new(self.cursor.span_from(start), message));
        }
        let (indent, strips) = (String::new(), BlockStrips::default());
        Ok(Partial { name, name_span, context: params.pop(), hash, indent, block: None, strips })
    }

    /// Parses the name of a partial, which must be written out: a version includes the partials
    /// that its prompt reaches, so they must be known without rendering.
    fn partial_name(&mut self) -> Parsed<(String, Span)> {
        let start = self.cursor.offset();
        if self.cursor.starts_with("(") {
            return Err(SyntaxError::new(self.cursor.span_here(), "a partial's name is computed")
                .with_hint("write the name out: the prompt's version includes its partials"));
        }
        if self.cursor.eat(PARTIAL_BLOCK) {
            return Ok((PARTIAL_BLOCK.to_owned(), self.cursor.span_from(start)));
        }
        if let Some(text) = self.string()? {
            return Ok((text, self.cursor.span_from(start)));
        }
        let rest = self.cursor.rest();
        let stops = |character: char| character.is_whitespace() || "~}()|=\"'".contains(character);
        let name = &rest[..rest.find(stops).unwrap_or(rest.len())];
        if name.is_empty() {
            return Err(self.expected("the name of a partial"));
        }
        self.cursor.advance(name.len());
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        Ok((bare.to_owned(), self.cursor.span_from(start)))
    }

    /// Parses `{{{{name}}}}…{{{{/name}}}}`, whose content is text.
    fn raw_block(&mut self, start: usize) -> Parsed<Statement> {
        self.cursor.advance(4);
        self.cursor.skip_spaces();
        let name = self.tag_name();
        let call = self.call(start, Place::Block)?;
        if !self.cursor.eat("}}}}") {
            return Err(self.expected("`}}}}`"));
        }
        let Some(text) = self.cursor.take_until(&format!("{{{{{{{{/{name}}}}}}}}}")) else {
            let message = format!("the raw block `{name}` is not closed");
            return Err(SyntaxError::new(Span::new(start, start + 4), message));
        };
        let mut program = Program::default();
        push_content(&mut program.body, text);
        let strips = BlockStrips::default();
        let block = Block { call, program: Some(program), inverse: None, strips };
        Ok(Statement::Block(Box::new(block)))
    }

    /// Parses a variable or a helper with its arguments, up to the closing braces.
    fn call(&mut self, start: usize, place: Place) -> Parsed<Call> {
        self.cursor.skip_spaces();
        let head = self.head()?;
        let (params, hash) = self.arguments(start)?;
        let span = self.cursor.span_from(start);
        let plain = params.is_empty() && hash.is_empty();
        let (name, path) = match head {
            Head::Literal(path) => (None, path),
            Head::Path { simple, path } => (simple, path),
        };
        let known = name.as_deref().and_then(Helper::named);
        if let Some(helper) = known {
            let call = HelperCall { helper, params, hash, span };
            helper::check(&call, place, self.diagnostics);
            return Ok(Call::Helper(call));
        }
        if !plain {
            match name {
                Some(name) => helper::report_unknown(&name, path.span, self.diagnostics),
                None => self.diagnostics.error(
                    "helper-arguments",
                    path.span,
                    "a variable takes no arguments, and only helpers do",
                ),
            }
        }
        Ok(Call::Lookup(path))
    }

    /// Parses `as |item index|`.
    fn block_names(&mut self) -> Parsed<Vec<String>> {
        self.cursor.skip_spaces();
        let mut ahead = self.cursor.clone();
        if !ahead.is_at_word("as") {
            return Ok(Vec::new());
        }
        ahead.advance("as".len());
        ahead.skip_spaces();
        if !ahead.eat("|") {
            return Ok(Vec::new());
        }
        self.cursor = ahead;
        let mut names = Vec::new();
        loop {
            self.cursor.skip_spaces();
            if self.cursor.eat("|") {
                return Ok(names);
            }
            let name = self.cursor.peek_name();
            if name.is_empty() || names.len() == 2 {
                return Err(self.expected(if names.len() == 2 { "`|`" } else { "a name or `|`" }));
            }
            self.cursor.advance(name.len());
            names.push(name.to_owned());
        }
    }

    /// Takes the end of a tag; tells whether it strips the whitespace after it.
    fn close_tag(&mut self) -> Parsed<bool> {
        self.cursor.skip_spaces();
        let strip = self.cursor.eat("~");
        if self.cursor.eat("}}") { Ok(strip) } else { Err(self.expected("`}}`")) }
    }

    pub(super) fn enter(&mut self, start: usize) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= MAX_NESTING {
            return Ok(());
        }
        let message = format!("nested more than {MAX_NESTING} levels deep");
        Err(SyntaxError::new(Span::new(start, start + 1), message))
    }

    pub(super) fn expected(&self, what: &str) -> SyntaxError {
        let found = match self.cursor.rest().chars().next() {
            None => "the end of the template".to_owned(),
            Some('\n' | '\r') => "the end of the line".to_owned(),
            Some(character) => format!("`{character}`"),
        };
        SyntaxError::new(self.cursor.span_here(), format!("expected {what}, found {found}"))
    }

    /// Tells whether `as |…|` gave this name here.
    pub(super) fn is_block_name(&self, name: &str) -> bool {
        self.names.iter().flatten().any(|known| known == name)
    }

    /// Makes a path to one name of the context.
    pub(super) fn context_path(name: String, span: Span) -> Path {
        Path { root: PathRoot::Context(0), parts: vec![name], span }
    }
}

/// Returns the length of the text that a backslash keeps from being a tag: up to the next tag.
fn escaped_length(text: &str) -> usize {
    let mut ends = text.match_indices("{{").map(|(at, _)| at).skip_while(|at| *at < 2);
    let end = ends.next().unwrap_or(text.len());
    // Backslashes before the next tag belong to it, not to this text.
    end - text[..end].bytes().rev().take(2).take_while(|byte| *byte == b'\\').count().min(2)
}

/// Adds text with LF line ends; empty text is no statement.
fn push_content(body: &mut Vec<Statement>, text: &str) {
    if text.is_empty() {
        return;
    }
    let original = super::with_lf(text).into_owned();
    let value = original.clone();
    let (left_stripped, right_stripped) = (false, false);
    body.push(Statement::Content(Content { original, value, left_stripped, right_stripped }));
}
