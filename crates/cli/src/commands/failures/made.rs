//! Checks and judges that were made of a category.

use app::{CheckRequest, Finds, FoundByCheck, MadeCheck, MadeJudge};

use crate::args::FailuresCommand;
use crate::diagnostics::{counted, printable};

/// Cases that are named.
const NAMED: usize = 8;

/// Returns what `failures check` asks for.
pub(super) fn check_request(set: Option<String>, command: FailuresCommand) -> Option<CheckRequest> {
    let FailuresCommand::Check {
        category,
        not_contains,
        contains,
        not_regex,
        regex,
        ignore_case,
        name,
        only_try,
    } = command
    else {
        return None;
    };
    let finds = match (not_regex, regex) {
        (Some(pattern), _) => Finds::Pattern(pattern),
        (None, Some(pattern)) => Finds::LacksPattern(pattern),
        (None, None) if contains.is_empty() => Finds::Texts(not_contains),
        (None, None) => Finds::Lacks(contains),
    };
    Some(CheckRequest { set, category, name, finds, ignore_case, only_try })
}

/// Shows a check, and how it decides what people have decided.
pub(super) fn check(made: &MadeCheck) -> String {
    let name = made.check["name"].as_str().unwrap_or_default();
    let file = made.file.display();
    let mut out = if made.only_tried {
        format!("{}: tried; {file} is as it was\n", printable(name))
    } else {
        format!("{}: added to {file}\n", printable(name))
    };
    let (kind, passing) = (&made.of_kind, &made.of_passing);
    out += &format!("  fails {} of this kind{}\n", share(kind), named(kind, "misses"));
    out += &format!("  fails {} that people pass{}\n", share(passing), named(passing, "fails"));
    if made.only_tried {
        return out + "Without --try it is added.\n";
    }
    out + &format!("Next: trysquare score RUN applies it to a run of {} again.\n", made.eval_set)
}

fn share(found: &FoundByCheck) -> String {
    format!("{} of {}", found.fails, counted(found.outputs, "output"))
}

/// Names the cases that the check decides otherwise than people.
fn named(found: &FoundByCheck, verb: &str) -> String {
    let mut out = String::new();
    let names: Vec<String> = found.otherwise.iter().take(NAMED).map(|id| printable(id)).collect();
    if !names.is_empty() {
        let more = found.otherwise.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out += &format!("; it {verb} {}{more}", names.join(", "));
    }
    if found.undecided > 0 {
        out += &format!("; it cannot decide {}", found.undecided);
    }
    out
}

/// Shows a judge and what to do with it.
pub(super) fn judge(made: &MadeJudge) -> String {
    let files: Vec<String> = made.files.iter().map(|file| file.display().to_string()).collect();
    let name = printable(&made.name);
    let notes = match made.notes {
        0 => "no note, as none is on a case of the train split".to_owned(),
        count => format!("{} on cases of the train split", counted(count, "note")),
    };
    format!(
        "{name}: a judge on {}, in {}\n  its prompt has {notes}\n\
         Read it, then judge a run: trysquare score RUN --judge {name}\n\
         Label its criterion: trysquare label --criterion {name}\n\
         Measure it: trysquare calibrate {name}\n",
        printable(&made.model),
        files.join(" and "),
    )
}
