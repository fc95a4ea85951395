use document::Span;
use serde_json::Value;

/// The statements of a template or of one arm of a block.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Program {
    pub(crate) body: Vec<Statement>,
    /// Whether this is the `else if …` arm of another block, which then is its only statement.
    pub(crate) chained: bool,
    /// The names that `as |…|` gives to the values of the block.
    pub(crate) names: Vec<String>,
}

impl Program {
    /// Returns the block of an `else if` arm, `None` if this is another arm.
    pub(crate) fn only_chained(&mut self) -> Option<&mut Statement> {
        self.body.first_mut().filter(|_| self.chained)
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    Content(Content),
    Mustache(Mustache),
    Block(Box<Block>),
    Partial(Box<Partial>),
    /// `{{#*inline "name"}}…{{/inline}}`.
    Inline(Box<Inline>),
    Comment(Strip),
}

/// Text that stands for itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// The text as written, with LF line ends.
    pub(crate) original: String,
    /// What is left of it after whitespace control.
    pub(crate) value: String,
    pub(crate) left_stripped: bool,
    pub(crate) right_stripped: bool,
}

/// Whether a tag strips the whitespace before (`{{~`) and after it (`~}}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Strip {
    pub(crate) open: bool,
    pub(crate) close: bool,
}

/// `{{…}}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mustache {
    pub(crate) call: Call,
    pub(crate) strip: Strip,
}

/// `{{#…}}…{{else}}…{{/…}}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) call: Call,
    pub(crate) program: Option<Program>,
    pub(crate) inverse: Option<Program>,
    pub(crate) strips: BlockStrips,
}

/// The whitespace control of a block's tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BlockStrips {
    pub(crate) open: Strip,
    pub(crate) inverse: Strip,
    pub(crate) close: Strip,
}

/// `{{> name}}`, or `{{#> name}}…{{/name}}` with a block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Partial {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) context: Option<Expr>,
    pub(crate) hash: Vec<(String, Expr)>,
    /// The whitespace before a partial that stands alone on its line; every line of it gets it.
    pub(crate) indent: String,
    pub(crate) block: Option<Program>,
    pub(crate) strips: BlockStrips,
}

/// The partial that a partial block hands to the partial it calls.
pub(crate) const PARTIAL_BLOCK: &str = "@partial-block";

/// A partial that a template defines for itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inline {
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) strips: BlockStrips,
}

/// What a tag calls or looks up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
    /// A variable.
    Lookup(Path),
    /// A helper with its arguments.
    Helper(HelperCall),
}

/// A helper with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HelperCall {
    pub(crate) helper: Helper,
    pub(crate) params: Vec<Expr>,
    pub(crate) hash: Vec<(String, Expr)>,
    pub(crate) span: Span,
}

impl HelperCall {
    /// Returns the named argument.
    pub(crate) fn named(&self, name: &str) -> Option<&Expr> {
        self.hash.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// The helpers of Handlebars and of Dotprompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Helper {
    If,
    Unless,
    Each,
    With,
    Lookup,
    Log,
    IfEquals,
    UnlessEquals,
    Json,
    Role,
    History,
    Section,
    Media,
}

/// A value in a tag.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Path(Path),
    Literal(Value),
    /// The literal `undefined`.
    Undefined,
    Call(Box<HelperCall>),
}

/// A path to a value: `a.b`, `../a`, `@index`, `this`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) root: PathRoot,
    pub(crate) parts: Vec<String>,
    pub(crate) span: Span,
}

/// Where a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathRoot {
    /// At the context, `n` levels up (`../`).
    Context(usize),
    /// At the `@` variables, `n` loops up.
    Data(usize),
    /// At a name that `as |…|` gave.
    Name,
}
