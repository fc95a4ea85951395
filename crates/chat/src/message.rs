use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The instructions of the application.
    System,
    /// The person, or the data that stands for one.
    User,
    /// The model. Dotprompt writes it `model`, most wire protocols `assistant`.
    Model,
    /// The result of a tool that the model called.
    Tool,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

impl Message {
    /// Makes a message of one text part.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, parts: vec![Part::Text { text: text.into() }] }
    }

    /// Returns all text parts joined without a separator.
    pub fn joined_text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Text { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// Text.
    Text {
        /// The text, never rendered again.
        text: String,
    },
    /// An image or other media, by URL (`https:`, or `data:` once a file was read).
    Media {
        /// Where it is.
        url: String,
        /// Its MIME type, where known.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        content_type: Option<String>,
    },
    /// A call that the model made earlier in the conversation.
    ToolCall(crate::ToolCall),
    /// What a tool answered.
    ToolResult {
        /// The id of the call that this answers.
        id: String,
        /// The tool's name.
        name: String,
        /// Its answer.
        output: Value,
    },
}
