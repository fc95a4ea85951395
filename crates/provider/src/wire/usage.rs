//! What providers count, brought into six disjoint buckets.
//!
//! The invariant: the buckets add up to what the provider billed. A usage object that contradicts
//! itself (a part larger than its whole, a total that is not the sum, a count that is no count) is
//! not repaired: there is then no [`Usage`], the raw object is kept, and the caller presumes the
//! worst. Guessing here would be a silent error in every cost that is shown.

use chat::Usage;
use serde_json::Value;

use super::json::at;

/// A usage object contradicts itself, or what it should count is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the usage contradicts itself: {0}")]
pub struct UsageContradiction(String);

type Reading = Result<Option<Usage>, UsageContradiction>;

fn wrong(what: impl Into<String>) -> UsageContradiction {
    UsageContradiction(what.into())
}

/// Returns a count, `None` if it is absent or null.
fn count(raw: &Value, pointer: &str) -> Result<Option<u64>, UsageContradiction> {
    match at(raw, pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| wrong(format!("`{}` is {value}", pointer.trim_start_matches('/')))),
    }
}

fn sum(counts: &[u64]) -> Result<u64, UsageContradiction> {
    counts
        .iter()
        .try_fold(0u64, |total, count| total.checked_add(*count))
        .ok_or_else(|| wrong("its counts overflow"))
}

fn rest(whole: u64, parts: u64, what: &str) -> Result<u64, UsageContradiction> {
    whole.checked_sub(parts).ok_or_else(|| wrong(format!("{what}: {parts} of {whole}")))
}

/// The names of the fields of OpenAI's two usage objects.
struct OpenaiFields {
    input: &'static str,
    cached: &'static str,
    written: &'static str,
    output: &'static str,
    reasoning: &'static str,
}

/// Reads `usage` of Chat Completions, also as compatible servers write it.
///
/// # Errors
/// [`UsageContradiction`]
pub(super) fn openai_chat(raw: &Value) -> Reading {
    openai(
        raw,
        &OpenaiFields {
            input: "/prompt_tokens",
            cached: "/prompt_tokens_details/cached_tokens",
            written: "/prompt_tokens_details/cache_write_tokens",
            output: "/completion_tokens",
            reasoning: "/completion_tokens_details/reasoning_tokens",
        },
    )
}

/// Reads `usage` of Responses.
///
/// # Errors
/// [`UsageContradiction`]
pub(super) fn openai_responses(raw: &Value) -> Reading {
    openai(
        raw,
        &OpenaiFields {
            input: "/input_tokens",
            cached: "/input_tokens_details/cached_tokens",
            written: "/input_tokens_details/cache_write_tokens",
            output: "/output_tokens",
            reasoning: "/output_tokens_details/reasoning_tokens",
        },
    )
}

fn openai(raw: &Value, fields: &OpenaiFields) -> Reading {
    if !raw.is_object() {
        return Ok(None);
    }
    let (Some(input), Some(output)) = (count(raw, fields.input)?, count(raw, fields.output)?)
    else {
        return Err(wrong("a total of input or output is missing"));
    };
    let cached = count(raw, fields.cached)?.unwrap_or(0);
    let written = count(raw, fields.written)?.unwrap_or(0);
    let reasoning = count(raw, fields.reasoning)?.unwrap_or(0);
    let both = sum(&[input, output])?;
    // OpenAI counts reasoning inside the output. Some compatible servers count it beside, and the
    // total says so.
    let visible = match count(raw, "/total_tokens")? {
        Some(total) if total == both => rest(output, reasoning, "reasoning exceeds the output")?,
        Some(total) if total == sum(&[both, reasoning])? => output,
        Some(total) => return Err(wrong(format!("the total is {total}, its parts are {both}"))),
        None => rest(output, reasoning, "reasoning exceeds the output")?,
    };
    Ok(Some(Usage {
        input_uncached: rest(input, sum(&[cached, written])?, "the cache exceeds the input")?,
        cache_read: cached,
        cache_write_5m: written,
        cache_write_1h: 0,
        output_visible: visible,
        output_reasoning: reasoning,
    }))
}

