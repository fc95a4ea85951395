//! What chance decides about a case, the same on every machine.

use serde_json::json;
use values::ContentHash;

/// Returns a number in [0, 1) that depends on these alone, so that a case that is added or removed
/// changes no other draw.
pub(super) fn draw(seed: u64, what: &str, case: &str) -> f64 {
    let key = json!({ "case": case, "seed": seed, "what": what });
    let hash = ContentHash::of_document("trysquare-label-draw-v1", &key);
    let mut first = [0; 4];
    first.copy_from_slice(&hash.as_bytes()[..4]);
    f64::from(u32::from_be_bytes(first)) / (f64::from(u32::MAX) + 1.0)
}

/// Returns by what cases are put into an order that has nothing to do with them.
pub(super) fn order(case: &str) -> ContentHash {
    ContentHash::of_document("trysquare-label-order-v1", &json!(case))
}
