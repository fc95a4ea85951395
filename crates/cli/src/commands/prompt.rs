//! `trysquare prompt`: what prompts say, what they send, what differs, what they were.

use anstyle::{AnsiColor, Style};
use app::{AppError, PromptView, RenderedPrompt, VariableView, VersionView};
use chat::{Message, Part, Role};
use serde::Serialize;
use serde_json::Value;

use super::Context;
use crate::args::Prompt;
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::output::{BOLD, FAINT};
use crate::table::{self, Align};

const ERROR: Style = AnsiColor::Red.on_default();

/// Lines around a difference.
const CONTEXT_LINES: usize = 3;

/// Lists, shows, renders and compares prompts.
pub(crate) fn prompt(context: &Context<'_>, command: &Prompt) -> Result<Exit, AppError> {
    let (app, folder, output) = (&context.app, context.folder(), context.output);
    match command {
        Prompt::List => output.many(&app.prompts(folder)?, list),
        Prompt::Show { name } => {
            // First, because it says what is wrong in a prompt that has errors.
            let variables = app.prompt_variables(folder, name)?;
            output.one(&Shown { prompt: app.prompt(folder, name)?, variables }, shown);
        }
        Prompt::Render { name, case, set } => {
            let rendered = app.render_prompt(folder, name, case, set.as_deref())?;
            output.one(&rendered.request, |_| messages(name, case, &rendered));
        }
        Prompt::Vars { name } => output.many(&app.prompt_variables(folder, name)?, variables),
        Prompt::Diff { a, b } => {
            let diff = app.diff_prompts(folder, a, b)?;
            output.one(&diff, |diff| diff.to_ansi(CONTEXT_LINES));
        }
        Prompt::Export { env, out: Some(out) } => {
            output.many(&app.export_prompts_to(folder, env, out)?, exported);
        }
        Prompt::Export { env, out: None } => {
            output.many(&app.export_prompts(folder, env)?, as_json);
        }
        Prompt::Log { name } => output.many(&app.prompt_log(folder, name)?, log),
    }
    Ok(Exit::Complete)
}

fn list(prompts: &[PromptView]) -> String {
    if prompts.is_empty() {
        return "No prompts yet: each is a file prompts/NAME.prompt; `trysquare init --sample \
                FOLDER` writes three to look at.\n"
            .to_owned();
    }
    let head = ["prompt", "version", "model", "used in"].map(|title| (title, Align::Left));
    let rows: Vec<Vec<String>> = prompts
        .iter()
        .map(|prompt| {
            let version = match &prompt.version {
                Some(version) => version.short(),
                None => format!("{ERROR}has errors{ERROR:#}"),
            };
            vec![
                printable(&prompt.name),
                version,
                or_none(prompt.model.as_deref()),
                or_none(Some(prompt.used_in.join(", ").as_str())),
            ]
        })
        .collect();
    let mut out = table::render(&head, &rows);
    if prompts.iter().any(|prompt| prompt.version.is_none()) {
        out += "\n`trysquare validate` lists the errors.\n";
    }
    out
}

fn exported(files: &[std::path::PathBuf]) -> String {
    if files.is_empty() {
        return "This environment pins no prompt.\n".to_owned();
    }
    let mut out = String::new();
    for file in files {
        out += &format!("wrote {}\n", printable(&file.to_string_lossy()));
    }
    out
}

/// What a service loads is JSON for people too.
fn as_json(prompts: &[app::ExportedPrompt]) -> String {
    let text = serde_json::to_string_pretty(prompts);
    text.expect("a prompt has string keys and finite numbers") + "\n"
}

fn or_none(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).map_or("–".to_owned(), printable)
}

/// A prompt with its variables.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    prompt: PromptView,
    variables: Vec<VariableView>,
}

