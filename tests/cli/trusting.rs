//! As a new user would: from the sample's judge and forty labels to whether the judge can be trusted.

use crate::sandbox::{Ran, Sandbox};
use crate::terminal::Terminal;

const SET: &str = "evalsets/replies/evalset.yaml";
const JUDGE: &str = "judges/helpful.prompt";

fn sample() -> Sandbox {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "--sample"]).code, 0);
    assert_eq!(sandbox.run(&["run", "replies", "--replay"]).code, 0);
    sandbox
}

/// Changes a file of the project.
fn change(sandbox: &Sandbox, file: &str, was: &str, becomes: &str) {
    let text = sandbox.read(file);
    assert!(text.contains(was), "{file} has no `{was}`");
    sandbox.write(file, &text.replacen(was, becomes, 1));
}

/// Returns the lines of what was printed that contain one of these.
fn lines(ran: &Ran, words: &[&str]) -> String {
    let is_meant = |line: &&str| words.iter().any(|word| line.contains(word));
    ran.stdout.lines().filter(is_meant).collect::<Vec<_>>().join("\n")
}

/// Replaying needs the embedded model's adapter, though not its file.
#[test]
fn forty_labels_by_keyboard_calibrate_the_judge_and_the_gate_refuses_it() {
    let sandbox = sample();
    let mut terminal = Terminal::start(&sandbox, &["label", "replies", "--labeller", "ana"]);
    terminal.shows("Does it pass: helpful?");
    for number in 1..=40 {
        terminal.types(if number % 4 == 0 { "1" } else { "2says nothing of the order\r" });
        terminal.shows(&format!("{} of 96 left · saved", 96 - number));
    }
    terminal.types("q");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    let stats = sandbox.run(&["label", "stats", "replies"]);
    assert!(stats.stdout.contains("ana           40  30 fail, 10 pass"), "{stats}");

    let calibrated = sandbox.run(&["calibrate", "helpful"]);
    assert_eq!(calibrated.code, 0, "{calibrated}");
    let words = ["helpful: ", "Left out", "s what people", "form:"];
    insta::assert_snapshot!(lines(&calibrated, &words), @r"
    helpful: not yet (17 more passes and 250 more fails without another error could be enough; or mend
      Left out: 80 in another split, 6 on which people disagree
      passes what people pass  15 of 18  83.9 % · 59–94  lower bound 63.1 %, needs 80.0 %
      fails what people fail   8 of 58   15.1 % · 7–28   lower bound 8.3 %, needs 80.0 %
      form: judge says 85.4 %; corrected with 76 human labels of this run: 22.8 % · 13–33
    ");
    let listed = sandbox.run(&["judge", "list"]);
    assert!(listed.stdout.contains("not yet"), "{listed}");

    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 0);
    change(&sandbox, SET, "primary: helpful\n", "primary: helpful\ngate: {min_trust: helpful}\n");
    let gated = sandbox.run(&["gate", "replies", "--replay"]);
    assert_eq!(gated.code, 1, "{gated}");
    insta::assert_snapshot!(lines(&gated, &["Gate failed", "✓", "✕"]), @r"
    Gate failed: 1 rule blocks.
      ✓ the primary criterion has to be no worse: it is no worse (according to judge helpful (not
      ✕ the judges of helpful have to be trusted: helpful is not yet
    ");
}

#[test]
fn a_judge_whose_prompt_is_changed_is_stale_until_it_is_calibrated_again() {
    let sandbox = sample();
    let compared = |sandbox: &Sandbox| {
        let compared = sandbox.run(&["compare", "examples", "form"]);
        assert!(compared.stdout.contains("According to judge helpful (not trusted)"), "{compared}");
    };
    compared(&sandbox);
    change(&sandbox, JUDGE, "You judge replies", "You judge the replies");
    insta::assert_snapshot!(sandbox.run(&["judge", "list"]), @r"
    judge    version       model                  eval set  criterion  state
    helpful  07b2ed283cad  embedded/smollm2-135m  replies   helpful    stale

    Next
      trysquare score latest --judge helpful    as it is today it has judged nothing
    --- exit 0
    ");
    compared(&sandbox);
    let calibrated = sandbox.run(&["calibrate", "helpful"]);
    assert_eq!(calibrated.code, 2, "{calibrated}");
    assert!(calibrated.stderr.contains("has judged nothing"), "{calibrated}");
    // What the new version says was never recorded, and nobody takes what the old one said for it.
    change(&sandbox, SET, "primary: helpful\n", "primary: helpful\ngate: {min_trust: helpful}\n");
    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 0);
    let gated = sandbox.run(&["gate", "replies", "--replay"]);
    assert_eq!(gated.code, 3, "{gated}");
    assert!(gated.stdout.contains("helpful is stale"), "{gated}");
    change(&sandbox, JUDGE, "You judge the replies", "You judge replies");
    let listed = sandbox.run(&["judge", "list"]);
    assert!(listed.stdout.contains("not yet"), "{listed}");
}

#[test]
fn a_run_that_is_not_judged_is_pending_wherever_it_is_read() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "--sample"]).code, 0);
    let ran = sandbox.run(&["run", "replies", "--replay", "--no-judges"]);
    assert_eq!(ran.code, 0, "{ran}");
    for words in ["not judged yet", "trysquare score latest --judge helpful"] {
        assert!(ran.stdout.contains(words), "{ran}");
    }
    let shown = sandbox.run(&["show", "latest", "--case", "r-001"]);
    assert!(shown.stdout.contains("not judged yet"), "{shown}");
    let compared = sandbox.run(&["compare", "examples", "form"]);
    assert!(compared.stdout.contains("have them judged"), "{compared}");
    let accepted = sandbox.run(&["baseline", "accept", "latest"]);
    assert_eq!(accepted.code, 2, "{accepted}");
    assert!(accepted.stderr.contains("162 cases have no result yet"), "{accepted}");
    let listed = sandbox.run(&["judge"]);
    assert!(listed.stdout.contains("not yet"), "a certificate needs no run here: {listed}");
}
