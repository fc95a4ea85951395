//! Linking: which partials a prompt reaches, and that rendering it is bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chat::Tool;
use document::{Diagnostic, Diagnostics, SourceText, Span, nearest};

use crate::MAX_NESTING;
use crate::prompt::{Partials, Prompt, Template};
use crate::template::{PARTIAL_BLOCK, Program, Statement};

/// A prompt together with the partials that it reaches.
///
/// Every partial that it includes exists, none includes itself, and written out in full it has at
/// most a million statements.
#[derive(Debug, Clone)]
pub struct LinkedPrompt {
    prompt: Arc<Prompt>,
    partials: Partials,
}

/// The most statements of a prompt with all partials written out, so that walking it ends.
const MAX_STATEMENTS: usize = 1_000_000;

/// Links a prompt with the partials that it reaches.
///
/// `partials` may hold more; the others do not count. Returns `None`, and every reason, if a
/// partial is missing, includes itself directly or through others, or is nested too deep.
pub fn link(
    prompt: impl Into<Arc<Prompt>>,
    partials: &Partials,
) -> (Option<LinkedPrompt>, Vec<Diagnostic>) {
    let prompt = prompt.into();
    let mut linker = Linker::new(partials);
    linker.visit(prompt.template());
    linker.report_missing();
    let reached = linker
        .measured
        .keys()
        .filter_map(|name| Some((name.clone(), Arc::clone(partials.get(name)?))))
        .collect();
    let whole = linker.found.is_empty();
    (whole.then_some(LinkedPrompt { prompt, partials: reached }), linker.found)
}

impl LinkedPrompt {
    /// Returns the prompt.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Returns the partials that the prompt reaches.
    pub fn partials(&self) -> &Partials {
        &self.partials
    }

    /// Returns the tools that the prompt describes.
    ///
    /// One that it names and does not describe is an error in the second value.
    pub fn tools(&self) -> (Vec<Tool>, Vec<Diagnostic>) {
        let front_matter = &self.prompt.front_matter;
        let mut diagnostics = Diagnostics::new(self.prompt.source().clone());
        let tools = &front_matter.tool_definitions;
        for named in &front_matter.tools {
            if !tools.iter().any(|tool| tool.name == named.name) {
                let message = format!("the tool `{}` is not described", named.name);
                let hint = "describe it under `toolDefs`";
                diagnostics.error_with_hint("unknown-tool", named.span, message, hint);
            }
        }
        (tools.clone(), diagnostics.into_vec())
    }
}

/// A place that includes a partial.
struct Reference<'t> {
    name: &'t str,
    span: Span,
    /// How many blocks of its file stand around it.
    depth: usize,
    /// Whether something else can stand in for the file.
    optional: bool,
}

/// What a file contains.
#[derive(Default)]
struct Contents<'t> {
    references: Vec<Reference<'t>>,
    statements: usize,
    depth: usize,
    /// The inline partials in the order of their definition.
    inlines: Vec<&'t str>,
    /// Which inline partial includes which, and where.
    inline_calls: Vec<(usize, usize, Span)>,
}

/// The size of a file with its partials written out.
#[derive(Clone, Copy)]
struct Measure {
    statements: usize,
    depth: usize,
}

struct Linker<'p> {
    partials: &'p Partials,
    measured: BTreeMap<String, Measure>,
    open: Vec<String>,
    inlines: BTreeSet<String>,
    missing: Vec<(SourceText, Span, String)>,
    found: Vec<Diagnostic>,
}

impl<'p> Linker<'p> {
    fn new(partials: &'p Partials) -> Self {
        Self {
            partials,
            measured: BTreeMap::new(),
            open: Vec::new(),
            inlines: BTreeSet::new(),
            missing: Vec::new(),
            found: Vec::new(),
        }
    }

    fn visit(&mut self, template: &Template) -> Measure {
        let mut contents = Contents::default();
        collect(
            &template.program,
            Reach { depth: 1, inside: None },
            &mut Vec::new(),
            &mut contents,
        );
        self.report_inline_circles(template, &contents);
        self.inlines.extend(contents.inlines.iter().map(|name| (*name).to_owned()));
        let mut measure = Measure { statements: contents.statements, depth: contents.depth };
        for reference in contents.references {
            let Some(partial) = self.partials.get(reference.name) else {
                if !reference.optional {
                    let missing =
                        (template.source.clone(), reference.span, reference.name.to_owned());
                    self.missing.push(missing);
                }
                continue;
            };
            let Some(inner) = self.enter(reference.name, &partial.template, template, &reference)
            else {
                continue;
            };
            measure.statements = measure.statements.saturating_add(inner.statements);
            measure.depth = measure.depth.max(reference.depth.saturating_add(inner.depth));
            if measure.statements > MAX_STATEMENTS || measure.depth > MAX_NESTING {
                let message = if measure.depth > MAX_NESTING {
                    format!("partials and blocks nest more than {MAX_NESTING} levels deep here")
                } else {
                    format!("with its partials this has more than {MAX_STATEMENTS} statements")
                };
                self.report(&template.source, reference.span, "template-size", message, None);
                break;
            }
        }
        measure
    }

