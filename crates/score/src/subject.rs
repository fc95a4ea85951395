use chat::{FinishReason, Reply};
use evalset::check::Bindings;
use serde_json::{Map, Value};
use values::NanoDollars;

/// What is scored: an output, and what is known about it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What generating gave.
    pub generation: Generation<'a>,
    /// The case's inputs.
    pub inputs: &'a Map<String, Value>,
    /// What the case expects.
    pub expected: Option<&'a Value>,
    /// Milliseconds from sending to the last byte, where they were measured.
    pub latency_ms: Option<u64>,
    /// What the answer cost, where its price is known.
    pub cost: Option<NanoDollars>,
}

/// What generating gave.
#[derive(Debug, Clone, Copy)]
pub enum Generation<'a> {
    /// An answer.
    Reply(&'a Reply),
    /// None, and why.
    Failed {
        /// What happened: a lower-case fragment.
        reason: &'a str,
    },
}

impl<'a> Subject<'a> {
    pub(crate) fn bindings(&self) -> Bindings<'a> {
        Bindings { inputs: self.inputs, expected: self.expected }
    }
}

/// Returns how a reason says that an output is not a whole answer, if it is none.
pub(crate) fn unfinished_note(finish: FinishReason) -> Option<&'static str> {
    match finish {
        FinishReason::Length => Some("the output was cut at the token limit"),
        FinishReason::Paused => Some("the output is unfinished, the provider paused it"),
        FinishReason::ContextExceeded => Some("the output was cut where the context was full"),
        FinishReason::MalformedTool => Some("the model's tool call could not be read"),
        FinishReason::Error => Some("the provider ended the output with a failure of its own"),
        FinishReason::Refused => Some("the model declined"),
        FinishReason::Filtered => Some("the provider's filter withheld the output"),
        FinishReason::Complete | FinishReason::ToolUse | FinishReason::StopSequence => None,
    }
}

/// Tells whether an output that ended so is not a whole answer.
///
/// Declining is one: the model, or the provider for it, chose to end there.
pub(crate) fn is_unfinished(finish: FinishReason) -> bool {
    !matches!(finish, FinishReason::Refused | FinishReason::Filtered)
        && unfinished_note(finish).is_some()
}
