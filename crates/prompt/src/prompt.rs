use std::collections::BTreeMap;
use std::sync::Arc;

use document::{Diagnostic, Diagnostics, SourceText, Span, yaml};
use serde_json::{Map, Value};

use crate::front_matter::{FrontMatter, node_of};
use crate::picoschema::Schemas;
use crate::source;
use crate::template::{self, Program};

/// A parsed `.prompt` file.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// Its front matter; empty if the file has none.
    pub front_matter: FrontMatter,
    front_matter_span: Option<Span>,
    template: Template,
}

/// A parsed template and where it stands in its file.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) source: SourceText,
    pub(crate) span: Span,
    pub(crate) program: Program,
}

impl Template {
    fn parse(span: Span, diagnostics: &mut Diagnostics) -> Option<Self> {
        let program = template::parse(span, diagnostics)?;
        Some(Self { source: diagnostics.source().clone(), span, program })
    }

    /// Returns the template's text with LF line ends.
    pub(crate) fn text(&self) -> String {
        template::with_lf(&self.source.text()[self.span.start..self.span.end]).into_owned()
    }
}

/// A template that others include by name. It has no front matter: all of its file is template.
#[derive(Debug, Clone)]
pub struct Partial {
    pub(crate) template: Template,
}

/// Partials by the name under which templates include them.
pub type Partials = BTreeMap<String, Arc<Partial>>;

/// Parses a `.prompt` file.
///
/// `schemas` are the JSON Schemas that its Picoschemas may name. Returns every error and warning
/// with its place in the file; the prompt is `None` if its template or its YAML cannot be parsed.
/// A prompt with other errors is returned, to be shown and compared; what a key could not mean is
/// left out of the typed view. Only one without errors should be run.
pub fn parse(source: &SourceText, schemas: &Schemas) -> (Option<Prompt>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new(source.clone());
    let parts = source::split(source);
    if let Some(span) = parts.unclosed {
        diagnostics.warning_with_hint(
            "unclosed-front-matter",
            span,
            "this front matter is not closed, so the whole file is taken for the template",
            "close it with a line `---`",
        );
    }
    let front_matter = match parts.front_matter {
        Some(span) => yaml::parse(span, &mut diagnostics)
            .map(|node| FrontMatter::read(&node, schemas, &mut diagnostics)),
        None => Some(FrontMatter::default()),
    };
    let template = Template::parse(parts.template, &mut diagnostics);
    let prompt = front_matter.zip(template).map(|(front_matter, template)| Prompt {
        front_matter,
        front_matter_span: parts.front_matter,
        template,
    });
    (prompt, diagnostics.into_vec())
}

/// Parses a partial.
///
/// A front matter in it is template text, as the format says, and a warning.
pub fn parse_partial(source: &SourceText) -> (Option<Partial>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new(source.clone());
    let parts = source::split(source);
    if let Some(span) = parts.front_matter {
        diagnostics.warning_with_hint(
            "partial-front-matter",
            span,
            "a partial has no front matter: this is rendered as text",
            "remove it; the prompt that includes the partial decides",
        );
    }
    let start = source.text().len() - source.text().trim_start_matches('\u{feff}').len();
    let template = Template::parse(Span::new(start, source.text().len()), &mut diagnostics);
    (template.map(|template| Partial { template }), diagnostics.into_vec())
}

impl Prompt {
    /// Returns the file.
    pub fn source(&self) -> &SourceText {
        &self.template.source
    }

    /// Returns the bytes of the front matter, without its fences, if the file has one.
    pub fn front_matter_span(&self) -> Option<Span> {
        self.front_matter_span
    }

    /// Returns the bytes of the template.
    pub fn template_span(&self) -> Span {
        self.template.span
    }

    /// Returns the template with LF line ends.
    pub fn template_text(&self) -> String {
        self.template.text()
    }

    pub(crate) fn template(&self) -> &Template {
        &self.template
    }

    /// Returns the prompt with options laid over its front matter, as the format's `render` does:
    /// `config`, `input` and `output` are merged key by key, other keys replaced.
    ///
    /// The version of the result is that of a file in which the options were written. What is wrong
    /// with an option is reported at the front matter; what [`parse`] said of the prompt itself is not
    /// said again.
    pub fn with_options(
        &self,
        options: &Map<String, Value>,
        schemas: &Schemas,
    ) -> (Self, Vec<Diagnostic>) {
        let (mut front_matter, mut found) = self.overlaid(options, schemas);
        if !options.contains_key("model") {
            front_matter.model_span = self.front_matter.model_span;
        }
        if !options.contains_key("tools") {
            front_matter.tools.clone_from(&self.front_matter.tools);
        }
        for known in self.overlaid(&Map::new(), schemas).1 {
            if let Some(at) = found.iter().position(|one| *one == known) {
                found.remove(at);
            }
        }
        (Self { front_matter, ..self.clone() }, found)
    }

    fn overlaid(
        &self,
        options: &Map<String, Value>,
        schemas: &Schemas,
    ) -> (FrontMatter, Vec<Diagnostic>) {
        let mut diagnostics = Diagnostics::new(self.source().clone());
        let span = self.front_matter_span.unwrap_or_default();
        let node = node_of(&Value::Object(self.front_matter.overlaid(options)), span);
        let front_matter = FrontMatter::read(&node, schemas, &mut diagnostics);
        (front_matter, diagnostics.into_vec())
    }
}

impl Partial {
    /// Returns the file.
    pub fn source(&self) -> &SourceText {
        &self.template.source
    }

    /// Returns the template with LF line ends.
    pub fn template_text(&self) -> String {
        self.template.text()
    }
}
