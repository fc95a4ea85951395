//! Executing statements.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use document::Span;
use serde_json::{Map, Value, json};

use super::frame::{BlockOfPartial, Data, Frame, Turn};
use super::output::{Output, Piece};
use super::value::{self, Found, follow};
use super::{RenderError, RenderFailure, RenderInput};
use crate::link::LinkedPrompt;
use crate::message::parse_role;
use crate::template::{
    Block, Call, Expr, Helper, HelperCall, PARTIAL_BLOCK, Partial, Path, PathRoot, Program,
    Statement, is_truthy,
};
use crate::{MAX_NESTING, MAX_OUTPUT_BYTES, MAX_STEPS};

type Result<T> = std::result::Result<T, RenderError>;

/// Renders a prompt into text and marks.
pub(super) fn run(linked: &LinkedPrompt, input: &RenderInput) -> Result<Output> {
    let root = Value::Object(linked.with_defaults(&input.variables));
    let template = linked.prompt().template();
    let engine = Engine {
        linked,
        input,
        root: &root,
        metadata: OnceCell::new(),
        steps: Cell::new(0),
        bytes: Cell::new(0),
        depth: Cell::new(0),
    };
    let frame = Frame {
        file: template,
        program: &template.program,
        context: Some(&root),
        parent: None,
        counts: true,
        starts_file: true,
        names: Vec::new(),
        provided: None,
    };
    let data = Data { parent: None, turn: None, block: None };
    let mut output = Output::default();
    engine.program(&frame, &data, template.span, &mut output)?;
    Ok(output)
}

struct Engine<'e> {
    linked: &'e LinkedPrompt,
    input: &'e RenderInput,
    root: &'e Value,
    metadata: OnceCell<Value>,
    steps: Cell<usize>,
    bytes: Cell<usize>,
    depth: Cell<usize>,
}

