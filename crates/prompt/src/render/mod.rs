//! Rendering: a linked prompt and its input become messages.
//!
//! Bounded by depth, output bytes and steps. Values go into the output as they are: nothing is
//! escaped, and nothing in them is ever read as a template or a mark.

mod engine;
mod frame;
mod output;
mod value;

pub(crate) use value::member;

use chat::Message;
use document::{Position, Span};
use serde_json::{Map, Value};

use crate::link::LinkedPrompt;
use crate::message::RenderedMessage;
use crate::{MAX_NESTING, MAX_OUTPUT_BYTES, MAX_STEPS};

/// What a prompt is rendered with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RenderInput {
    /// The variables; defaults of the front matter stand in for those that are absent.
    pub variables: Map<String, Value>,
    /// The `@` variables by name (`state`, `auth`, …).
    pub context: Map<String, Value>,
    /// The conversation so far, which the format places by `{{history}}` or before the last message.
    pub history: Vec<RenderedMessage>,
    /// The documents that `@metadata.docs` shows.
    pub docs: Vec<Value>,
}

/// What a prompt rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The messages, with the format's metadata.
    pub messages: Vec<RenderedMessage>,
}

impl Rendered {
    /// Returns the messages as a model gets them; one without any part is left out.
    pub fn to_messages(&self) -> Vec<Message> {
        let messages = self.messages.iter().map(RenderedMessage::to_message);
        messages.filter(|message| !message.parts.is_empty()).collect()
    }
}

/// A prompt could not be rendered with this input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{}:{}: {failure}", position.line, position.column)]
pub struct RenderError {
    /// The prompt's or the partial's file.
    pub file: String,
    /// The bytes of the tag that failed.
    pub span: Span,
    /// Its line and column.
    pub position: Position,
    /// Why.
    pub failure: RenderFailure,
}

/// Why a prompt could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderFailure {
    /// Blocks and partials nest too deep.
    #[error("blocks and partials nest more than {MAX_NESTING} levels deep")]
    TooDeep,
    /// The output is too large.
    #[error("the prompt renders more than {MAX_OUTPUT_BYTES} bytes")]
    TooLarge,
    /// The template does too much.
    #[error("rendering takes more than {MAX_STEPS} steps")]
    TooManySteps,
    /// An inline partial is not in reach here.
    #[error("no partial is called `{0}` here")]
    NoPartial(String),
    /// The value given to `{{role}}` is not a role.
    #[error("`{0}` is not a role: expected system, user, model or tool")]
    UnknownRole(String),
    /// The address given to `{{media}}` is not text.
    #[error("the `url` of `media` is not text")]
    MediaUrl,
}

impl LinkedPrompt {
    /// Renders the prompt.
    ///
    /// A missing value renders as nothing, as the format says; whether all variables are bound is
    /// checked apart, by [`crate::Variables::unbound`].
    ///
    /// # Errors
    /// [`RenderError`] if a bound is exceeded, an inline partial is not in reach, or a computed role
    /// or media address is none.
    pub fn render(&self, input: &RenderInput) -> Result<Rendered, RenderError> {
        let output = engine::run(self, input)?;
        Ok(Rendered { messages: output.into_messages(&input.history) })
    }

    /// Returns the variables with the front matter's defaults for those that are absent.
    pub(crate) fn with_defaults(&self, variables: &Map<String, Value>) -> Map<String, Value> {
        let mut merged = self.prompt().front_matter.input.default.clone();
        merged.extend(variables.clone());
        merged
    }
}
