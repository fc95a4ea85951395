use document::{Diagnostics, Span};
use serde_json::Value;

use super::ast::{Expr, Helper, HelperCall};
use crate::message::parse_role;

/// Where a helper may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `{{helper …}}`.
    Inline,
    /// `{{#helper …}}…{{/helper}}`.
    Block,
    /// `(helper …)`.
    Argument,
}

/// What a helper takes.
struct Signature {
    name: &'static str,
    helper: Helper,
    params: std::ops::RangeInclusive<usize>,
    /// The named arguments; empty text at the end means that any are taken.
    named: &'static [&'static str],
    places: &'static [Place],
    usage: &'static str,
}

const SIGNATURES: [Signature; 13] = {
    use Place::{Argument, Block, Inline};
    const fn block(name: &'static str, helper: Helper, usage: &'static str) -> Signature {
        Signature { name, helper, params: 1..=1, named: &[], places: &[Block], usage }
    }
    [
        Signature {
            named: &["includeZero"],
            ..block("if", Helper::If, "{{#if value}}…{{else}}…{{/if}}")
        },
        Signature {
            named: &["includeZero"],
            ..block("unless", Helper::Unless, "{{#unless value}}…{{/unless}}")
        },
        block("each", Helper::Each, "{{#each list}}…{{/each}}"),
        block("with", Helper::With, "{{#with value}}…{{/with}}"),
        Signature {
            params: 2..=2,
            ..block("ifEquals", Helper::IfEquals, "{{#ifEquals a b}}…{{else}}…{{/ifEquals}}")
        },
        Signature {
            params: 2..=2,
            ..block("unlessEquals", Helper::UnlessEquals, "{{#unlessEquals a b}}…{{/unlessEquals}}")
        },
        Signature {
            name: "lookup",
            helper: Helper::Lookup,
            params: 2..=2,
            named: &[],
            places: &[Inline, Argument],
            usage: "{{lookup object key}}",
        },
        Signature {
            name: "log",
            helper: Helper::Log,
            params: 0..=usize::MAX,
            named: &["level"],
            places: &[Inline],
            usage: "{{log value}}",
        },
        Signature {
            name: "json",
            helper: Helper::Json,
            params: 1..=1,
            named: &["indent"],
            places: &[Inline, Argument],
            usage: "{{json value indent=2}}",
        },
        Signature {
            name: "role",
            helper: Helper::Role,
            params: 1..=1,
            named: &[""],
            places: &[Inline],
            usage: "{{role \"system\"}}",
        },
        Signature {
            name: "history",
            helper: Helper::History,
            params: 0..=0,
            named: &[],
            places: &[Inline],
            usage: "{{history}}",
        },
        Signature {
            name: "section",
            helper: Helper::Section,
            params: 1..=1,
            named: &[],
            places: &[Inline],
            usage: "{{section \"name\"}}",
        },
        Signature {
            name: "media",
            helper: Helper::Media,
            params: 0..=0,
            named: &["url", "contentType"],
            places: &[Inline],
            usage: "{{media url=address contentType=\"image/png\"}}",
        },
    ]
};

impl Helper {
    /// Returns the helper of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        SIGNATURES.iter().find(|known| known.name == name).map(|known| known.helper)
    }

    fn signature(self) -> &'static Signature {
        SIGNATURES.iter().find(|known| known.helper == self).expect("every helper is listed")
    }
}

/// Reports a name that no helper has.
pub(crate) fn report_unknown(name: &str, span: Span, diagnostics: &mut Diagnostics) {
    let names: Vec<&str> = SIGNATURES.iter().map(|known| known.name).collect();
    let message = format!("no helper is called `{name}`");
    let hint = match document::nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the helpers are {}", names.join(", ")),
    };
    diagnostics.error_with_hint("unknown-helper", span, message, hint);
}

/// Reports what is wrong with the place and the arguments of a call.
pub(crate) fn check(call: &HelperCall, place: Place, diagnostics: &mut Diagnostics) {
    let known = call.helper.signature();
    let hint = || format!("it is written {}", known.usage);
    if !known.places.contains(&place) {
        let found = match place {
            Place::Inline => "alone",
            Place::Block => "as a block",
            Place::Argument => "inside another tag",
        };
        let message = format!("`{}` cannot stand {found}", known.name);
        diagnostics.error_with_hint("helper-place", call.span, message, hint());
    }
    if !known.params.contains(&call.params.len()) {
        let message = match *known.params.start() {
            0 => format!("`{}` takes no values, found {}", known.name, call.params.len()),
            wanted => {
                let values = if wanted == 1 { "one value" } else { "two values" };
                format!("`{}` takes {values}, found {}", known.name, call.params.len())
            }
        };
        let hint = if place == Place::Inline && call.params.is_empty() && call.hash.is_empty() {
            format!("{}; a variable of that name is {{{{this.{}}}}}", hint(), known.name)
        } else {
            hint()
        };
        diagnostics.error_with_hint("helper-arguments", call.span, message, hint);
    }
    for (name, _) in &call.hash {
        if !known.named.iter().any(|known| known.is_empty() || known == name) {
            let message = format!("`{}` does not know the argument `{name}`", known.name);
            diagnostics.warning_with_hint("helper-arguments", call.span, message, hint());
        }
    }
    if call.helper == Helper::Media && call.named("url").is_none() {
        let message = "`media` needs a `url`";
        diagnostics.error_with_hint("helper-arguments", call.span, message, hint());
    }
    check_role(call, diagnostics);
}

fn check_role(call: &HelperCall, diagnostics: &mut Diagnostics) {
    let (Helper::Role, Some(Expr::Literal(role))) = (call.helper, call.params.first()) else {
        return;
    };
    if role.as_str().and_then(parse_role).is_some() {
        return;
    }
    let found = role.as_str().map_or_else(|| role.to_string(), str::to_owned);
    let hint = match found.as_str() {
        "assistant" => "what the model says has the role `model`",
        "developer" => "instructions have the role `system`",
        _ => "the roles are system, user, model and tool",
    };
    let message = format!("no role is called `{found}`");
    diagnostics.error_with_hint("unknown-role", call.span, message, hint);
}

/// Tells whether the value is true as `{{#if}}` sees it.
pub(crate) fn is_truthy(value: Option<&Value>, include_zero: bool) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(bool)) => *bool,
        Some(Value::Number(number)) => {
            include_zero || number.as_f64().is_none_or(|number| number.abs() > 0.0)
        }
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(_)) => true,
    }
}
