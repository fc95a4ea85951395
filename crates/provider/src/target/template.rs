use serde_json::{Map, Value};

/// A JSON document with places for a case's inputs.
///
/// A string that is nothing but `{{name}}` becomes the input's value, whatever its type; inside a
/// longer string stands its text. `name` may be a path (`{{customer.name}}`, `{{items.0}}`), and
/// `{{@inputs}}` is all inputs as one object. `\{{` is a literal `{{`. Values are put into the
/// parsed document, never into its text, and are not looked at again: nothing that an input holds
/// can change the document's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Literal(Value),
    Whole(Vec<String>),
    Text(Vec<Piece>),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    Input(Vec<String>),
}

/// A template that cannot be used, or not for this case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at `{pointer}` of the request template")]
pub struct BadTemplate {
    /// Where in the template, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub problem: String,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`BadTemplate`] if a `{{` is not closed, a name is empty, or a key has a `{{`.
    pub fn new(document: &Value) -> Result<Self, BadTemplate> {
        Ok(Self { root: node(document, "")? })
    }

    /// Returns the document of one case.
    ///
    /// # Errors
    /// [`BadTemplate`] that names the input which the case does not have.
    pub fn fill(&self, inputs: &Map<String, Value>) -> Result<Value, BadTemplate> {
        fill(&self.root, inputs, "")
    }
}

fn node(value: &Value, pointer: &str) -> Result<Node, BadTemplate> {
    Ok(match value {
        Value::String(text) => {
            let mut pieces = pieces(text)
                .map_err(|problem| BadTemplate { pointer: pointer.to_owned(), problem })?;
            match pieces.pop() {
                Some(Piece::Input(path)) if pieces.is_empty() => Node::Whole(path),
                last => Node::Text(pieces.into_iter().chain(last).collect()),
            }
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let nodes = items.map(|(at, item)| node(item, &format!("{pointer}/{at}")));
            Node::List(nodes.collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let nodes = fields.iter().map(|(key, value)| {
                let pointer = join(pointer, key);
                if key.contains("{{") {
                    let problem = "a key cannot hold an input".to_owned();
                    return Err(BadTemplate { pointer, problem });
                }
                Ok((key.clone(), node(value, &pointer)?))
            });
            Node::Object(nodes.collect::<Result<_, _>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Node::Literal(value.clone()),
    })
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('\\') {
            literal.push_str(before);
            literal.push_str("{{");
            rest = after;
            continue;
        }
        literal.push_str(before);
        let end = after.find("}}").ok_or("a `{{` is not closed")?;
        let path: Vec<String> = after[..end].trim().split('.').map(str::to_owned).collect();
        if path.iter().any(|step| step.is_empty() || step.contains(['{', ' '])) {
            return Err(format!("`{{{{{}}}}}` names no input", &after[..end]));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Input(path));
        rest = &after[end + 2..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn fill(node: &Node, inputs: &Map<String, Value>, pointer: &str) -> Result<Value, BadTemplate> {
    let find = |path: &[String]| {
        lookup(inputs, path).ok_or_else(|| BadTemplate {
            pointer: pointer.to_owned(),
            problem: format!("the case has no input `{}`, which is asked for", path.join(".")),
        })
    };
    Ok(match node {
        Node::Literal(value) => value.clone(),
        Node::Whole(path) => find(path)?,
        Node::Text(pieces) => {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Literal(literal) => text.push_str(literal),
                    Piece::Input(path) => match find(path)? {
                        Value::String(input) => text.push_str(&input),
                        other => text.push_str(&other.to_string()),
                    },
                }
            }
            Value::String(text)
        }
        Node::List(items) => {
            let items = items.iter().enumerate();
            let filled = items.map(|(at, item)| fill(item, inputs, &format!("{pointer}/{at}")));
            Value::Array(filled.collect::<Result<_, _>>()?)
        }
        Node::Object(fields) => {
            let filled = fields
                .iter()
                .map(|(key, inner)| Ok((key.clone(), fill(inner, inputs, &join(pointer, key))?)));
            Value::Object(filled.collect::<Result<_, _>>()?)
        }
    })
}

fn lookup(inputs: &Map<String, Value>, path: &[String]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    if first == "@inputs" && rest.is_empty() {
        return Some(Value::Object(inputs.clone()));
    }
    let mut value = inputs.get(first)?;
    for step in rest {
        value = match value {
            Value::Object(fields) => fields.get(step)?,
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value.clone())
}

fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn filled(template: &Value, inputs: &Value) -> Result<Value, String> {
        let template = Template::new(template).map_err(|error| error.to_string())?;
        template.fill(inputs.as_object().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn inputs_keep_their_type_alone_and_become_text_among_text() {
        let inputs = json!({"n": 3, "who": {"name": "Ada"}, "list": ["x", "y"]});
        let template = json!({
            "n": "{{n}}", "text": "n is {{ n }} for {{who.name}}", "second": "{{list.1}}",
            "all": ["{{@inputs}}", 7, null], "literal": "\\{{n}}",
        });
        assert_eq!(
            filled(&template, &inputs),
            Ok(json!({
                "n": 3, "text": "n is 3 for Ada", "second": "y",
                "all": [inputs, 7, null], "literal": "{{n}}",
            }))
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let inputs = json!({"n": 3});
        for (template, expected) in [
            (
                json!({"a": [{"b/c": "x {{who.name}}"}]}),
                "the case has no input `who.name`, which is asked for at `/a/0/b~1c` of the request template",
            ),
            (json!(["{{n"]), "a `{{` is not closed at `/0` of the request template"),
            (json!("{{}}"), "`{{}}` names no input at `` of the request template"),
            (json!({"{{n}}": 1}), "a key cannot hold an input at `/{{n}}` of the request template"),
        ] {
            assert_eq!(filled(&template, &inputs), Err(expected.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn no_input_changes_the_shape_of_the_document(text in "[\"\\\\{}a-z@, :\n]{0,24}") {
            let template = json!({"q": "{{q}}", "in": "<{{q}}>", "fixed": {"role": "user"}});
            let document = filled(&template, &json!({ "q": text.clone() })).unwrap();
            prop_assert_eq!(
                document,
                json!({"q": text.clone(), "in": format!("<{text}>"), "fixed": {"role": "user"}})
            );
        }

        #[test]
        fn any_text_is_a_template_or_an_error(text in "[{}\\\\a. ]{0,16}") {
            if let Ok(template) = Template::new(&json!(text)) {
                template.fill(&Map::new()).ok();
            }
        }
    }
}
