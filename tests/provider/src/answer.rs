use chat::{FinishReason, ToolCall, Usage};
use serde_json::Value;

use crate::SeenRequest;

/// What a model is made to answer, before a protocol writes it down.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The visible text. Cut at the request's maximum of output tokens unless
    /// [`ignores_max`](Self::ignores_max).
    pub text: String,
    /// What the model says instead when it declines.
    pub refusal: Option<String>,
    /// The tools that it asks for.
    pub tool_calls: Vec<ToolCall>,
    /// Why it stops, unless the maximum cuts it.
    pub finish: FinishReason,
    /// Tokens of hidden reasoning, of which no text is shown. They count into the maximum.
    pub reasoning_tokens: u64,
    /// Input tokens that a cache served, took for five minutes, and took for an hour; the rest of
    /// the input is uncached.
    pub cached: Cached,
    /// What is billed, where it is not the tokens counted.
    pub bill: Option<Usage>,
    /// What the response says was used.
    pub report: Report,
    /// Whether the request's maximum of output tokens is ignored: the whole text is sent and billed.
    pub ignores_max: bool,
    /// The model that the response names, where it is not the one asked for.
    pub served_model: Option<String>,
}

/// Input tokens that the provider's prompt cache handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cached {
    /// Read.
    pub read: u64,
    /// Written for five minutes.
    pub write_5m: u64,
    /// Written for an hour.
    pub write_1h: u64,
}

/// What a response says was used.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Report {
    /// What was billed, where the protocol says usage at all.
    #[default]
    Truth,
    /// Nothing.
    Missing,
    /// Other numbers than were billed.
    Wrong(Usage),
    /// This in the place of the protocol's usage object.
    Raw(Value),
}

impl Answer {
    /// Makes an answer of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            refusal: None,
            tool_calls: Vec::new(),
            finish: FinishReason::Complete,
            reasoning_tokens: 0,
            cached: Cached::default(),
            bill: None,
            report: Report::Truth,
            ignores_max: false,
            served_model: None,
        }
    }

    /// Makes an answer that calls tools.
    pub fn tools(tool_calls: Vec<ToolCall>) -> Self {
        Self { tool_calls, finish: FinishReason::ToolUse, ..Self::text("") }
    }

    /// Makes an answer by which the model declines, with status 200.
    pub fn refusal(words: impl Into<String>) -> Self {
        Self { refusal: Some(words.into()), finish: FinishReason::Refused, ..Self::text("") }
    }

    /// Makes the answer that needs no script: the last text of the request, after `echo: `.
    pub fn echo(request: &SeenRequest) -> Self {
        Self::text(format!("echo: {}", request.last_text()))
    }

    /// Sets what is billed and reported, whatever the texts are.
    #[must_use]
    pub fn billed(mut self, usage: Usage) -> Self {
        self.bill = Some(usage);
        self
    }

    /// Sets what is reported.
    #[must_use]
    pub fn reporting(mut self, report: Report) -> Self {
        self.report = report;
        self
    }

    /// Sets why it stops.
    #[must_use]
    pub fn finishing(mut self, finish: FinishReason) -> Self {
        self.finish = finish;
        self
    }

    /// Applies the request's maximum and counts the tokens.
    pub(crate) fn settle(mut self, request: &SeenRequest) -> Settled {
        let max = request.max_output_tokens().filter(|_| !self.ignores_max).unwrap_or(u64::MAX);
        let reasoning = self.reasoning_tokens.min(max);
        let room = usize::try_from(max - reasoning).unwrap_or(usize::MAX);
        let pieces = tokens(&self.text);
        if pieces.len() > room {
            self.text = pieces[..room].concat();
            self.finish = FinishReason::Length;
        }
        let visible: usize = tokens(&self.text).len()
            + self.refusal.as_deref().map_or(0, |words| tokens(words).len())
            + self.tool_calls.iter().map(tokens_of_call).sum::<usize>();
        let input: usize = request.texts().iter().map(|text| tokens(text).len()).sum();
        let cached = self.cached;
        let handled = cached.read + cached.write_5m + cached.write_1h;
        let usage = self.bill.unwrap_or(Usage {
            input_uncached: (input as u64).max(1).saturating_sub(handled),
            cache_read: cached.read,
            cache_write_5m: cached.write_5m,
            cache_write_1h: cached.write_1h,
            output_visible: visible as u64,
            output_reasoning: reasoning,
        });
        Settled { answer: self, usage }
    }
}

/// An answer as it will be sent, and its bill.
pub(crate) struct Settled {
    pub(crate) answer: Answer,
    pub(crate) usage: Usage,
}

/// Splits text into this server's tokens: four characters each, so never more than bytes.
pub fn tokens(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text.char_indices().step_by(4).map(|(at, _)| at).collect();
    let ends = starts.iter().copied().skip(1).chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()
}

fn tokens_of_call(call: &ToolCall) -> usize {
    tokens(&call.name).len() + tokens(&call.arguments.to_string()).len()
}
