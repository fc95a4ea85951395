//! What an input schema says about a path.

use serde_json::Value;

use super::PathStep;

/// References in a schema are followed this many times, so that a circle ends.
const MAX_REFERENCES: usize = 32;

/// Tells whether the schema lets a value on the path be absent.
pub(super) fn is_optional(root: &Value, steps: &[PathStep]) -> bool {
    let mut schema = dereferenced(root, root);
    for step in steps {
        let next = match step {
            PathStep::Key(key) => {
                let property = schema.get("properties").and_then(|all| all.get(key));
                let required = schema.get("required").and_then(Value::as_array);
                let is_required =
                    required.is_some_and(|names| names.iter().any(|name| name == key.as_str()));
                match property {
                    Some(_) if !is_required => return true,
                    Some(property) => property,
                    // Under a wildcard every name may be absent.
                    None if !is_required => {
                        return schema.get("additionalProperties").is_some_and(Value::is_object);
                    }
                    None => return false,
                }
            }
            PathStep::Items => match schema.get("items") {
                Some(items) => items,
                None => match schema.get("additionalProperties") {
                    Some(items) => items,
                    None => return false,
                },
            },
            PathStep::Inside => schema.get("items").unwrap_or(schema),
        };
        schema = dereferenced(next, root);
    }
    false
}

/// Follows local references (`#/$defs/x`).
fn dereferenced<'s>(mut schema: &'s Value, root: &'s Value) -> &'s Value {
    for _ in 0..MAX_REFERENCES {
        let target = schema.get("$ref").and_then(Value::as_str);
        let pointer = target.and_then(|target| target.strip_prefix('#'));
        match pointer.and_then(|pointer| root.pointer(pointer)) {
            Some(found) => schema = found,
            None => break,
        }
    }
    schema
}