/// Reads `usage` of Anthropic Messages: the parts of the input are disjoint already.
///
/// `thinking_tokens` is counted again from the text and only approximate, while `output_tokens` is
/// what is billed; so thinking is at most the output.
///
/// # Errors
/// [`UsageContradiction`]
pub(super) fn anthropic(raw: &Value) -> Reading {
    if !raw.is_object() {
        return Ok(None);
    }
    let (Some(input), Some(output)) = (count(raw, "/input_tokens")?, count(raw, "/output_tokens")?)
    else {
        return Err(wrong("a total of input or output is missing"));
    };
    let short = count(raw, "/cache_creation/ephemeral_5m_input_tokens")?;
    let long = count(raw, "/cache_creation/ephemeral_1h_input_tokens")?;
    let written = count(raw, "/cache_creation_input_tokens")?;
    let (short, long) = match (written, short, long) {
        (written, None, None) => (written.unwrap_or(0), 0),
        (written, short, long) => {
            let (short, long) = (short.unwrap_or(0), long.unwrap_or(0));
            let parts = sum(&[short, long])?;
            if written.is_some_and(|written| written != parts) {
                return Err(wrong("the cache writes do not add up to their total"));
            }
            (short, long)
        }
    };
    let thinking = count(raw, "/output_tokens_details/thinking_tokens")?.unwrap_or(0).min(output);
    Ok(Some(Usage {
        input_uncached: input,
        cache_read: count(raw, "/cache_read_input_tokens")?.unwrap_or(0),
        cache_write_5m: short,
        cache_write_1h: long,
        output_visible: output - thinking,
        output_reasoning: thinking,
    }))
}

/// Reads `usageMetadata` of Gemini: thoughts stand beside the candidates, the cache inside the prompt.
///
/// # Errors
/// [`UsageContradiction`]
pub(super) fn gemini(raw: &Value) -> Reading {
    if !raw.is_object() {
        return Ok(None);
    }
    let Some(prompt) = count(raw, "/promptTokenCount")? else {
        return Err(wrong("the prompt's count is missing"));
    };
    let cached = count(raw, "/cachedContentTokenCount")?.unwrap_or(0);
    let tools = count(raw, "/toolUsePromptTokenCount")?.unwrap_or(0);
    let candidates = count(raw, "/candidatesTokenCount")?.unwrap_or(0);
    let thoughts = count(raw, "/thoughtsTokenCount")?.unwrap_or(0);
    let parts = sum(&[prompt, tools, candidates, thoughts])?;
    if let Some(total) = count(raw, "/totalTokenCount")?
        && total != parts
    {
        return Err(wrong(format!("the total is {total}, its parts are {parts}")));
    }
    Ok(Some(Usage {
        input_uncached: sum(&[rest(prompt, cached, "the cache exceeds the prompt")?, tools])?,
        cache_read: cached,
        cache_write_5m: 0,
        cache_write_1h: 0,
        output_visible: candidates,
        output_reasoning: thoughts,
    }))
}