fn shown(shown: &Shown) -> String {
    let Shown { prompt, variables: used } = shown;
    let mut out = format!("{BOLD}{}{BOLD:#}\n", printable(&prompt.name));
    let version = prompt.version.map(|version| version.to_string());
    let used_in = prompt.used_in.join(", ");
    let facts = [
        ("description", prompt.description.as_deref()),
        ("file", Some(prompt.file.as_str())),
        ("version", version.as_deref()),
        ("model", prompt.model.as_deref()),
        ("used in", Some(used_in.as_str())),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact.filter(|fact| !fact.is_empty()) {
            out += &format!("{FAINT}{name:<11}{FAINT:#}  {}\n", printable(fact));
        }
    }
    if prompt.front_matter.as_object().is_some_and(|keys| !keys.is_empty()) {
        out += &format!("\n{BOLD}Front matter{BOLD:#}\n");
        out += &indented(&format!("{:#}", prompt.front_matter));
    }
    out += &format!("\n{BOLD}Variables{BOLD:#}\n{}", variables(used));
    out + &format!("\n{BOLD}Template{BOLD:#}\n{}", indented(&prompt.template))
}

fn variables(variables: &[VariableView]) -> String {
    if variables.is_empty() {
        return "This prompt uses no variables; `{{message}}` in its template would be one, which \
                every case then binds.\n"
            .to_owned();
    }
    let head = ["variable", "a case", "first use"].map(|title| (title, Align::Left));
    let rows: Vec<Vec<String>> = variables
        .iter()
        .map(|used| {
            let must =
                if used.is_optional || used.is_guarded { "may bind it" } else { "must bind it" };
            let place = format!("{}:{}:{}", printable(&used.file), used.line, used.column);
            vec![printable(&used.name), must.to_owned(), place]
        })
        .collect();
    table::render(&head, &rows)
}

fn messages(name: &str, case: &str, rendered: &RenderedPrompt) -> String {
    let request = &rendered.request;
    let mut out = format!(
        "{BOLD}{}{BOLD:#} {} {FAINT}with the case{FAINT:#} {} {FAINT}to{FAINT:#} {}\n",
        printable(name),
        rendered.version.short(),
        printable(case),
        printable(&request.model.to_string())
    );
    for message in &request.messages {
        out += &one_message(message);
    }
    if !request.tools.is_empty() {
        let tools: Vec<String> = request.tools.iter().map(|tool| printable(&tool.name)).collect();
        out += &format!("\n{BOLD}tools{BOLD:#}\n  {}\n", tools.join(", "));
    }
    if let chat::OutputFormat::Json { schema } = &request.output {
        let schema = schema.as_ref().map_or("any JSON".to_owned(), Value::to_string);
        out += &format!("\n{BOLD}output as JSON{BOLD:#}\n{}", indented(&schema));
    }
    out
}

fn one_message(message: &Message) -> String {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Model => "model",
        Role::Tool => "tool",
    };
    let mut out = format!("\n{BOLD}{role}{BOLD:#}\n");
    for part in &message.parts {
        out += &match part {
            // A line break after `{{role}}` is part of the message, and for a reader only a gap.
            Part::Text { text } => indented(text.trim_matches('\n')),
            Part::Media { url, content_type } => {
                let kind = content_type.as_deref().unwrap_or("media");
                // A picture inside the request would fill the terminal.
                let start: String = url.chars().take(80).collect();
                let rest = if start.len() < url.len() { "…" } else { "" };
                indented(&format!("[{kind}: {start}{rest}]"))
            }
            Part::ToolCall(call) => indented(&format!("[calls {}]", json_of(call))),
            Part::ToolResult { name, output, .. } => indented(&format!("[{name} gave {output}]")),
        };
    }
    out
}

fn json_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("requests have string keys and finite numbers")
}

/// Writes a text of several lines, safe to print, two columns in.
fn indented(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out += format!("  {}", printable(line)).trim_end();
        out.push('\n');
    }
    out
}

fn log(versions: &[VersionView]) -> String {
    if versions.is_empty() {
        return "No commit has this prompt yet: `git add prompts && git commit` makes the first \
                version.\n"
            .to_owned();
    }
    let head = ["version", "commit", "date", "author", "message"].map(|title| (title, Align::Left));
    let rows: Vec<Vec<String>> = versions
        .iter()
        .map(|one| {
            let version = match &one.version {
                Some(version) => version.short(),
                None => format!("{ERROR}has errors{ERROR:#}"),
            };
            vec![
                version,
                printable(&one.commit.chars().take(10).collect::<String>()),
                one.time.to_string(),
                printable(&one.author),
                printable(&one.subject),
            ]
        })
        .collect();
    table::render(&head, &rows)
}
