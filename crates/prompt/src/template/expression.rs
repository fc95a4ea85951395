//! Values inside tags: paths, literals, helpers in parentheses, named arguments.

use document::Span;
use serde_json::{Number, Value};

use super::ast::{Expr, Helper, HelperCall, Path, PathRoot};
use super::helper::{self, Place};
use super::parser::{Parsed, Parser, SyntaxError};

/// What a tag starts with.
pub(super) enum Head {
    /// A literal, which names a variable here.
    Literal(Path),
    /// A path; `simple` is its name if a helper could have it.
    Path { simple: Option<String>, path: Path },
}

type Arguments = (Vec<Expr>, Vec<(String, Expr)>);

impl Parser<'_, '_> {
    pub(super) fn head(&mut self) -> Parsed<Head> {
        let start = self.cursor.offset();
        if let Some(text) = self.string()? {
            let span = self.cursor.span_from(start);
            return Ok(Head::Literal(Self::context_path(text, span)));
        }
        let name = self.cursor.peek_name().to_owned();
        let path = self.path()?;
        let simple = path.root == PathRoot::Context(0) && path.parts == [name.as_str()];
        Ok(Head::Path { simple: simple.then_some(name), path })
    }

    /// Parses values and named values up to the end of the tag.
    pub(super) fn arguments(&mut self, start: usize) -> Parsed<Arguments> {
        let (mut params, mut hash) = (Vec::new(), Vec::<(String, Expr)>::new());
        loop {
            self.cursor.skip_spaces();
            if self.is_at_arguments_end() {
                return Ok((params, hash));
            }
            if let Some(name) = self.hash_name() {
                self.cursor.skip_spaces();
                let value = self.value(start)?;
                hash.retain(|(known, _)| *known != name);
                hash.push((name, value));
            } else if hash.is_empty() {
                params.push(self.value(start)?);
            } else {
                return Err(self.expected("a named value, as `name=value`"));
            }
        }
    }

    fn is_at_arguments_end(&self) -> bool {
        if self.cursor.is_at_end() || self.cursor.starts_with("}") || self.cursor.starts_with(")") {
            return true;
        }
        if self.cursor.starts_with("~}") || self.cursor.starts_with("~{") {
            return true;
        }
        let mut ahead = self.cursor.clone();
        if !ahead.is_at_word("as") {
            return false;
        }
        ahead.advance("as".len());
        ahead.skip_spaces();
        ahead.starts_with("|")
    }

    /// Takes `name=` if it stands here.
    fn hash_name(&mut self) -> Option<String> {
        let mut ahead = self.cursor.clone();
        let name = ahead.peek_name();
        if name.is_empty() {
            return None;
        }
        ahead.advance(name.len());
        ahead.skip_spaces();
        if !ahead.eat("=") {
            return None;
        }
        self.cursor = ahead;
        Some(name.to_owned())
    }

    fn value(&mut self, start: usize) -> Parsed<Expr> {
        if self.cursor.starts_with("(") {
            return self.argument_call(start);
        }
        if let Some(text) = self.string()? {
            return Ok(Expr::Literal(Value::String(text)));
        }
        if let Some(number) = self.number() {
            return Ok(Expr::Literal(Value::Number(number)));
        }
        let word = self.cursor.peek_name();
        let literal = match word {
            "true" => Expr::Literal(Value::Bool(true)),
            "false" => Expr::Literal(Value::Bool(false)),
            "null" => Expr::Literal(Value::Null),
            "undefined" => Expr::Undefined,
            _ => return self.path().map(Expr::Path),
        };
        self.cursor.advance(word.len());
        Ok(literal)
    }

