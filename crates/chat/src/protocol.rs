use std::fmt;

use serde::{Deserialize, Serialize};

/// How a request is put on the wire, or to whom it is handed; as text, in kebab case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// OpenAI Chat Completions, and every server that speaks it.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
    /// Ollama's own `/api/chat`.
    Ollama,
    /// The decisions that OpenAI specified, at `/decisions`: probabilities and no text.
    OpenaiDecisions,
    /// The decisions that System One specified, at its own `/systemone`.
    SystemOne,
    /// The decisions that System One specified, at a gateway's `/decisions`.
    SystemOneDecisions,
    /// A model that runs inside the program.
    Embedded,
    /// The user's application, behind HTTP.
    HttpTarget,
    /// The user's application, as a trusted program.
    ProgramTarget,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 11] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::Anthropic,
        Self::Gemini,
        Self::Ollama,
        Self::OpenaiDecisions,
        Self::SystemOne,
        Self::SystemOneDecisions,
        Self::Embedded,
        Self::HttpTarget,
        Self::ProgramTarget,
    ];

    /// Returns the text form (`openai-chat`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            Self::OpenaiDecisions => "openai-decisions",
            Self::SystemOne => "system-one",
            Self::SystemOneDecisions => "system-one-decisions",
            Self::Embedded => "embedded",
            Self::HttpTarget => "http-target",
            Self::ProgramTarget => "program-target",
        }
    }

    /// Tells whether it answers with probabilities, and with no text.
    pub const fn is_decision(self) -> bool {
        matches!(self, Self::OpenaiDecisions | Self::SystemOne | Self::SystemOneDecisions)
    }

    /// Returns the protocol of a text form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.as_str() == text)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_forms_agree_and_round_trip() {
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::parse(protocol.as_str()), Some(protocol));
            let json = serde_json::to_string(&protocol).unwrap();
            assert_eq!(json, format!("\"{protocol}\""));
        }
    }
}
