//! Small readings of foreign JSON that never fail on what is missing or has another type.

use serde_json::{Map, Value};

use crate::PrepareError;

/// Returns the value at a pointer without escapes, `None` if it is absent. Every answer is asked for
/// a dozen members, and [`Value::pointer`] copies each name for its escapes.
pub(super) fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(value, |inner, name| match inner {
        Value::Object(members) => members.get(name),
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Returns the text at a pointer, `None` if it is absent or not a string.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    at(value, pointer).and_then(Value::as_str)
}

/// Returns the elements at a pointer, none if it is absent or not an array.
pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the member, `None` if it is absent or null.
pub(super) fn member<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|found| !found.is_null())
}

/// Makes a number of a body, refusing what JSON cannot say.
pub(super) fn number(name: &str, value: f64) -> Result<Value, PrepareError> {
    serde_json::Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| refuse(format!("`{name}` is not a finite number"), None))
}

/// Returns a seed as the signed 64-bit number that servers read; a larger one keeps its lower bits.
pub(super) fn seed(seed: u64) -> u64 {
    seed & (u64::MAX >> 1)
}

/// Puts a value into a body if there is one.
pub(super) fn put(body: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(key.to_owned(), value.into());
    }
}

/// Makes a [`PrepareError`].
pub(super) fn refuse(message: impl Into<String>, hint: Option<&str>) -> PrepareError {
    PrepareError { message: message.into(), hint: hint.map(str::to_owned) }
}

/// Parameters that multiply or unbound what a call may cost, or that change how its answer is read.
/// Spelled without case and underscores, because servers accept both ways.
const RESERVED: [&str; 13] = [
    "maxtokens",
    "maxcompletiontokens",
    "maxoutputtokens",
    "maxnewtokens",
    "maxtokenstosample",
    "numpredict",
    "npredict",
    "n",
    "bestof",
    "candidatecount",
    "numcompletions",
    "stream",
    "background",
];

/// Adds the parameters that our form does not know.
///
/// Objects are merged; a parameter that the body has already, or that would lift the bound on the
/// cost, is refused: two values for one parameter are a mistake somewhere.
///
/// # Errors
/// [`PrepareError`] naming the parameter.
pub(super) fn merge(
    body: &mut Map<String, Value>,
    extra: &Map<String, Value>,
) -> Result<(), PrepareError> {
    for (key, value) in extra {
        let spelled = plain(key);
        if RESERVED.contains(&spelled.as_str()) {
            let hint = "set `maxOutputTokens` in the prompt's config; one answer is drawn a call";
            return Err(refuse(
                format!("the extra parameter `{key}` would change how the call is bounded or read"),
                Some(hint),
            ));
        }
        match (body.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more)?,
            (Some(_), _) => return Err(twice(key)),
            (None, _) => {
                if body.keys().any(|other| plain(other) == spelled) {
                    return Err(twice(key));
                }
                body.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(())
}

fn twice(key: &str) -> PrepareError {
    refuse(format!("the extra parameter `{key}` is set already by the request"), None)
}

fn plain(key: &str) -> String {
    key.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(extra: &Value) -> Result<Value, PrepareError> {
        let mut body = json!({"model": "m", "generationConfig": {"maxOutputTokens": 9}});
        let extra = extra.as_object().unwrap();
        merge(body.as_object_mut().unwrap(), extra).map(|()| body)
    }

    #[test]
    fn a_pointer_without_escapes_finds_what_the_standard_one_does() {
        let value = json!({"a": [{"b": 1}, null], "": {"c": "text"}, "0": 2});
        for pointer in ["", "/", "/a", "/a/0/b", "/a/1", "/a/2", "/a/b", "//c", "/0", "/a/0/b/c"] {
            assert_eq!(at(&value, pointer), value.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn extras_are_merged_into_objects() {
        let body =
            merged(&json!({"user": "u", "generationConfig": {"thinkingConfig": {}}})).unwrap();
        assert_eq!(
            body,
            json!({"model": "m", "generationConfig": {"maxOutputTokens": 9, "thinkingConfig": {}}, "user": "u"})
        );
    }

    #[test]
    fn extras_cannot_lift_the_bound_or_set_a_parameter_twice() {
        for extra in [
            json!({"max_tokens": 5}),
            json!({"maxCompletionTokens": 5}),
            json!({"n": 8}),
            json!({"generationConfig": {"candidateCount": 2}}),
            json!({"generation_config": {}}),
            json!({"model": "other"}),
            json!({"stream": true}),
        ] {
            assert!(merged(&extra).is_err(), "{extra}");
        }
    }
}
