use serde_json::Value;

use crate::approved::project;
use crate::sandbox::Sandbox;

fn estimate(sandbox: &Sandbox, more: &[&str]) -> Value {
    let ran = sandbox.run(&[&["estimate", "echo", "--format", "json"], more].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"))
}

fn nano_dollars(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value}"))
}

/// What all runs were billed.
fn billed(sandbox: &Sandbox) -> i64 {
    let ran = sandbox.run(&["costs", "--format", "json"]);
    let costs: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    nano_dollars(&costs["total"]["generation"])
}

#[test]
fn a_range_is_rough_before_the_first_run_and_then_holds_the_next_bill() {
    let (sandbox, _server) = project();
    insta::assert_snapshot!(sandbox.run(&["estimate", "echo", "--variant", "ask"]), @r"
    echo  $0.000799 to $0.00257
    variant  answers  calls  cached   tokens in  tokens out                  cost
    ask      local/m     40       0  573 – 1720     0 – 640  $0.000799 – $0.00257

    tokens in: from bytes, by a rule of thumb; a first run teaches the model's ratio
    tokens out: up to the most that each call allows; no earlier answer says more
    --- exit 0
    ");
    assert_eq!(sandbox.run(&["run", "echo", "--variant", "ask"]).code, 0);
    let first = billed(&sandbox);
    assert!(first > 0);

    // What the cache has costs nothing.
    insta::assert_snapshot!(sandbox.run(&["estimate", "echo", "--variant", "ask"]), @r"
    echo  $0.00: nothing is left to send
    variant  answers  calls  cached  tokens in  tokens out   cost
    ask      local/m      0      40          0           0  $0.00
    --- exit 0
    ");
    // The same calls again are known to the token, but for what will be answered.
    let again = estimate(&sandbox, &["--variant", "ask", "--no-cache"]);
    assert_eq!(again["variants"][0]["input"]["basis"]["by"], "counted");
    assert_eq!(again["variants"][0]["output"]["basis"]["by"], "seen");
    assert_eq!(sandbox.run(&["run", "echo", "--variant", "ask", "--no-cache"]).code, 0);
    let second = billed(&sandbox) - first;
    let total = &again["total"];
    let (low, high) = (nano_dollars(&total["low"]), nano_dollars(&total["high"]));
    assert!((low..=high).contains(&second), "{low} {second} {high}");

    // Another prompt on the same model: its bytes are as many tokens as others were.
    let other = estimate(&sandbox, &["--variant", "loud"]);
    assert_eq!(other["variants"][0]["input"]["basis"]["by"], "learned");
    assert_eq!(other["variants"][0]["output"]["basis"]["by"], "bounds");
}

/// Returns the path of the embedded model, or `None` after saying so.
#[cfg(feature = "embedded-model")]
#[expect(clippy::print_stdout, reason = "a test that did nothing says so")]
fn model_path() -> Option<std::ffi::OsString> {
    let path = std::env::var_os("TRYSQUARE_SMOLLM2");
    let is_required = std::env::var_os("TRYSQUARE_REQUIRE_MODEL").is_some_and(|value| value == "1");
    match path.filter(|path| std::path::Path::new(path).exists()) {
        None if is_required => panic!("TRYSQUARE_SMOLLM2 does not name the model file"),
        None => {
            println!("did nothing: TRYSQUARE_SMOLLM2 does not name the model file");
            None
        }
        found => found,
    }
}

#[cfg(feature = "embedded-model")]
#[test]
fn the_tokens_of_the_embedded_model_are_those_that_it_counted() {
    let Some(model) = model_path() else { return };
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "--sample"]).code, 0);
    assert_eq!(sandbox.run(&["run", "order-number", "--replay"]).code, 0);
    let shown = sandbox.run(&["show", "latest", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap_or_else(|_| panic!("{shown}"));
    let mut command = sandbox.command(crate::sandbox::PROGRAM);
    command.args(["estimate", "order-number", "--format", "json"]).env("TRYSQUARE_SMOLLM2", model);
    let ran = sandbox.finish(&mut command, "");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    let variants = found["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 3);
    for (estimated, ran) in variants.iter().zip(shown["variants"].as_array().unwrap()) {
        assert_eq!(estimated["name"], ran["name"]);
        assert_eq!(estimated["input"]["low"], ran["input_tokens"], "{estimated} {ran}");
        assert_eq!(estimated["input"]["high"], estimated["input"]["low"]);
    }
    assert_eq!(found["total"]["because"], "runs_here");
}
