//! Following a template with paths in place of values.

use std::collections::BTreeMap;

use super::{PathStep, VariablePath, VariableRoot, VariableUse, schema};
use crate::MAX_NESTING;
use crate::link::LinkedPrompt;
use crate::prompt::Template;
use crate::template::{
    Block, Call, Expr, Helper, HelperCall, Inline, PARTIAL_BLOCK, Partial, Path, PathRoot, Program,
    Statement,
};

/// The most statements that are looked at. Linking bounds a prompt below this; only a template that
/// cannot be rendered (inline partials of two files that call each other) gets here.
const MAX_VISITS: usize = 2_000_000;

/// Returns the uses of variables in the order of rendering.
pub(super) fn uses(linked: &LinkedPrompt) -> Vec<VariableUse> {
    let template = linked.prompt().template();
    let mut walker = Walker { linked, uses: Vec::new(), guards: Vec::new(), visits: 0, depth: 0 };
    let scope = Scope {
        file: template,
        program: &template.program,
        context: Context {
            path: Some(VariablePath::new(VariableRoot::Input)),
            named: BTreeMap::new(),
        },
        parent: None,
        counts: true,
        starts_file: true,
        names: Vec::new(),
        provided: None,
        block: None,
    };
    walker.program(&scope);
    walker.uses
}

/// Where a value came from; `None` if it was computed or written in the template.
type Symbol = Option<VariablePath>;

/// A context: a value, and what a partial was given by name on top of it.
#[derive(Clone)]
struct Context {
    path: Symbol,
    named: BTreeMap<String, Symbol>,
}

/// The place of a program; the counterpart of the frame in rendering.
struct Scope<'s> {
    file: &'s Template,
    program: &'s Program,
    context: Context,
    parent: Option<&'s Scope<'s>>,
    counts: bool,
    starts_file: bool,
    names: Vec<(&'s str, Symbol)>,
    provided: Option<(&'s Program, &'s Scope<'s>)>,
    /// What `{{> @partial-block}}` means here.
    block: Option<(&'s Program, &'s Scope<'s>)>,
}

impl<'s> Scope<'s> {
    fn arm(&'s self, program: &'s Program) -> Self {
        Scope {
            file: self.file,
            program,
            context: self.context.clone(),
            parent: Some(self),
            counts: false,
            starts_file: false,
            names: Vec::new(),
            provided: None,
            block: self.block,
        }
    }

    fn with_context(&'s self, program: &'s Program, context: Context) -> Self {
        Scope { context, counts: true, ..self.arm(program) }
    }

    fn context_up(&self, mut levels: usize) -> Option<&Context> {
        let mut scope = self;
        loop {
            if scope.counts || scope.parent.is_none() {
                if levels == 0 {
                    return Some(&scope.context);
                }
                levels -= 1;
            }
            scope = scope.parent?;
        }
    }

    fn named(&self, name: &str) -> Symbol {
        let mut scope = self;
        loop {
            if let Some((_, symbol)) = scope.names.iter().find(|(known, _)| *known == name) {
                return symbol.clone();
            }
            if scope.starts_file {
                return None;
            }
            scope = scope.parent?;
        }
    }

    fn inline(&'s self, name: &str) -> Option<(&'s Inline, &'s Scope<'s>)> {
        let inline_of = |program: &'s Program| {
            program.body.iter().rev().find_map(|statement| match statement {
                Statement::Inline(inline) if inline.name == name => Some(&**inline),
                _ => None,
            })
        };
        let mut scope = self;
        loop {
            if let Some(inline) = inline_of(scope.program) {
                return Some((inline, scope));
            }
            if let Some((program, definer)) = scope.provided
                && let Some(inline) = inline_of(program)
            {
                return Some((inline, definer));
            }
            scope = scope.parent?;
        }
    }

    fn resolve(&self, path: &Path) -> Symbol {
        match path.root {
            PathRoot::Context(up) => {
                let context = self.context_up(up)?;
                if let Some((first, rest)) = path.parts.split_first()
                    && let Some(symbol) = context.named.get(first)
                {
                    return symbol.clone().map(|symbol| symbol.keys(rest));
                }
                context.path.clone().map(|base| base.keys(&path.parts))
            }
            PathRoot::Name => {
                let (name, rest) = path.parts.split_first()?;
                self.named(name).map(|base| base.keys(rest))
            }
            PathRoot::Data(_) => {
                let (name, rest) = path.parts.split_first()?;
                match name.as_str() {
                    "root" => Some(VariablePath::new(VariableRoot::Input).keys(rest)),
                    "index" | "key" | "first" | "last" | "metadata" => None,
                    _ => Some(VariablePath::new(VariableRoot::Context).keys(&path.parts)),
                }
            }
        }
    }
}

struct Walker<'w> {
    linked: &'w LinkedPrompt,
    uses: Vec<VariableUse>,
    guards: Vec<VariablePath>,
    visits: usize,
    depth: usize,
}

