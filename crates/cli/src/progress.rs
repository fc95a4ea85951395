//! How far a run is: a bar on a terminal, plain lines elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use run::{FailureNotice, Progress, RunEvent};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::diagnostics::{counted, printable};
use crate::output::Output;

/// Where no bar is drawn, a line is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows the events of a run until it has finished.
pub(crate) async fn follow(
    mut events: watch::Receiver<RunEvent>,
    variants: &[String],
    output: &Output,
) {
    let mut view: Box<dyn View + Send> = if Output::draws() {
        Box::new(Bar::new(events.borrow().progress().planned))
    } else {
        Box::new(Lines { last: Instant::now() })
    };
    let mut seen = 0;
    let mut hints = BTreeSet::new();
    let mut alike = Alike::default();
    loop {
        let event = events.borrow_and_update().clone();
        let progress = event.progress();
        for notice in progress.failures.iter().filter(|notice| notice.number > seen) {
            if !alike.is_shown(notice) {
                continue;
            }
            view.failure(&describe(notice, variants), output);
            // A thousand cells may fail for one reason, and what to do about it is said once.
            if let Some(hint) = notice.hint.as_ref().filter(|hint| hints.insert((*hint).clone())) {
                view.failure(&format!("  hint: {}", printable(hint)), output);
            }
        }
        seen = progress.failures.last().map_or(seen, |notice| notice.number.max(seen));
        if let RunEvent::Finished(_) = event {
            alike.rest().for_each(|text| view.failure(&text, output));
            view.end();
            return;
        }
        view.show(progress, output);
        if events.changed().await.is_err() {
            view.end();
            return;
        }
    }
}

/// Failures that are shown of those that say the same; the others are counted.
const ALIKE: usize = 5;

/// How often each failure was told, by what it says.
#[derive(Default)]
struct Alike(BTreeMap<String, usize>);

impl Alike {
    fn is_shown(&mut self, notice: &FailureNotice) -> bool {
        let told = self.0.entry(notice.message.clone()).or_default();
        *told += 1;
        *told <= ALIKE
    }

    /// Says how many were not shown.
    fn rest(&self) -> impl Iterator<Item = String> {
        let more = self.0.iter().filter(|(_, told)| **told > ALIKE);
        more.map(|(message, told)| format!("! {} more: {}", told - ALIKE, printable(message)))
    }
}

trait View {
    fn show(&mut self, progress: &Progress, output: &Output);
    fn failure(&mut self, text: &str, output: &Output);
    fn end(&mut self);
}

struct Bar {
    bar: ProgressBar,
}

impl Bar {
    fn new(planned: u32) -> Self {
        let bar = ProgressBar::with_draw_target(
            Some(u64::from(planned)),
            ProgressDrawTarget::stderr_with_hz(10),
        );
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}")
            .expect("the template is valid")
            .progress_chars("█▉▊▋▌▍▎▏ ");
        bar.set_style(style);
        Self { bar }
    }
}

impl View for Bar {
    fn show(&mut self, progress: &Progress, _output: &Output) {
        self.bar.set_position(u64::from(progress.done()));
        self.bar.set_message(state(progress));
    }

    fn failure(&mut self, text: &str, _output: &Output) {
        self.bar.println(text);
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Lines {
    last: Instant,
}

impl View for Lines {
    fn show(&mut self, progress: &Progress, output: &Output) {
        if self.last.elapsed() >= LINE_EVERY {
            self.last = Instant::now();
            let (done, planned) = (progress.done(), progress.planned);
            output.note(&format!("{done}/{planned}  {}\n", state(progress)));
        }
    }

    fn failure(&mut self, text: &str, output: &Output) {
        output.note(&format!("{text}\n"));
    }

    fn end(&mut self) {}
}

/// Counts by status, money, time left.
fn state(progress: &Progress) -> String {
    let counts = &progress.counts;
    let mut parts = vec![format!("✓ {}", counts.pass), format!("✕ {}", counts.fail)];
    let others = [
        ("!", "errors", counts.error),
        ("?", "unreadable", counts.unreadable),
        ("–", "skipped", counts.skipped),
        ("·", "undecided", counts.no_checks),
    ];
    for (mark, word, number) in others {
        if number > 0 {
            parts.push(format!("{mark} {number} {word}"));
        }
    }
    let spend = &progress.spend;
    let spent = spend.billed + spend.presumed;
    match progress.cap {
        Some(cap) => parts.push(format!("{spent} of {cap}")),
        None if spent.get() > 0 => parts.push(spent.to_string()),
        None => {}
    }
    if progress.hits > 0 {
        parts.push(format!("{} from the cache", progress.hits));
    }
    for provider in &progress.providers {
        if let Some(until) = provider.paused_until.filter(|until| *until > progress.at) {
            let seconds = until.ms_since(progress.at).div_ceil(1_000);
            parts.push(format!("{} waits {seconds} s", provider.provider));
        }
    }
    if let Some(left) = progress.eta_ms {
        parts.push(format!("{} left", duration(left)));
    }
    parts.join("  ")
}

fn describe(notice: &FailureNotice, variants: &[String]) -> String {
    let index = usize::try_from(notice.variant).unwrap_or(usize::MAX);
    let variant = variants.get(index).map_or("?", String::as_str);
    let again = if notice.again { ", trying again" } else { "" };
    let message = printable(&notice.message);
    format!("! {} · {variant}: {message}{again}", printable(&notice.case_id))
}

/// Writes milliseconds as people say them.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1_000);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Says how many cells are meant.
pub(crate) fn cells(number: u32) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "cell")
}

/// Says how many calls are meant.
pub(crate) fn calls(number: u32) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "call")
}