    fn report_inline_circles(&mut self, template: &Template, contents: &Contents<'_>) {
        for (from, to, span) in &contents.inline_calls {
            if leads_to(&contents.inline_calls, *to, *from) {
                let name = contents.inlines[*from];
                let message = format!("the inline partial `{name}` includes itself");
                self.report(&template.source, *span, "partial-cycle", message, None);
            }
        }
    }

    /// Visits a partial, once; `None` if it is one of those that are being visited.
    fn enter(
        &mut self,
        name: &str,
        partial: &Template,
        from: &Template,
        reference: &Reference<'_>,
    ) -> Option<Measure> {
        if let Some(at) = self.open.iter().position(|open| open == name) {
            let circle = self.open[at..].iter().map(String::as_str).chain([name]);
            let message = format!("the partial `{name}` includes itself");
            let hint = format!("the circle is {}", circle.collect::<Vec<_>>().join(" → "));
            self.report(&from.source, reference.span, "partial-cycle", message, Some(hint));
            return None;
        }
        if let Some(known) = self.measured.get(name) {
            return Some(*known);
        }
        if self.open.len() == MAX_NESTING {
            let message = format!("partials nest more than {MAX_NESTING} levels deep here");
            self.report(&from.source, reference.span, "template-size", message, None);
            return None;
        }
        self.open.push(name.to_owned());
        let measure = self.visit(partial);
        self.open.pop();
        self.measured.insert(name.to_owned(), measure);
        Some(measure)
    }

    /// Reports the partials that no file has, unless some template defines one inline: whether that
    /// one is in reach is known when rendering.
    fn report_missing(&mut self) {
        for (source, span, name) in std::mem::take(&mut self.missing) {
            if self.inlines.contains(&name) {
                continue;
            }
            let known: Vec<&str> = self.partials.keys().map(String::as_str).collect();
            let hint = match nearest(&name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the partial `{name}` is the file `_{name}.prompt`"),
            };
            let message = format!("no partial is called `{name}`");
            self.report(&source, span, "unknown-partial", message, Some(hint));
        }
    }

    fn report(
        &mut self,
        source: &SourceText,
        span: Span,
        code: &str,
        message: String,
        hint: Option<String>,
    ) {
        let mut diagnostics = Diagnostics::new(source.clone());
        match hint {
            Some(hint) => diagnostics.error_with_hint(code, span, message, hint),
            None => diagnostics.error(code, span, message),
        }
        self.found.extend(diagnostics.into_vec());
    }
}

/// Tells whether calls lead from one inline partial to another.
fn leads_to(calls: &[(usize, usize, Span)], from: usize, to: usize) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(here) = next.pop() {
        if here == to {
            return true;
        }
        if seen.insert(here) {
            next.extend(calls.iter().filter(|(from, ..)| *from == here).map(|(_, to, _)| *to));
        }
    }
    false
}

/// Where a program stands.
#[derive(Clone, Copy)]
struct Reach {
    depth: usize,
    /// The inline partial that it is a part of.
    inside: Option<usize>,
}

/// Collects what a program contains; `inlines` are those in reach, innermost last.
fn collect<'t>(
    program: &'t Program,
    reach: Reach,
    inlines: &mut Vec<(&'t str, usize)>,
    contents: &mut Contents<'t>,
) {
    contents.depth = contents.depth.max(reach.depth);
    contents.statements += program.body.len();
    let deeper = Reach { depth: reach.depth + 1, ..reach };
    let outer = inlines.len();
    for statement in &program.body {
        if let Statement::Inline(inline) = statement {
            inlines.push((&inline.name, contents.inlines.len()));
            contents.inlines.push(&inline.name);
        }
    }
    let mut here = outer;
    for statement in &program.body {
        match statement {
            Statement::Block(block) => {
                for arm in [&block.program, &block.inverse].into_iter().flatten() {
                    collect(arm, deeper, inlines, contents);
                }
            }
            Statement::Inline(inline) => {
                let inside = Some(inlines[here].1);
                here += 1;
                collect(&inline.program, Reach { inside, ..deeper }, inlines, contents);
            }
            Statement::Partial(partial) => {
                if let Some(block) = &partial.block {
                    collect(block, deeper, inlines, contents);
                }
                let (name, span) = (partial.name.as_str(), partial.name_span);
                let inline = inlines.iter().rev().find(|(known, _)| *known == name);
                match (inline, reach.inside) {
                    (Some((_, to)), Some(from)) => contents.inline_calls.push((from, *to, span)),
                    (None, _) if name != PARTIAL_BLOCK => {
                        let optional = partial.block.is_some();
                        let depth = reach.depth;
                        contents.references.push(Reference { name, span, depth, optional });
                    }
                    _ => {}
                }
            }
            Statement::Content(_) | Statement::Mustache(_) | Statement::Comment(_) => {}
        }
    }
    inlines.truncate(outer);
}