impl Walker<'_> {
    fn program(&mut self, scope: &Scope<'_>) {
        if self.depth == MAX_NESTING {
            return;
        }
        self.depth += 1;
        for statement in &scope.program.body {
            self.visits += 1;
            if self.visits > MAX_VISITS {
                break;
            }
            match statement {
                Statement::Mustache(mustache) => match &mustache.call {
                    Call::Lookup(path) => self.record(path, scope),
                    Call::Helper(call) => self.call(call, scope),
                },
                Statement::Block(block) => self.block(block, scope),
                Statement::Partial(partial) => self.partial(partial, scope),
                Statement::Content(_) | Statement::Inline(_) | Statement::Comment(_) => {}
            }
        }
        self.depth -= 1;
    }

    fn record(&mut self, path: &Path, scope: &Scope<'_>) {
        let Some(symbol) = scope.resolve(path) else { return };
        if symbol.steps.iter().all(|step| !matches!(step, PathStep::Key(_))) {
            return;
        }
        let around = self.guards.iter().filter(|guard| guard.contains(&symbol));
        let guards: Vec<usize> = around.map(|guard| guard.steps.len()).collect();
        let input = &self.linked.prompt().front_matter.input;
        let optional = symbol.root == VariableRoot::Input
            && input.schema.as_ref().is_some_and(|root| schema::is_optional(root, &symbol.steps));
        let source = &scope.file.source;
        self.uses.push(VariableUse {
            path: symbol,
            file: source.name().to_owned(),
            span: path.span,
            position: source.position(path.span.start),
            optional,
            guarded: !guards.is_empty(),
            guards,
        });
    }

    fn call(&mut self, call: &HelperCall, scope: &Scope<'_>) {
        let named = call.hash.iter().map(|(_, value)| value);
        for expr in call.params.iter().chain(named) {
            self.expr(expr, scope);
        }
    }

    fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) {
        match expr {
            Expr::Path(path) => self.record(path, scope),
            Expr::Call(call) => self.call(call, scope),
            Expr::Literal(_) | Expr::Undefined => {}
        }
    }

    /// Records a condition, which is guarded by itself, and returns what it tests.
    fn condition(&mut self, path: &Path, scope: &Scope<'_>) -> Symbol {
        let symbol = scope.resolve(path);
        self.guarded(symbol.clone(), |walker| walker.record(path, scope));
        symbol
    }

    fn guarded(&mut self, guard: Symbol, body: impl FnOnce(&mut Self)) {
        let before = self.guards.len();
        self.guards.extend(guard);
        body(self);
        self.guards.truncate(before);
    }

    fn block(&mut self, block: &Block, scope: &Scope<'_>) {
        let (helper, expr) = match &block.call {
            Call::Lookup(path) => {
                let symbol = self.condition(path, scope);
                let inside = symbol.clone().map(|path| path.then([PathStep::Inside]));
                self.in_value(block, symbol, inside, scope);
                return;
            }
            Call::Helper(call) => (call.helper, call.params.first()),
        };
        if matches!(helper, Helper::IfEquals | Helper::UnlessEquals) {
            if let Call::Helper(call) = &block.call {
                self.call(call, scope);
            }
            self.arms(block, None, None, scope);
            return;
        }
        let symbol = match expr {
            Some(Expr::Path(path)) => self.condition(path, scope),
            Some(other) => {
                self.expr(other, scope);
                None
            }
            None => None,
        };
        match helper {
            Helper::If => self.arms(block, symbol, None, scope),
            Helper::Unless => self.arms(block, None, symbol, scope),
            Helper::Each => {
                let items = symbol.clone().map(|path| path.then([PathStep::Items]));
                self.in_value(block, symbol, items, scope);
            }
            _ => self.in_value(block, symbol.clone(), symbol, scope),
        }
    }

    /// Follows both arms in the block's own context, each under its guard.
    fn arms(&mut self, block: &Block, program: Symbol, inverse: Symbol, scope: &Scope<'_>) {
        for (arm, guard) in [(&block.program, program), (&block.inverse, inverse)] {
            if let Some(arm) = arm {
                self.guarded(guard, |walker| walker.program(&scope.arm(arm)));
            }
        }
    }

    /// Follows the first arm in the context `inner`, under the guard, and the other as it is.
    fn in_value(&mut self, block: &Block, guard: Symbol, inner: Symbol, scope: &Scope<'_>) {
        if let Some(program) = &block.program {
            let context = Context { path: inner.clone(), named: BTreeMap::new() };
            let mut arm = scope.with_context(program, context);
            let mut symbols = [inner, None].into_iter();
            arm.names = program
                .names
                .iter()
                .map(|name| (name.as_str(), symbols.next().flatten()))
                .collect();
            self.guarded(guard, |walker| walker.program(&arm));
        }
        if let Some(program) = &block.inverse {
            self.program(&scope.arm(program));
        }
    }

    fn partial(&mut self, partial: &Partial, scope: &Scope<'_>) {
        let mut context = match &partial.context {
            Some(expr) => Context { path: self.symbol(expr, scope), named: BTreeMap::new() },
            None => scope.context.clone(),
        };
        for (name, expr) in &partial.hash {
            let symbol = self.symbol(expr, scope);
            context.named.insert(name.clone(), symbol);
        }
        if partial.name == PARTIAL_BLOCK {
            if let Some((program, definer)) = scope.block {
                return self.program(&definer.with_context(program, context));
            }
            return self.fallback(partial, context, scope);
        }
        let passed = partial.block.as_ref().map(|program| (program, scope));
        let block = passed.or(scope.block);
        if let Some((inline, definer)) = scope.inline(&partial.name) {
            let inner = definer.with_context(&inline.program, context);
            self.program(&Scope { provided: passed, block, ..inner });
        } else if let Some(file) = self.linked.partials().get(&partial.name) {
            let inner = scope.with_context(&file.template.program, context);
            let file = &file.template;
            self.program(&Scope { file, starts_file: true, provided: passed, block, ..inner });
        } else {
            self.fallback(partial, context, scope);
        }
    }

    fn fallback(&mut self, partial: &Partial, context: Context, scope: &Scope<'_>) {
        if let Some(program) = &partial.block {
            self.program(&scope.with_context(program, context));
        }
    }

    /// Returns what is handed on; a path counts as used where the partial uses it.
    fn symbol(&mut self, expr: &Expr, scope: &Scope<'_>) -> Symbol {
        match expr {
            Expr::Path(path) => scope.resolve(path),
            other => {
                self.expr(other, scope);
                None
            }
        }
    }
}