    fn argument_call(&mut self, start: usize) -> Parsed<Expr> {
        self.enter(start)?;
        let open = self.cursor.offset();
        self.cursor.advance(1);
        self.cursor.skip_spaces();
        let name = self.cursor.peek_name();
        let name_span = Span::new(self.cursor.offset(), self.cursor.offset() + name.len());
        if name.is_empty() {
            return Err(self.expected("the name of a helper"));
        }
        self.cursor.advance(name.len());
        let (params, hash) = self.arguments(start)?;
        if !self.cursor.eat(")") {
            return Err(self.expected("`)`"));
        }
        self.depth -= 1;
        let Some(helper) = Helper::named(name) else {
            helper::report_unknown(name, name_span, self.diagnostics);
            return Ok(Expr::Undefined);
        };
        let call = HelperCall { helper, params, hash, span: self.cursor.span_from(open) };
        helper::check(&call, Place::Argument, self.diagnostics);
        Ok(Expr::Call(Box::new(call)))
    }

    /// Parses text in quotes; `\"` is the quote itself.
    pub(super) fn string(&mut self) -> Parsed<Option<String>> {
        let rest = self.cursor.rest();
        let Some(quote @ ('"' | '\'')) = rest.chars().next() else { return Ok(None) };
        let mut text = String::new();
        let mut escaped = false;
        for (at, character) in rest.char_indices().skip(1) {
            if escaped {
                if character != quote {
                    text.push('\\');
                }
                text.push(character);
                escaped = false;
            } else if character == quote {
                self.cursor.advance(at + 1);
                return Ok(Some(super::with_lf(&text).into_owned()));
            } else if character == '\\' {
                escaped = true;
            } else {
                text.push(character);
            }
        }
        Err(SyntaxError::new(self.cursor.span_here(), "this text is not closed")
            .with_hint(format!("close it with {quote}")))
    }

    /// Takes a number, if the whole word is one.
    fn number(&mut self) -> Option<Number> {
        let rest = self.cursor.rest();
        let stops = |character: char| character.is_whitespace() || "=~})/|".contains(character);
        let word = &rest[..rest.find(stops).unwrap_or(rest.len())];
        let digits = word.strip_prefix('-').unwrap_or(word);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let number = match word.parse::<i64>() {
            Ok(int) => Number::from(int),
            Err(_) => Number::from_f64(word.parse().ok()?)?,
        };
        self.cursor.advance(word.len());
        Some(number)
    }

    /// Parses a path: `a.b`, `a/b`, `../a`, `./a`, `this.a`, `@a`, `a.[b c]`.
    pub(super) fn path(&mut self) -> Parsed<Path> {
        let start = self.cursor.offset();
        let data = self.cursor.eat("@");
        let (mut parts, mut up, mut scoped) = (Vec::new(), 0, false);
        loop {
            let (part, literal) = self.segment()?;
            match part.as_str() {
                ".." | "." | "this" if !literal => {
                    if !parts.is_empty() {
                        let span = self.cursor.span_from(start);
                        let message = format!("`{part}` can only stand at a path's start");
                        return Err(SyntaxError::new(span, message));
                    }
                    up += usize::from(part == "..");
                    scoped = true;
                }
                _ => parts.push(part),
            }
            if !(self.cursor.eat(".") || self.cursor.eat("/")) {
                break;
            }
        }
        let span = self.cursor.span_from(start);
        let named = !scoped && parts.first().is_some_and(|name| self.is_block_name(name));
        let root = match (data, named) {
            (true, _) => PathRoot::Data(up),
            (false, true) => PathRoot::Name,
            (false, false) => PathRoot::Context(up),
        };
        Ok(Path { root, parts, span })
    }

    /// Parses one part of a path; tells whether it stood in brackets.
    fn segment(&mut self) -> Parsed<(String, bool)> {
        for dots in ["..", "."] {
            if self.cursor.eat(dots) {
                return Ok((dots.to_owned(), false));
            }
        }
        let open = self.cursor.span_here();
        if self.cursor.eat("[") {
            let Some(name) = self.cursor.take_until("]") else {
                return Err(SyntaxError::new(open, "this `[` is not closed"));
            };
            return Ok((name.to_owned(), true));
        }
        let name = self.cursor.peek_name();
        if name.is_empty() {
            return Err(self.expected("a variable or helper"));
        }
        self.cursor.advance(name.len());
        Ok((name.to_owned(), false))
    }
}
