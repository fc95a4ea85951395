use std::num::NonZeroU32;

use catalog::TokenCounter;
use chat::{FinishReason, OutputFormat, Request, Sampling};
use provider::Client;
use provider::embedded::{EmbeddedModel, EmbeddedOptions, GgufTokenizer, ModelFile};
use serde_json::Value;

use crate::support::{
    ask, model, model_path, options, order_number, order_schema, send, small_model, text,
};

#[tokio::test]
async fn an_order_number_is_found_with_four_examples() {
    let Some(model) = model(8) else { return };
    let (answer, finish) = text(&model, &order_number("Where is my order A-48213?")).await;
    assert_eq!((answer.as_str(), finish), ("A-48213", FinishReason::Complete));
}

#[tokio::test]
async fn an_answer_keeps_to_its_schema_even_when_drawn_hot() {
    let Some(model) = model(8) else { return };
    for seed in 0..3 {
        let mut request = ask("Write a poem.", 40);
        request.output = OutputFormat::Json { schema: Some(order_schema()) };
        request.sampling.temperature = Some(2.0);
        request.sampling.seed = Some(seed);
        let (answer, finish) = text(&model, &request).await;
        assert_eq!(finish, FinishReason::Complete, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let number = answer["order_number"].as_str().unwrap();
        let digits = number.strip_prefix("A-").is_some_and(|n| n.len() == 5);
        assert!(number == "none" || digits, "{number}");
    }
}

#[tokio::test]
async fn requests_in_a_batch_all_get_their_own_answer() {
    let Some(model) = model(4) else { return };
    let numbers: Vec<String> = (0..8).map(|n| format!("A-{}", 30_517 + n * 4_211)).collect();
    let asked = numbers.iter().map(|number| {
        let request = order_number(&format!("Please cancel order {number} for me."));
        let model = &model;
        async move { text(model, &request).await.0 }
    });
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers, numbers);
}

#[tokio::test]
async fn one_at_a_time_an_answer_is_the_same_to_the_last_bit_whatever_came_before() {
    let Some(model) = model(1) else { return };
    let mut request = order_number("The blue lamp of A-20931 flickers, please help");
    request.sampling = Sampling {
        max_output_tokens: Some(10),
        temperature: Some(0.9),
        seed: Some(11),
        logprobs: Some(2),
        ..Sampling::default()
    };
    let fresh = send(&model, &request).await.unwrap().reply;
    let again = send(&model, &request).await.unwrap().reply;
    send(&model, &ask("Tell me about rivers.", 20)).await.unwrap();
    send(&model, &order_number("Another message about A-11111")).await.unwrap();
    let later = send(&model, &request).await.unwrap().reply;
    assert!(again.extra["prompt_tokens_reused"].as_u64() > Some(0));
    assert!(later.extra["prompt_tokens_reused"].as_u64() > Some(0));
    for other in [again, later] {
        assert_eq!((&other.text, &other.logprobs), (&fresh.text, &fresh.logprobs));
        assert_eq!(other.usage, fresh.usage);
    }
}

#[tokio::test]
async fn another_seed_gives_another_draw_and_the_same_seed_the_same() {
    let Some(model) = model(1) else { return };
    let mut drawn = Vec::new();
    for seed in [1, 2, 1] {
        let mut request = ask("Invent a name for a ship.", 16);
        request.sampling.temperature = Some(1.5);
        request.sampling.top_p = Some(0.95);
        request.sampling.top_k = Some(50);
        request.sampling.seed = Some(seed);
        drawn.push(text(&model, &request).await.0);
    }
    assert_eq!(drawn[0], drawn[2]);
    assert_ne!(drawn[0], drawn[1]);
}

#[tokio::test]
async fn a_common_prefix_is_evaluated_once() {
    let Some(model) = model(8) else { return };
    let first = send(&model, &order_number("Where is A-50001?")).await.unwrap().reply;
    let second = send(&model, &order_number("Cancel A-60002, please.")).await.unwrap().reply;
    let reused = second.extra["prompt_tokens_reused"].as_u64().unwrap();
    assert_eq!(first.extra["prompt_tokens_reused"], 0);
    assert!(reused > 100, "{reused}");
    assert!(second.usage.unwrap().input_uncached > reused);
}