/// Reads the counts that Ollama puts at the top of its last object. It caches locally and bills
/// nothing; thinking is inside `eval_count`.
///
/// # Errors
/// [`UsageContradiction`]
pub(super) fn ollama(raw: &Value) -> Reading {
    let input = count(raw, "/prompt_eval_count")?;
    let output = count(raw, "/eval_count")?;
    if input.is_none() && output.is_none() {
        return Ok(None);
    }
    // A prompt that the server evaluated for an earlier call is not counted again.
    Ok(Some(Usage {
        input_uncached: input.unwrap_or(0),
        output_visible: output.unwrap_or(0),
        ..Usage::default()
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const COUNTS: std::ops::Range<u64> = 0..5_000_000;

    proptest! {
        #[test]
        fn openai_buckets_add_up_to_the_billed_total(
            uncached in COUNTS, cached in COUNTS, written in COUNTS, visible in COUNTS, reasoning in COUNTS,
        ) {
            let (input, output) = (uncached + cached + written, visible + reasoning);
            let chat = json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
                "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
                "completion_tokens_details": {"reasoning_tokens": reasoning, "rejected_prediction_tokens": 1},
            });
            let responses = json!({
                "input_tokens": input, "output_tokens": output, "total_tokens": input + output,
                "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
                "output_tokens_details": {"reasoning_tokens": reasoning},
            });
            let expected = Usage {
                input_uncached: uncached, cache_read: cached, cache_write_5m: written, cache_write_1h: 0,
                output_visible: visible, output_reasoning: reasoning,
            };
            prop_assert_eq!(openai_chat(&chat), Ok(Some(expected)));
            prop_assert_eq!(openai_responses(&responses), Ok(Some(expected)));
            prop_assert_eq!(expected.input_total() + expected.output_total(), input + output);
        }

        #[test]
        fn anthropic_buckets_add_up_to_the_billed_total(
            input in COUNTS, read in COUNTS, short in COUNTS, long in COUNTS, output in COUNTS, thinking in COUNTS,
        ) {
            let usage = anthropic(&json!({
                "input_tokens": input, "cache_read_input_tokens": read,
                "cache_creation_input_tokens": short + long,
                "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
                "output_tokens": output, "output_tokens_details": {"thinking_tokens": thinking},
            })).unwrap().unwrap();
            prop_assert_eq!(usage.input_total(), input + read + short + long);
            prop_assert_eq!(usage.output_total(), output);
            prop_assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (short, long));
        }

        #[test]
        fn gemini_buckets_add_up_to_the_billed_total(
            fresh in COUNTS, cached in COUNTS, tools in COUNTS, candidates in COUNTS, thoughts in COUNTS,
        ) {
            let total = fresh + cached + tools + candidates + thoughts;
            let usage = gemini(&json!({
                "promptTokenCount": fresh + cached, "cachedContentTokenCount": cached,
                "toolUsePromptTokenCount": tools, "candidatesTokenCount": candidates,
                "thoughtsTokenCount": thoughts, "totalTokenCount": total,
            })).unwrap().unwrap();
            prop_assert_eq!(usage.input_total() + usage.output_total(), total);
            prop_assert_eq!((usage.output_visible, usage.output_reasoning), (candidates, thoughts));
            prop_assert_eq!(usage.cache_read, cached);
        }

        #[test]
        fn ollama_buckets_add_up_to_what_it_evaluated(input in COUNTS, output in COUNTS) {
            let usage = ollama(&json!({"prompt_eval_count": input, "eval_count": output})).unwrap().unwrap();
            prop_assert_eq!((usage.input_total(), usage.output_total()), (input, output));
        }
    }

    #[test]
    fn reasoning_that_a_server_counts_beside_the_output_is_seen_by_the_total() {
        let usage = openai_chat(&json!({
            "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 35,
            "completion_tokens_details": {"reasoning_tokens": 20},
        }));
        let usage = usage.unwrap().unwrap();
        assert_eq!((usage.output_visible, usage.output_reasoning), (5, 20));
    }

    #[test]
    fn anthropic_without_the_split_counts_cache_writes_as_five_minutes() {
        let usage = anthropic(&json!({
            "input_tokens": 3, "output_tokens": 4, "cache_creation_input_tokens": 7,
            "cache_read_input_tokens": null,
        }));
        assert_eq!(usage.unwrap().unwrap().cache_write_5m, 7);
    }

    #[test]
    fn a_usage_that_contradicts_itself_is_refused_and_never_clamped() {
        let chat = [
            json!({"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6}}),
            json!({"prompt_tokens": 5, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 2}}),
            json!({"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 99}),
            json!({"prompt_tokens": -5, "completion_tokens": 1}),
            json!({"prompt_tokens": 5}),
            json!({"prompt_tokens": u64::MAX, "completion_tokens": 1}),
        ];
        for raw in chat {
            assert!(openai_chat(&raw).is_err(), "{raw}");
        }
        let split = json!({"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 1}});
        assert!(anthropic(&split).is_err());
        assert!(gemini(&json!({"promptTokenCount": 1, "cachedContentTokenCount": 2})).is_err());
        assert!(gemini(&json!({"promptTokenCount": 1, "totalTokenCount": 9})).is_err());
    }

    #[test]
    fn no_usage_is_unknown_not_zero() {
        for read in [openai_chat, openai_responses, anthropic, gemini, ollama] {
            assert_eq!(read(&Value::Null), Ok(None));
        }
    }
}
