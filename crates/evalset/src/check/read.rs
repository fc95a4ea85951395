use document::yaml::{Node, Yaml};
use document::{Diagnostics, Fields, Span};

use super::compiled::{JsonPath, Pattern};
use super::read_kind;
use super::spec::{CheckSpec, Part, Test};
use super::template::{JsonTemplate, TextTemplate};
use crate::read::{check_name, share_of, weight};

/// How deep groups of checks may nest.
pub const MAX_GROUP_DEPTH: usize = 8;

impl CheckSpec {
    /// Reads one check; everything that is wrong with it is added to the diagnostics.
    ///
    /// Returns `None` if an error means that it cannot be evaluated.
    pub fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::open(node, "a check", diagnostics)?;
        let name = fields.required("name", diagnostics);
        let name =
            name.and_then(|node| Some((read_name(node, "name", "check", diagnostics)?, node.span)));
        let criterion_node = fields.get("criterion");
        let criterion =
            criterion_node.map(|node| read_name(node, "criterion", "criterion", diagnostics));
        let weight = weight(&mut fields, diagnostics);
        let test = read_test(fields, 0, diagnostics);
        let (name, name_span) = name?;
        let criterion = match criterion {
            None => name.clone(),
            Some(criterion) => criterion?,
        };
        Some(Self { name, name_span, criterion, weight: weight?, test: test? })
    }
}

fn read_name(node: &Node, key: &str, what: &str, diagnostics: &mut Diagnostics) -> Option<String> {
    let Some(name) = node.as_str() else {
        let message = format!("`{key}` of a check must be text, found {}", node.kind());
        diagnostics.error("wrong-kind", node.span, message);
        return None;
    };
    check_name(name, node.span, what, diagnostics).then(|| name.to_owned())
}

/// Reads a member of a group.
pub(super) fn read_member(
    node: &Node,
    depth: usize,
    diagnostics: &mut Diagnostics,
) -> Option<Test> {
    if depth > MAX_GROUP_DEPTH {
        let message = format!("groups of checks nest deeper than {MAX_GROUP_DEPTH}");
        diagnostics.error("group-depth", node.span, message);
        return None;
    }
    let mut fields = Fields::open(node, "a check", diagnostics)?;
    for key in ["name", "criterion", "weight"] {
        if let Some(value) = fields.get(key) {
            let message = format!("a check inside a group has no `{key}` of its own");
            let hint = format!("put `{key}` at the group, or remove it");
            diagnostics.error_with_hint("group-key", value.span, message, hint);
        }
    }
    read_test(fields, depth, diagnostics)
}

fn read_test(mut fields: Fields<'_>, depth: usize, diagnostics: &mut Diagnostics) -> Option<Test> {
    let span = fields.span();
    let negated = read_kind::switch("not", &mut fields, diagnostics);
    let part_node = fields.get("part");
    let part = match part_node {
        None => Some(Part::Whole),
        Some(node) => read_part(node, diagnostics),
    };
    let threshold_node = fields.get("threshold");
    let threshold = match threshold_node {
        None => Some(None),
        Some(node) => share_of(node, "threshold", diagnostics).map(Some),
    };
    let Some(kind_node) = fields.required("kind", diagnostics) else {
        return None; // Which keys are known depends on the kind, so nothing more can be said.
    };
    let kind_name = read_kind::known_kind(kind_node, diagnostics)?;
    let kind = read_kind::read(kind_name, &mut fields, depth, diagnostics);
    if let (Some(node), false) = (threshold_node, read_kind::is_measured(kind_name, kind.as_ref()))
    {
        let message = format!("`threshold` means nothing to a check of kind `{kind_name}`");
        let hint = "it passes or fails without a number in between; remove the key";
        diagnostics.error_with_hint("no-threshold", node.span, message, hint);
        return None;
    }
    if let (Some(node), false) = (part_node, read_kind::looks_at_text(kind_name)) {
        let message = format!("`part` means nothing to a check of kind `{kind_name}`");
        let hint = "it does not look at the text of the output; remove the key";
        diagnostics.error_with_hint("no-part", node.span, message, hint);
        return None;
    }
    fields.warn_unknown(diagnostics);
    Some(Test { negated: negated?, part: part?, threshold: threshold?, kind: kind?, span })
}

