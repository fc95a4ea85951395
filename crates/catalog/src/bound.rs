use chat::{OutputFormat, Part, Prices, Request, Usage};
use values::NanoDollars;

/// Counts the tokens of a text.
pub trait TokenCounter: Send + Sync {
    /// Returns the number of tokens.
    fn count(&self, text: &str) -> u64;

    /// Tells whether the count is the model's own.
    fn is_exact(&self) -> bool;
}

/// Tokens that a chat format may add to a message.
const PER_MESSAGE: u64 = 16;
/// Tokens that a chat format may add to a request, and to each tool.
const PER_REQUEST: u64 = 64;
/// Tokens of an image: the most that a large one costs with the vendors that publish rules.
const PER_IMAGE: u64 = 8_192;

/// Returns a number of input tokens that a request cannot exceed.
///
/// No tokenizer makes more tokens than there are bytes, so bytes bound the text; chat formats,
/// tools, schemas and images add their overhead. Rough on purpose: it is reserved, not billed.
pub fn input_token_bound(request: &Request) -> u64 {
    let messages: u64 = request
        .messages
        .iter()
        .map(|message| PER_MESSAGE + message.parts.iter().map(part_bound).sum::<u64>())
        .sum();
    let tools: u64 = request.tools.iter().map(|tool| PER_REQUEST + json_bytes(tool)).sum();
    let schema = match &request.output {
        OutputFormat::Json { schema: Some(schema) } => json_bytes(schema),
        _ => 0,
    };
    PER_REQUEST + messages + tools + schema
}

fn part_bound(part: &Part) -> u64 {
    match part {
        Part::Text { text } => text.len() as u64,
        Part::Media { .. } => PER_IMAGE,
        Part::ToolCall(call) => PER_MESSAGE + json_bytes(call),
        Part::ToolResult { name, output, .. } => {
            PER_MESSAGE + name.len() as u64 + output.to_string().len() as u64
        }
    }
}

fn json_bytes(value: &impl serde::Serialize) -> u64 {
    serde_json::to_string(value).map_or(u64::MAX / 1024, |text| text.len() as u64)
}

/// Returns the most that a call can cost: all input at the dearest input price, all output at the
/// dearest output price.
pub fn worst_case(input_tokens: u64, output_tokens: u64, prices: &Prices) -> NanoDollars {
    let input = prices
        .input_uncached
        .max(prices.cache_read)
        .max(prices.cache_write_5m)
        .max(prices.cache_write_1h);
    let output = prices.output_visible.max(prices.output_reasoning);
    let usage =
        Usage { input_uncached: input_tokens, output_visible: output_tokens, ..Usage::default() };
    usage.cost(&Prices { input_uncached: input, output_visible: output, ..Prices::default() })
}

#[cfg(test)]
mod tests {
    use chat::{Message, Role, Sampling, ToolChoice};

    use super::*;

    #[test]
    fn bytes_bound_the_tokens() {
        let request = Request {
            model: "a/b".parse().unwrap(),
            messages: vec![Message::text(Role::User, "wért")],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            output: OutputFormat::Text,
            sampling: Sampling::default(),
        };
        assert_eq!(input_token_bound(&request), 64 + 16 + 5);
    }

    #[test]
    fn the_worst_case_takes_the_dearest_bucket() {
        let prices = Prices {
            input_uncached: 3_000_000_000,
            cache_write_1h: 6_000_000_000,
            output_visible: 15_000_000_000,
            ..Prices::default()
        };
        assert_eq!(worst_case(1_000_000, 1_000_000, &prices).to_string(), "$21.00");
    }
}
