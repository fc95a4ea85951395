use chat::{Message, Part, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A message that a template rendered, with what the format says about it beside its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderedMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<RenderedPart>,
    /// `purpose: history` on messages that `{{history}}` placed, and what `{{role}}` was given.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub metadata: Map<String, Value>,
}

/// A piece of a rendered message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum RenderedPart {
    /// Something that the model gets.
    Said {
        /// The part.
        part: Part,
    },
    /// The place of a `{{section}}`, to be filled by whoever sends the prompt; a model never sees
    /// it.
    Section {
        /// The section's name.
        purpose: String,
    },
}

impl RenderedMessage {
    /// Returns the message as a model gets it: sections and metadata are left out.
    pub fn to_message(&self) -> Message {
        let said = |part: &RenderedPart| match part {
            RenderedPart::Said { part } => Some(part.clone()),
            RenderedPart::Section { .. } => None,
        };
        Message { role: self.role, parts: self.parts.iter().filter_map(said).collect() }
    }

    /// Tells whether `{{history}}` placed this message.
    pub fn is_history(&self) -> bool {
        self.metadata.get("purpose").is_some_and(|purpose| purpose == "history")
    }
}

impl From<Message> for RenderedMessage {
    fn from(message: Message) -> Self {
        let parts = message.parts.into_iter().map(|part| RenderedPart::Said { part }).collect();
        Self { role: message.role, parts, metadata: Map::new() }
    }
}

/// Reads a role as Dotprompt writes it.
pub(crate) fn parse_role(name: &str) -> Option<Role> {
    match name {
        "system" => Some(Role::System),
        "user" => Some(Role::User),
        "model" => Some(Role::Model),
        "tool" => Some(Role::Tool),
        _ => None,
    }
}