fn read_part(node: &Node, diagnostics: &mut Diagnostics) -> Option<Part> {
    let mut fields = Fields::open(node, "`part`", diagnostics)?;
    let path = fields.get("json_path");
    let regex = fields.get("regex");
    let group = fields.get("group");
    let part = match (path, regex) {
        (Some(path), None) => {
            if let Some(group) = group {
                diagnostics.error("bad-part", group.span, "`group` belongs to `regex`");
            }
            read_path(path, diagnostics).map(Part::JsonPath)
        }
        (None, Some(regex)) => read_regex_part(regex, &mut fields, diagnostics),
        _ => {
            let message = "`part` needs either `json_path` or `regex`";
            diagnostics.error("bad-part", node.span, message);
            None
        }
    };
    fields.warn_unknown(diagnostics);
    part
}

fn read_regex_part(
    regex: &Node,
    fields: &mut Fields<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Part> {
    let pattern = read_pattern(regex, "regex", false, diagnostics)?;
    let groups = pattern.groups();
    let Some(node) = fields.get("group") else {
        // Whoever writes one group means what is in it.
        let group = usize::from(groups == 2);
        return Some(Part::Regex { pattern, group });
    };
    let count = fields.count("group", diagnostics)?;
    match usize::try_from(count) {
        Ok(group) if group < groups => Some(Part::Regex { pattern, group }),
        _ => {
            let message = format!("there is no group {count}: the pattern has {}", groups - 1);
            diagnostics.error("bad-part", node.span, message);
            None
        }
    }
}

/// Reads a text with placeholders.
///
/// A number or truth value is taken as the text that it is written as; where YAML would change the
/// spelling (`007`, `1.50`), the person must quote it.
pub(super) fn read_text(
    node: &Node,
    key: &str,
    diagnostics: &mut Diagnostics,
) -> Option<TextTemplate> {
    let source = match &node.value {
        Yaml::String(text) => text.clone(),
        Yaml::Number(_) | Yaml::Bool(_) if spelled_alike(node, diagnostics) => {
            node.to_json().to_string()
        }
        Yaml::Number(_) | Yaml::Bool(_) => {
            let message = format!("`{key}` must be text, and YAML reads this as {}", node.kind());
            diagnostics.error_with_hint("unquoted-text", node.span, message, "put it in quotes");
            return None;
        }
        _ => {
            let message = format!("`{key}` must be text, found {}", node.kind());
            diagnostics.error("wrong-kind", node.span, message);
            return None;
        }
    };
    match TextTemplate::parse(&source) {
        Ok(template) => Some(template),
        Err(error) => {
            diagnostics.error("bad-placeholder", node.span, format!("in `{key}`, {error}"));
            None
        }
    }
}

fn spelled_alike(node: &Node, diagnostics: &Diagnostics) -> bool {
    let Span { start, end } = node.span;
    diagnostics.source().text().get(start..end) == Some(node.to_json().to_string().as_str())
}

/// Reads a JSON value with placeholders in its texts.
pub(super) fn read_json(
    node: &Node,
    key: &str,
    diagnostics: &mut Diagnostics,
) -> Option<JsonTemplate> {
    match JsonTemplate::parse(node.to_json()) {
        Ok(template) => Some(template),
        Err(error) => {
            diagnostics.error("bad-placeholder", node.span, format!("in `{key}`, {error}"));
            None
        }
    }
}

/// Reads and compiles a regular expression.
pub(super) fn read_pattern(
    node: &Node,
    key: &str,
    ignore_case: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Pattern> {
    let template = read_text(node, key, diagnostics)?;
    match Pattern::compile(template, ignore_case) {
        Ok(pattern) => Some(pattern),
        Err(reason) => {
            let message = format!("`{key}` is not a usable regular expression: {reason}");
            diagnostics.error("bad-regex", node.span, message);
            None
        }
    }
}

/// Reads a JSON path.
pub(super) fn read_path(node: &Node, diagnostics: &mut Diagnostics) -> Option<JsonPath> {
    let Some(source) = node.as_str() else {
        let message = format!("a JSON path must be text, found {}", node.kind());
        diagnostics.error("wrong-kind", node.span, message);
        return None;
    };
    match JsonPath::parse(source) {
        Ok(path) => Some(path),
        Err(reason) => {
            let message = format!("this is not a usable JSON path: {reason}");
            let hint = "a path starts with `$`, as in `$.order.items[0].id` (RFC 9535)";
            diagnostics.error_with_hint("bad-json-path", node.span, message, hint);
            None
        }
    }
}