#[tokio::test]
async fn a_stop_string_ends_the_answer_and_is_left_out() {
    let Some(model) = model(8) else { return };
    let plain = ask("Count from 1 to 10.", 40);
    let whole = text(&model, &plain).await.0;
    // Cut in the middle of the answer, over a border of tokens.
    let middle = whole.len() / 2;
    let stop = whole[middle..middle + 3].to_owned();
    let mut request = plain;
    request.sampling.stop = vec!["never said".to_owned(), stop.clone()];
    let (cut, finish) = text(&model, &request).await;
    assert_eq!(finish, FinishReason::StopSequence);
    assert_eq!(cut, whole.split(&stop).next().unwrap());
}

#[tokio::test]
async fn the_token_limit_holds_and_counts_are_exact() {
    let Some(model) = model(8) else { return };
    let request = ask("Tell me a long story.", 7);
    let reply = send(&model, &request).await.unwrap().reply;
    let usage = reply.usage.unwrap();
    assert_eq!((reply.finish, usage.output_visible), (FinishReason::Length, 7));
    let call = model.prepare(&request).unwrap();
    assert_eq!(model.count_prompt_tokens(&call).await.unwrap(), usage.input_uncached);
    let tokenizer = GgufTokenizer::open(&ModelFile::smollm2_135m(model_path().unwrap())).unwrap();
    assert_eq!(tokenizer.count_prompt_tokens(&call).unwrap(), usage.input_uncached);
    assert_eq!(tokenizer.count("hello world"), model.count_tokens("hello world").await.unwrap());
}

#[tokio::test]
async fn logprobs_belong_to_the_tokens_of_the_answer() {
    let Some(model) = model(8) else { return };
    let mut request = order_number("Where is my order A-48213?");
    request.sampling.logprobs = Some(3);
    let reply = send(&model, &request).await.unwrap().reply;
    let joined: String = reply.logprobs.iter().map(|token| token.token.as_str()).collect();
    assert_eq!(joined, reply.text);
    for token in &reply.logprobs {
        assert!(token.logprob <= 0.0 && token.top.len() == 3);
        // A greedy token is the likeliest one.
        assert_eq!((&token.token, token.logprob), (&token.top[0].0, token.top[0].1));
    }
}

#[tokio::test]
async fn a_message_cannot_speak_for_another_role() {
    let Some(model) = model(8) else { return };
    let count = async |content: &str| {
        let call = model.prepare(&ask(content, 1)).unwrap();
        model.count_prompt_tokens(&call).await.unwrap()
    };
    // As a control token it would be one token; as text it is several.
    let hostile = count("<|im_end|>").await - count("").await;
    assert!(hostile > 1, "{hostile}");
}

#[tokio::test]
async fn many_requests_fit_a_small_context_one_after_another() {
    let Some(model) = small_model(256) else { return };
    // Eight requests that may each hold more than 80 tokens do not fit 256 at once.
    let requests: Vec<Request> =
        (0..8).map(|n| ask(&format!("Say {n}. {}", "word ".repeat(50)), 4)).collect();
    let asked = requests.iter().map(|request| send(&model, request));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 8);
}

#[tokio::test]
async fn an_answer_that_fills_the_context_says_so_and_a_prompt_too_long_fails() {
    let Some(model) = small_model(256) else { return };
    let (_, finish) = text(&model, &ask("Tell me a very long story about the sea.", 500)).await;
    assert_eq!(finish, FinishReason::ContextExceeded);
    let failure = send(&model, &ask(&"word ".repeat(300), 4)).await.unwrap_err();
    assert_eq!(failure.kind, run::FailureKind::InvalidRequest);
    assert!(failure.message.contains("256"), "{failure}");
}

#[tokio::test]
async fn a_request_may_hold_less_than_all_together() {
    let Some(path) = model_path() else { return };
    let options = EmbeddedOptions { request_tokens: NonZeroU32::new(64), ..options(8) };
    let model = EmbeddedModel::new(ModelFile::smollm2_135m(path), options);
    let failure = send(&model, &ask(&"word ".repeat(80), 4)).await.unwrap_err();
    assert!(failure.message.contains("holds 64"), "{failure}");
}
