use std::fmt;

use chat::{OutputFormat, Part, Request};
use serde_json::{Map, Value};

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
/// Tokens of an image: more than a large one costs with any vendor that publishes rules, one model
/// apart.
const PER_IMAGE: u64 = 16_384;
/// Tokens of an image of that model: 2,833, and 5,667 for each of at most eight tiles.
const PER_IMAGE_OF_4O_MINI: u64 = 49_152;

/// Parameters outside our form that bring in what this machine cannot count (state on the server,
/// tools that the server runs), or that change the price (tiers, other models, other kinds of
/// output). Spelled without case and underscores.
const UNBOUNDING: [&str; 18] = [
    "audio",
    "cachedcontent",
    "container",
    "conversation",
    "inferencegeo",
    "mcpservers",
    "modalities",
    "models",
    "plugins",
    "prediction",
    "previousresponseid",
    "prompt",
    "provider",
    "responsemodalities",
    "servicetier",
    "speed",
    "tools",
    "websearchoptions",
];

/// Why nobody can say beforehand what a call costs at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbounded {
    /// The model's price is not known.
    Price,
    /// A file is sent by its URL that is no image, so its size is not known.
    RemoteFile,
    /// This parameter brings in what cannot be counted here, or changes the price.
    Parameter(String),
}

impl fmt::Display for Unbounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Price => f.write_str("the model has no known price"),
            Self::RemoteFile => {
                f.write_str("a file that is no image is sent by its URL, so its size is not known")
            }
            Self::Parameter(name) => {
                write!(f, "the parameter `{name}` changes what a call costs in ways unknown here")
            }
        }
    }
}

impl Unbounded {
    /// Returns what the person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Price => "state the model's prices in trysquare.yaml, or say --allow-unpriced",
            Self::RemoteFile => "send the file itself from the project, or say --allow-unpriced",
            Self::Parameter(_) => "leave the parameter out, or say --allow-unpriced",
        }
    }
}

/// Returns a number of input tokens that a request cannot exceed.
///
/// No tokenizer makes more tokens than there are bytes, so bytes bound the text; chat formats,
/// tools, schemas and parameters outside our form add their own. An image costs what the vendors'
/// rules say at most; of other files that are sent along, their base64 counts. Rough on purpose: it
/// is reserved, not billed.
///
/// # Errors
/// [`Unbounded`] if the request brings in what cannot be counted here.
pub fn input_token_bound(request: &Request) -> Result<u64, Unbounded> {
    let extra = &request.sampling.extra;
    let nested = extra.get("generationConfig").and_then(Value::as_object);
    for name in extra.keys().chain(nested.into_iter().flat_map(Map::keys)) {
        let plain = name.replace('_', "").to_ascii_lowercase();
        if UNBOUNDING.contains(&plain.as_str()) {
            return Err(Unbounded::Parameter(name.clone()));
        }
    }
    let is_dear = request.model.model.contains("4o-mini");
    let per_image = if is_dear { PER_IMAGE_OF_4O_MINI } else { PER_IMAGE };
    let mut bound = PER_REQUEST + json_bytes(extra);
    for message in &request.messages {
        bound += PER_MESSAGE;
        for part in &message.parts {
            bound += part_bound(part, per_image)?;
        }
    }
    bound += request.tools.iter().map(|tool| PER_REQUEST + json_bytes(tool)).sum::<u64>();
    if let OutputFormat::Json { schema: Some(schema) } = &request.output {
        bound += json_bytes(schema);
    }
    Ok(bound)
}

