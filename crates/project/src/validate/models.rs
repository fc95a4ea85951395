//! Model names that mean another model tomorrow.

use catalog::ProviderSettings;
use chat::{ModelRef, Protocol};

/// Tells whether a vendor may put another model behind this name without notice.
///
/// The rule, by who serves it: a name that ends in `latest` always floats. OpenAI's names are fixed by
/// a date (`-2025-08-07`, `-0613`) or by being a fine-tuned one (`ft:`), Anthropic's by a date of
/// eight digits, Gemini's by a revision of three digits or a month (`-002`, `-05-20`), Ollama's by a
/// tag. OpenRouter spells the vendor in front, and the vendor's rule holds. A local GGUF file is
/// identified by its hash. Of any other server nothing is known.
pub(super) fn is_floating(model: &ModelRef, provider: &ProviderSettings) -> bool {
    let name = model.model.as_str();
    if provider.protocol == Protocol::Embedded {
        return false;
    }
    if name.ends_with("latest") {
        return true;
    }
    let (vendor, name) = match (model.provider.as_str(), name.split_once('/')) {
        ("openrouter", Some((vendor, name))) => (vendor, name),
        (vendor, _) => (vendor, name),
    };
    // OpenRouter's `:free` and the like say how it is served, not what.
    let plain = name.split(':').next().unwrap_or(name);
    let parts: Vec<&str> = plain.split('-').collect();
    match vendor {
        "openai" | "openai-responses" => {
            !name.starts_with("ft:") && !parts.iter().any(is_month_day) && !has_date(&parts)
        }
        "anthropic" => !parts.iter().any(|part| is_digits(part, 8)),
        "gemini" | "google" => {
            !parts.iter().skip(1).any(|part| is_digits(part, 3)) && !has_date(&parts)
        }
        "ollama" => !name.contains(':'),
        _ => false,
    }
}

fn is_digits(part: &str, count: usize) -> bool {
    part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `0613`, `1106`: a month and a day.
fn is_month_day(part: &&str) -> bool {
    is_digits(part, 4) && ("0101"..="1231").contains(part)
}

/// `2025-08-07`, `05-20`, `09-2025`: parts of a date next to each other.
fn has_date(parts: &[&str]) -> bool {
    let (two, four) = (|part: &str| is_digits(part, 2), |part: &str| is_digits(part, 4));
    parts.windows(2).any(|pair| (two(pair[0]) || four(pair[0])) && (two(pair[1]) || four(pair[1])))
}

#[cfg(test)]
mod tests {
    use catalog::built_in_providers;

    use super::*;

    fn floats(name: &str) -> bool {
        let model: ModelRef = name.parse().unwrap();
        is_floating(&model, &built_in_providers()[&model.provider])
    }

    #[test]
    fn a_name_without_a_date_or_revision_floats() {
        for name in [
            "openai/gpt-5-mini",
            "openai/chatgpt-4o-latest",
            "openai-responses/gpt-4.1",
            "anthropic/claude-sonnet-4-5",
            "anthropic/claude-3-5-haiku-latest",
            "gemini/gemini-2.5-flash",
            "gemini/gemini-flash-latest",
            "openrouter/openai/gpt-5-mini",
            "openrouter/anthropic/claude-sonnet-4.5:beta",
            "ollama/llama3.2",
            "ollama/llama3.2:latest",
        ] {
            assert!(floats(name), "{name}");
        }
    }

    #[test]
    fn a_name_that_says_which_does_not() {
        for name in [
            "openai/gpt-5-mini-2025-08-07",
            "openai/gpt-4-0613",
            "openai/gpt-3.5-turbo-1106",
            "openai/ft:gpt-4o-mini:shop::abc",
            "anthropic/claude-sonnet-4-5-20250929",
            "gemini/gemini-1.5-pro-002",
            "gemini/gemini-2.5-flash-preview-05-20",
            "gemini/gemini-2.5-flash-lite-preview-09-2025",
            "openrouter/openai/gpt-4o-2024-11-20",
            "openrouter/meta-llama/llama-3.3-70b-instruct",
            "groq/llama-3.3-70b-versatile",
            "ollama/llama3.2:3b-instruct-q4_K_M",
            "lmstudio/anything",
            "embedded/smollm2-135m",
        ] {
            assert!(!floats(name), "{name}");
        }
    }
}
