use chat::{OutputFormat, Part, Request, Role};
use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use crate::TokenCounter;

/// Tokens that frame a message, its role apart.
const PER_MESSAGE: u64 = 3;
/// Tokens with which the answer is begun.
const PRIMING: u64 = 3;

/// Counts tokens as models of OpenAI do.
///
/// The tables are a few megabytes, so they are read at the first count and not when a counter is
/// made. What a text says is always plain text: the name of a control token in it is no control
/// token, as in the vendor's own interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenaiCounter {
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Cl100k,
    O200k,
}

impl OpenaiCounter {
    /// Makes the counter of a model, by its name with or without a vendor before a slash; `None` if
    /// its tokenizer is not known.
    pub fn of_model(model: &str) -> Option<Self> {
        let name = model.rsplit('/').next().unwrap_or(model);
        let encoding = match get_tokenizer(name)? {
            Tokenizer::O200kBase | Tokenizer::O200kHarmony => Encoding::O200k,
            Tokenizer::Cl100kBase => Encoding::Cl100k,
            // Older models are no chat models.
            _ => return None,
        };
        Some(Self { encoding })
    }

    /// Returns the input tokens of a request with text alone, by the vendor's published rule: the
    /// texts, three tokens and the role for each message, and three for the beginning of the answer.
    ///
    /// `None` for a request with tools, a schema or media: what they add is not published.
    pub fn count_request(&self, request: &Request) -> Option<u64> {
        let has_schema = matches!(&request.output, OutputFormat::Json { schema: Some(_) });
        if has_schema || !request.tools.is_empty() {
            return None;
        }
        let mut tokens = PRIMING;
        for message in &request.messages {
            let role = match message.role {
                Role::System => "system",
                Role::User => "user",
                Role::Model => "assistant",
                Role::Tool => return None,
            };
            tokens += PER_MESSAGE + self.count(role);
            // The parts of a message are sent apart, and nothing merges across them.
            for part in &message.parts {
                let Part::Text { text } = part else { return None };
                tokens += self.count(text);
            }
        }
        Some(tokens)
    }

    fn table(self) -> &'static CoreBPE {
        match self.encoding {
            Encoding::Cl100k => tiktoken_rs::cl100k_base_singleton(),
            Encoding::O200k => tiktoken_rs::o200k_base_singleton(),
        }
    }
}

impl TokenCounter for OpenaiCounter {
    fn count(&self, text: &str) -> u64 {
        self.table().encode_ordinary(text).len() as u64
    }

    fn is_exact(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use chat::{Message, Sampling, Tool, ToolChoice};
    use serde_json::{Value, json};

    use super::*;

    /// A thousand texts with the counts of another implementation, which has tables of its own;
    /// `tests/tokens/make.mjs` makes the file.
    const COUNTED: &str = include_str!("../tests/tokens.jsonl");

    fn counter(model: &str) -> OpenaiCounter {
        OpenaiCounter::of_model(model).unwrap()
    }

    #[test]
    fn a_thousand_texts_count_as_another_implementation_counts_them() {
        let (newer, older) = (counter("gpt-4o"), counter("gpt-4"));
        let mut texts = 0;
        for line in COUNTED.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let text = row["text"].as_str().unwrap();
            let counts = (json!(newer.count(text)), json!(older.count(text)));
            assert_eq!(counts, (row["o200k"].clone(), row["cl100k"].clone()), "{text:?}");
            texts += 1;
        }
        assert_eq!(texts, 1_000);
    }

    #[test]
    fn models_have_the_tokenizer_of_their_family_and_others_none() {
        for model in ["gpt-5-mini", "openai/gpt-5-mini", "gpt-4.1-nano", "o3", "gpt-4o-2024-08-06"]
        {
            assert_eq!(counter(model).encoding, Encoding::O200k, "{model}");
        }
        assert_eq!(counter("gpt-4").encoding, Encoding::Cl100k);
        for model in ["claude-sonnet-4-5", "gemini-2.5-pro", "llama-3.3-70b", ""] {
            assert_eq!(OpenaiCounter::of_model(model), None, "{model}");
        }
    }

    fn request(messages: Vec<Message>) -> Request {
        Request {
            model: "openai/gpt-4o".parse().unwrap(),
            messages,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            output: OutputFormat::Text,
            sampling: Sampling::default(),
        }
    }

    #[test]
    fn a_request_counts_its_frame() {
        let two = request(vec![
            Message::text(Role::System, "hello world"),
            Message::text(Role::User, "hello"),
        ]);
        assert_eq!(counter("gpt-4o").count_request(&two), Some(3 + (3 + 1 + 2) + (3 + 1 + 1)));
    }

    #[test]
    fn what_no_published_rule_counts_is_not_guessed() {
        let mut asked = request(vec![Message::text(Role::User, "hello")]);
        let input_schema = json!({"type": "object"});
        asked.tools = vec![Tool { name: "t".to_owned(), description: None, input_schema }];
        assert_eq!(counter("gpt-4o").count_request(&asked), None);
        let url = "https://a.example/i.png".to_owned();
        let image = Part::Media { url, content_type: None };
        let asked = request(vec![Message { role: Role::User, parts: vec![image] }]);
        assert_eq!(counter("gpt-4o").count_request(&asked), None);
    }
}