fn part_bound(part: &Part, per_image: u64) -> Result<u64, Unbounded> {
    Ok(match part {
        Part::Text { text } => text.len() as u64,
        Part::Media { url, content_type } => {
            let inline = url.strip_prefix("data:");
            let stated = inline.and_then(|data| data.split([';', ',']).next());
            let kind = stated.filter(|kind| !kind.is_empty()).or(content_type.as_deref());
            match (kind, inline) {
                (Some(kind), _) if kind.starts_with("image/") => per_image,
                // What a provider fetches without being told its type is an image.
                (None, None) => per_image,
                (_, Some(data)) => per_image.max(data.len() as u64),
                (Some(_), None) => return Err(Unbounded::RemoteFile),
            }
        }
        Part::ToolCall(call) => PER_MESSAGE + json_bytes(call),
        Part::ToolResult { name, output, .. } => {
            PER_MESSAGE + name.len() as u64 + output.to_string().len() as u64
        }
    })
}

fn json_bytes(value: &impl serde::Serialize) -> u64 {
    serde_json::to_string(value).map_or(u64::MAX / 1024, |text| text.len() as u64)
}

#[cfg(test)]
mod tests {
    use chat::{Message, Role, Sampling, ToolChoice};

    use super::*;

    fn request(parts: Vec<Part>) -> Request {
        Request {
            model: "a/b".parse().unwrap(),
            messages: vec![Message { role: Role::User, parts }],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            output: OutputFormat::Text,
            sampling: Sampling::default(),
        }
    }

    fn text(text: &str) -> Part {
        Part::Text { text: text.to_owned() }
    }

    fn media(url: &str, content_type: Option<&str>) -> Part {
        Part::Media { url: url.to_owned(), content_type: content_type.map(str::to_owned) }
    }

    /// The bound of an empty request.
    const BARE: u64 = 64 + 16 + "{}".len() as u64;

    #[test]
    fn bytes_bound_the_tokens() {
        assert_eq!(input_token_bound(&request(vec![text("wért")])), Ok(BARE + 5));
    }

    #[test]
    fn media_count_by_kind_and_size() {
        let bound = |url: &str, kind| input_token_bound(&request(vec![media(url, kind)]));
        assert_eq!(bound("data:image/png;base64,AAAA", None), Ok(BARE + PER_IMAGE));
        assert_eq!(bound("https://a.example/a", None), Ok(BARE + PER_IMAGE));
        assert_eq!(bound("https://a.example/a", Some("image/png")), Ok(BARE + PER_IMAGE));
        let pdf = format!("data:application/pdf;base64,{}", "A".repeat(100_000));
        assert!(bound(&pdf, None).unwrap() >= BARE + 100_000);
        let remote = bound("https://a.example/a", Some("application/pdf"));
        assert_eq!(remote, Err(Unbounded::RemoteFile));
        let mut dear = request(vec![media("data:image/png;base64,AAAA", None)]);
        dear.model = "openai/gpt-4o-mini".parse().unwrap();
        assert_eq!(input_token_bound(&dear), Ok(BARE + PER_IMAGE_OF_4O_MINI));
    }

    #[test]
    fn extra_parameters_count_with_their_bytes() {
        let mut more = request(vec![text("")]);
        let long = serde_json::json!({"user": "u", "grammar": "x".repeat(1_000)});
        more.sampling.extra = long.as_object().unwrap().clone();
        assert!(input_token_bound(&more).unwrap() > BARE + 1_000);
    }

    #[test]
    fn what_brings_in_state_tools_or_another_price_has_no_bound() {
        for (extra, name) in [
            (serde_json::json!({"previous_response_id": "r"}), "previous_response_id"),
            (serde_json::json!({"conversation": "c"}), "conversation"),
            (serde_json::json!({"tools": [{"type": "web_search"}]}), "tools"),
            (serde_json::json!({"service_tier": "priority"}), "service_tier"),
            (serde_json::json!({"serviceTier": "priority"}), "serviceTier"),
            (
                serde_json::json!({"generationConfig": {"responseModalities": ["AUDIO"]}}),
                "responseModalities",
            ),
        ] {
            let mut asked = request(vec![text("")]);
            asked.sampling.extra = extra.as_object().unwrap().clone();
            let found = input_token_bound(&asked).unwrap_err();
            assert_eq!(found, Unbounded::Parameter(name.to_owned()));
        }
    }
}