impl Engine<'_> {
    /// Renders the program of a frame; `span` is what called it.
    fn program<'f>(
        &'f self,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        span: Span,
        output: &mut Output,
    ) -> Result<()> {
        if self.depth.get() == MAX_NESTING {
            return Err(fail(frame, span, RenderFailure::TooDeep));
        }
        self.depth.set(self.depth.get() + 1);
        for statement in &frame.program.body {
            self.step(1, frame, span)?;
            match statement {
                Statement::Content(content) => {
                    self.text(&content.value, frame, span, output)?;
                }
                Statement::Mustache(mustache) => match &mustache.call {
                    Call::Lookup(path) => {
                        if let Some(value) = self.path(path, frame, data) {
                            self.text(&value::to_text(&value), frame, path.span, output)?;
                        }
                    }
                    Call::Helper(call) => self.inline_helper(call, frame, data, output)?,
                },
                Statement::Block(block) => self.block(block, frame, data, output)?,
                Statement::Partial(partial) => self.partial(partial, frame, data, output)?,
                Statement::Inline(_) | Statement::Comment(_) => {}
            }
        }
        self.depth.set(self.depth.get() - 1);
        Ok(())
    }

    fn inline_helper<'f>(
        &'f self,
        call: &'f HelperCall,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        match call.helper {
            Helper::Json | Helper::Lookup => {
                if let Some(value) = self.call(call, frame, data)? {
                    self.text(&value::to_text(&value), frame, call.span, output)?;
                }
            }
            Helper::Role => {
                let role = self.text_of(call.params.first(), frame, data)?.unwrap_or_default();
                let Some(parsed) = parse_role(&role) else {
                    let shown = role.chars().take(80).collect();
                    return Err(fail(frame, call.span, RenderFailure::UnknownRole(shown)));
                };
                let mut metadata = Map::new();
                for (key, expr) in &call.hash {
                    let text = self.text_of(Some(expr), frame, data)?.unwrap_or_default();
                    self.count(text.len(), frame, call.span)?;
                    metadata.insert(key.clone(), Value::String(text));
                }
                output.mark(Piece::Role { role: parsed, metadata });
            }
            Helper::History => output.mark(Piece::History),
            Helper::Section => {
                let name = self.text_of(call.params.first(), frame, data)?.unwrap_or_default();
                self.count(name.len(), frame, call.span)?;
                output.mark(Piece::Section(name));
            }
            Helper::Media => self.media(call, frame, data, output)?,
            // Parsing lets the other helpers stand only as blocks, or they render nothing (`log`).
            _ => {}
        }
        Ok(())
    }

    fn media<'f>(
        &'f self,
        call: &'f HelperCall,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        let url = self.optional(call.named("url"), frame, data)?;
        let url = match url.as_deref() {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(url)) if url.is_empty() => return Ok(()),
            Some(Value::String(url)) => url.clone(),
            Some(_) => return Err(fail(frame, call.span, RenderFailure::MediaUrl)),
        };
        let content_type = self.text_of(call.named("contentType"), frame, data)?;
        self.count(url.len(), frame, call.span)?;
        let content_type = content_type.filter(|text| !text.is_empty());
        output.mark(Piece::Media { url, content_type });
        Ok(())
    }

    fn block<'f>(
        &'f self,
        block: &'f Block,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        let call = match &block.call {
            Call::Lookup(path) => {
                let value = self.path(path, frame, data);
                return self.value_block(block, value.as_deref(), path.span, frame, data, output);
            }
            Call::Helper(call) => call,
        };
        let first = self.optional(call.params.first(), frame, data)?;
        let chosen = match call.helper {
            Helper::If | Helper::Unless => {
                let include_zero = self.optional(call.named("includeZero"), frame, data)?;
                let include_zero = is_truthy(include_zero.as_deref(), false);
                is_truthy(first.as_deref(), include_zero) == (call.helper == Helper::If)
            }
            Helper::IfEquals | Helper::UnlessEquals => {
                let second = self.optional(call.params.get(1), frame, data)?;
                let weight = first.as_deref().map_or(1, value::weight);
                self.step(weight, frame, call.span)?;
                let equal = value::is_equal(first.as_deref(), second.as_deref());
                equal == (call.helper == Helper::IfEquals)
            }
            Helper::Each => {
                return self.each(block, first.as_deref(), call.span, frame, data, output);
            }
            Helper::With => {
                if is_truthy(first.as_deref(), true) {
                    return self.with(block, first.as_deref(), call.span, frame, data, output);
                }
                false
            }
            // Parsing lets no other helper stand as a block.
            _ => return Ok(()),
        };
        let arm = if chosen { &block.program } else { &block.inverse };
        self.arm(arm.as_ref(), call.span, frame, data, output)
    }

    /// Renders an arm in the context of its block.
    fn arm<'f>(
        &'f self,
        arm: Option<&'f Program>,
        span: Span,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        match arm {
            Some(program) => self.program(&frame.arm(program), data, span, output),
            None => Ok(()),
        }
    }

    /// Renders `{{#value}}…{{/value}}`: once in the value, for each of a list, or the other arm.
    fn value_block<'f>(
        &'f self,
        block: &'f Block,
        value: Option<&Value>,
        span: Span,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        match value {
            Some(Value::Bool(true)) => self.arm(block.program.as_ref(), span, frame, data, output),
            None | Some(Value::Null | Value::Bool(false)) => {
                self.arm(block.inverse.as_ref(), span, frame, data, output)
            }
            Some(Value::Array(_)) => self.each(block, value, span, frame, data, output),
            Some(_) => self.with(block, value, span, frame, data, output),
        }
    }

    fn with<'f>(
        &'f self,
        block: &'f Block,
        value: Option<&Value>,
        span: Span,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        let Some(program) = &block.program else { return Ok(()) };
        let mut inner = frame.with_context(program, value);
        if let (Some(name), Some(value)) = (program.names.first(), value) {
            inner.names = vec![(name, Some(Cow::Borrowed(value)))];
        }
        self.program(&inner, data, span, output)
    }

    fn each<'f>(
        &'f self,
        block: &'f Block,
        value: Option<&Value>,
        span: Span,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        let turns: Vec<(Value, &Value)> = match value {
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(at, item)| (Value::from(at), item)).collect()
            }
            Some(Value::Object(map)) => {
                map.iter().map(|(key, item)| (Value::from(key.as_str()), item)).collect()
            }
            _ => Vec::new(),
        };
        if turns.is_empty() {
            return self.arm(block.inverse.as_ref(), span, frame, data, output);
        }
        let Some(program) = &block.program else { return Ok(()) };
        let last = turns.len() - 1;
        for (index, (key, item)) in turns.into_iter().enumerate() {
            self.step(1, frame, span)?;
            let mut inner = frame.with_context(program, Some(item));
            let named = [Cow::Borrowed(item), Cow::Owned(key.clone())];
            inner.names = program
                .names
                .iter()
                .zip(named)
                .map(|(name, value)| (&**name, Some(value)))
                .collect();
            let turn = Some(Turn { index, key, last: index == last });
            let inner_data = Data { parent: Some(data), turn, block: data.block };
            self.program(&inner, &inner_data, span, output)?;
        }
        Ok(())
    }

    fn partial<'f>(
        &'f self,
        partial: &'f Partial,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        let given = match &partial.context {
            Some(expr) => self.expr(expr, frame, data)?,
            None => frame.context.map(Cow::Borrowed),
        };
        let extended = self.extended(partial, given.as_deref(), frame, data)?;
        let context = extended.as_ref().or(given.as_deref());
        if partial.indent.is_empty() {
            return self.partial_body(partial, context, frame, data, output);
        }
        let mut inner = Output::default();
        self.partial_body(partial, context, frame, data, &mut inner)?;
        let added = output.indented(inner, &partial.indent);
        self.count(added.saturating_mul(partial.indent.len()), frame, partial.name_span)
    }

    /// Returns the context with a partial's named values, if it has any.
    fn extended<'f>(
        &'f self,
        partial: &'f Partial,
        context: Option<&Value>,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
    ) -> Result<Option<Value>> {
        if partial.hash.is_empty() {
            return Ok(None);
        }
        let mut map = Map::new();
        if let Some(context @ Value::Object(outer)) = context {
            self.step(value::weight(context), frame, partial.name_span)?;
            map.clone_from(outer);
        }
        for (key, expr) in &partial.hash {
            match self.expr(expr, frame, data)? {
                Some(value) => {
                    self.step(value::weight(&value), frame, partial.name_span)?;
                    map.insert(key.clone(), value.into_owned());
                }
                None => {
                    map.remove(key);
                }
            }
        }
        Ok(Some(Value::Object(map)))
    }

    fn partial_body<'f>(
        &'f self,
        partial: &'f Partial,
        context: Option<&Value>,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        let span = partial.name_span;
        if partial.name == PARTIAL_BLOCK {
            let Some(passed) = data.block else {
                return self.fallback(partial, context, frame, data, output);
            };
            let block = passed.data.block;
            let inner_data = Data { parent: Some(data), turn: None, block };
            let inner = passed.frame.with_context(passed.program, context);
            return self.program(&inner, &inner_data, span, output);
        }
        let block = partial.block.as_ref().map(|program| BlockOfPartial { program, frame, data });
        let inner_data = Data { parent: Some(data), turn: None, block: block.or(data.block) };
        let provided = partial.block.as_ref().map(|program| (program, frame));
        if let Some((inline, definer)) = frame.inline(&partial.name) {
            let inner = definer.with_context(&inline.program, context);
            return self.program(&Frame { provided, ..inner }, &inner_data, span, output);
        }
        let Some(file) = self.linked.partials().get(&partial.name) else {
            return self.fallback(partial, context, frame, data, output);
        };
        let inner = frame.with_context(&file.template.program, context);
        let inner = Frame { file: &file.template, starts_file: true, provided, ..inner };
        self.program(&inner, &inner_data, span, output)
    }

    /// Renders the block of a partial block whose partial there is not.
    fn fallback<'f>(
        &'f self,
        partial: &'f Partial,
        context: Option<&Value>,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
        output: &mut Output,
    ) -> Result<()> {
        let Some(block) = &partial.block else {
            let failure = RenderFailure::NoPartial(partial.name.clone());
            return Err(fail(frame, partial.name_span, failure));
        };
        let inner = frame.with_context(block, context);
        self.program(&inner, data, partial.name_span, output)
    }

    fn optional<'f>(
        &'f self,
        expr: Option<&'f Expr>,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
    ) -> Result<Found<'f>> {
        expr.map_or(Ok(None), |expr| self.expr(expr, frame, data))
    }

    fn text_of<'f>(
        &'f self,
        expr: Option<&'f Expr>,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
    ) -> Result<Option<String>> {
        let value = self.optional(expr, frame, data)?;
        Ok(value.map(|value| value::to_text(&value).into_owned()))
    }

    fn expr<'f>(
        &'f self,
        expr: &'f Expr,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
    ) -> Result<Found<'f>> {
        Ok(match expr {
            Expr::Path(path) => self.path(path, frame, data),
            Expr::Literal(value) => Some(Cow::Borrowed(value)),
            Expr::Undefined => None,
            Expr::Call(call) => self.call(call, frame, data)?,
        })
    }

    /// Returns the value of a helper that has one.
    fn call<'f>(
        &'f self,
        call: &'f HelperCall,
        frame: &'f Frame<'f>,
        data: &'f Data<'f>,
    ) -> Result<Found<'f>> {
        let first = self.optional(call.params.first(), frame, data)?;
        let Some(value) = first else { return Ok(None) };
        match call.helper {
            Helper::Json => {
                let indent = self.optional(call.named("indent"), frame, data)?;
                let indent = indent.as_deref().map(indent_text).unwrap_or_default();
                let text = value::to_json(&value, &indent);
                self.step(text.len() / 64, frame, call.span)?;
                Ok(Some(Cow::Owned(Value::String(text))))
            }
            Helper::Lookup => {
                let key = self.text_of(call.params.get(1), frame, data)?.unwrap_or_default();
                Ok(follow(value, &[key]))
            }
            // Parsing lets no other helper stand where a value is needed.
            _ => Ok(None),
        }
    }

    fn path<'f>(&'f self, path: &Path, frame: &'f Frame<'f>, data: &'f Data<'f>) -> Found<'f> {
        match path.root {
            PathRoot::Context(up) => follow(Cow::Borrowed(frame.context_up(up)?), &path.parts),
            PathRoot::Name => {
                let (name, rest) = path.parts.split_first()?;
                follow(frame.named(name)?, rest)
            }
            PathRoot::Data(up) => {
                let (name, rest) = path.parts.split_first()?;
                if name == "root" {
                    return follow(Cow::Borrowed(self.root), rest);
                }
                if let Some(value) = data.loop_variable(name, up) {
                    return follow(value, rest);
                }
                match self.input.context.get(name) {
                    Some(value) => follow(Cow::Borrowed(value), rest),
                    None if name == "metadata" => follow(Cow::Borrowed(self.metadata()), rest),
                    None => None,
                }
            }
        }
    }

    /// Returns `@metadata`: the prompt's front matter, the documents and the history.
    fn metadata(&self) -> &Value {
        self.metadata.get_or_init(|| {
            let mut prompt = self.linked.prompt().front_matter.raw.clone();
            prompt.shift_remove("input");
            json!({ "prompt": prompt, "docs": self.input.docs, "messages": self.input.history })
        })
    }

    fn text(&self, text: &str, frame: &Frame<'_>, span: Span, output: &mut Output) -> Result<()> {
        self.count(text.len(), frame, span)?;
        output.text(text);
        Ok(())
    }

    fn count(&self, bytes: usize, frame: &Frame<'_>, span: Span) -> Result<()> {
        let total = self.bytes.get().saturating_add(bytes);
        self.bytes.set(total);
        if total > MAX_OUTPUT_BYTES {
            return Err(fail(frame, span, RenderFailure::TooLarge));
        }
        Ok(())
    }

    fn step(&self, steps: usize, frame: &Frame<'_>, span: Span) -> Result<()> {
        let total = self.steps.get().saturating_add(steps);
        self.steps.set(total);
        if total > MAX_STEPS {
            return Err(fail(frame, span, RenderFailure::TooManySteps));
        }
        Ok(())
    }
}

fn fail(frame: &Frame<'_>, span: Span, failure: RenderFailure) -> RenderError {
    let source = &frame.file.source;
    let position = source.position(span.start);
    RenderError { file: source.name().to_owned(), span, position, failure }
}

/// The most characters by which JSON is indented.
const MAX_INDENT: usize = 10;

/// Reads the `indent` of `json`: how many spaces, or the text itself.
fn indent_text(value: &Value) -> String {
    match value {
        Value::Number(number) => {
            let spaces = number.as_u64().and_then(|count| usize::try_from(count).ok());
            " ".repeat(spaces.unwrap_or(0).min(MAX_INDENT))
        }
        Value::String(text) => text.chars().take(MAX_INDENT).collect(),
        _ => String::new(),
    }
}
