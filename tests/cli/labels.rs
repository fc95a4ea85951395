use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::approved::{project, run_once};
use crate::sandbox::{PROGRAM, Sandbox};

const FILE: &str = "evalsets/echo/labels.jsonl";

/// What people did, without the row that says how cases are dealt to splits.
fn rows(sandbox: &Sandbox) -> Vec<Value> {
    let rows = sandbox.read(FILE);
    let rows = rows.lines().map(|row| serde_json::from_str(row).unwrap());
    rows.filter(|row: &Value| row["act"] != "split").collect()
}

/// The labels that one person has in the database.
fn labels_of(sandbox: &Sandbox, labeller: &str) -> u64 {
    let stats = sandbox.run(&["label", "stats", "--format", "json"]);
    let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
    let people = stats["criteria"][0]["labellers"].as_array().cloned().unwrap_or_default();
    let person = people.iter().find(|one| one["labeller"] == labeller);
    person.map_or(0, |one| one["labels"].as_u64().unwrap())
}

#[test]
fn outputs_are_labelled_by_keys_and_the_sitting_goes_on_where_it_stopped() {
    let (sandbox, _server) = run_once();
    let keys = "1\n2wrong number\ndnlooks odd\nu1q";
    let ran = sandbox.run_with_input(&["label", "--labeller", "ana"], keys);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("39 of 40 left · saved"), "{ran}");
    assert!(!ran.stdout.contains("ask"), "a blind labeller sees no variant: {ran}");
    let rows = rows(&sandbox);
    // Rows stand in the order of their ids, which within a millisecond is left to chance.
    let mut acts: Vec<_> = rows.iter().map(|row| row["act"].as_str().unwrap()).collect();
    acts.sort_unstable();
    assert_eq!(acts, ["defer", "label", "label", "label", "note", "retract"]);
    assert!(rows.iter().all(|row| row["blind"] == true && row["rubric"].is_string()));
    assert_eq!(rows[0]["drawn"], serde_json::json!({"how": "random", "probability": 1}));
    let outputs = sandbox.read("evalsets/echo/outputs.jsonl");
    assert!(rows.iter().all(|row| outputs.contains(row["output"].as_str().unwrap())));
    let again = sandbox.run_with_input(&["label", "--labeller", "ana"], "1q");
    assert!(again.stdout.contains("36 of 40 left · saved"), "{again}");
}

#[test]
fn people_are_compared_and_what_they_disagree_on_is_decided() {
    let (sandbox, _server) = run_once();
    sandbox.run_with_input(&["label", "--labeller", "ana"], "1112a\nq");
    sandbox.run_with_input(&["label", "--labeller", "bo", "--queue", "overlap"], "12b\n12c\n");
    let conflicts = sandbox.run(&["label", "conflicts"]);
    assert!(conflicts.stdout.contains("A says pass\nB says fail: b\n"), "{conflicts}");
    assert!(!conflicts.stdout.contains("ana"), "names are hidden: {conflicts}");
    insta::assert_snapshot!(sandbox.run(&["label", "stats"]), @r"
    echo
    exact: 3 decided, 0 adjudicated, 1 conflict, 0 outdated labels
    8 labels drawn at random, 0 otherwise

    labeller  labels  values          deferred  pass rate
    ana            4  1 fail, 3 pass         0  75.0 % · 30–95
    bo             4  2 fail, 2 pass         0  50.0 % · 15–85

    both labelled  n   agree  kappa                 AC1
    ana and bo     4  75.0 %  0.50 (-0.23 to 1.00)  0.53 (-1.00 to 1.00)
    --- exit 0
    ");
    let decided = sandbox.run_with_input(&["label", "adjudicate", "--labeller", "eve"], "2");
    assert!(decided.stdout.contains("0 left · saved"), "{decided}");
    let stats = sandbox.run(&["label", "stats"]);
    assert!(stats.stdout.contains("4 decided, 1 adjudicated, 0 conflicts"), "{stats}");
    assert!(stats.stdout.contains("75.0 %  0.50"), "agreement is what they said: {stats}");
}

#[test]
fn a_file_with_a_bad_line_is_named_and_left_as_it_is() {
    let (sandbox, _server) = run_once();
    sandbox.run_with_input(&["label", "--labeller", "ana"], "1q");
    let before = format!("{}<<<<<<< ours\n", sandbox.read(FILE));
    sandbox.write(FILE, &before);
    for command in
        [&["label", "stats"][..], &["label", "export", "--all"], &["label", "--labeller", "bo"]]
    {
        let ran = sandbox.run_with_input(command, "1");
        assert_eq!(ran.code, 2, "{ran}");
    }
    let ran = sandbox.run(&["label", "export"]);
    assert!(ran.stderr.contains("evalsets/echo/labels.jsonl:3:1"), "{ran}");
    assert_eq!(sandbox.read(FILE), before);
}

#[test]
fn a_label_of_a_changed_case_is_outdated_and_counts_in_no_rate() {
    let (sandbox, _server) = run_once();
    sandbox.run_with_input(&["label", "--labeller", "ana"], "1q");
    let case = rows(&sandbox)[0]["case"].as_str().unwrap().to_owned();
    let cases = sandbox.read("evalsets/echo/cases.jsonl");
    let changed = cases.replace(&format!("\"echo: {case}\""), "\"something else\"");
    assert_ne!(cases, changed);
    sandbox.write("evalsets/echo/cases.jsonl", &changed);
    let stats = sandbox.run(&["label", "stats"]);
    assert!(stats.stdout.contains("0 decided, 0 adjudicated, 0 conflicts, 1 outdated label"));
    assert_eq!(labels_of(&sandbox, "ana"), 0, "{stats}");
}

#[test]
fn the_last_label_of_all_can_be_undone() {
    let (sandbox, _server) = run_once();
    let ran = sandbox.run_with_input(&["label", "--labeller", "ana"], &("1".repeat(40) + "uq"));
    assert!(ran.stdout.contains("0 of 40 left · saved"), "{ran}");
    assert!(ran.stdout.contains("u undo, q quit"), "{ran}");
    assert_eq!(labels_of(&sandbox, "ana"), 39);
}

#[test]
fn undoing_brings_back_an_outdated_label_as_it_was() {
    let (sandbox, _server) = run_once();
    sandbox.run_with_input(&["label", "--labeller", "ana"], "2too short\nq");
    let set = sandbox.read("evalsets/echo/evalset.yaml");
    let rubric = "criteria:\n  exact: {rubric: Another guideline.}\nchecks:\n";
    let changed = set.replace("checks:\n", rubric);
    assert_ne!(set, changed);
    sandbox.write("evalsets/echo/evalset.yaml", &changed);
    let ran = sandbox.run_with_input(&["label", "--labeller", "ana"], "1u1uq");
    assert!(ran.stdout.contains("under another rubric you said fail"), "{ran}");
    let rows = rows(&sandbox);
    assert_eq!(rows.len(), 5, "{rows:?}");
    // Each takes the place of the one before.
    let next = |row: &Value| {
        let replaces = serde_json::json!([row["id"]]);
        rows.iter().find(|one| one["replaces"] == replaces).unwrap_or_else(|| panic!("{rows:?}"))
    };
    let first = rows.iter().find(|row| row["replaces"].is_null()).unwrap();
    let restored = next(next(first));
    let last = next(next(restored));
    for key in ["case", "value", "note", "time", "rubric", "drawn", "seconds"] {
        assert_eq!(restored[key], first[key], "{key}");
        assert_eq!(last[key], first[key], "{key}");
    }
    let stats = sandbox.run(&["label", "stats"]);
    assert!(stats.stdout.contains("1 outdated label"), "{stats}");
}

#[test]
fn what_is_purged_leaves_files_and_stays_away() {
    let (sandbox, _server) = run_once();
    sandbox.run_with_input(&["label", "--labeller", "ana"], "2secret-4711\n1q");
    let before = sandbox.read(FILE);
    let case = rows(&sandbox)[0]["case"].as_str().unwrap().to_owned();
    let purge = ["label", "purge", "--case", &case, "--labeller", "eve"];
    assert_eq!(sandbox.run(&purge).code, 2, "it asks first");
    assert_eq!(sandbox.run(&[&purge[..], &["--yes"]].concat()).code, 0);
    assert!(!sandbox.read(FILE).contains("secret-4711"));
    assert!(sandbox.read("evalsets/echo/outputs.jsonl").contains("\"purged\""));
    // Another copy, as a merge by union leaves it.
    sandbox.write(FILE, &format!("{before}{}", sandbox.read(FILE)));
    assert_eq!(sandbox.run(&["label", "export"]).code, 0);
    assert!(!sandbox.read(FILE).contains("secret-4711"));
}

#[test]
fn branches_do_not_leak_into_each_other() {
    let (sandbox, _server) = run_once();
    sandbox.run_with_input(&["label", "--labeller", "ana"], "11q");
    let both = sandbox.read(FILE);
    let one = both.lines().next().unwrap().to_owned() + "\n";
    sandbox.write(FILE, &one);
    sandbox.run(&["label", "export"]);
    assert_eq!(sandbox.read(FILE), one, "what another branch has is not written here");
    sandbox.run(&["label", "export", "--all"]);
    assert_eq!(sandbox.read(FILE), both);
}

#[test]
fn pairs_are_shown_shuffled_and_kept_in_the_order_of_the_subject() {
    let (sandbox, _server) = project();
    assert_eq!(sandbox.run(&["run", "echo", "--variant", "ask", "--variant", "loud"]).code, 0);
    let pairs = ["label", "--for", "ask", "loud", "--pairs", "--labeller", "ana"];
    // Always the first that is shown.
    let ran = sandbox.run_with_input(&pairs, &"1".repeat(40));
    assert!(ran.stdout.contains("0 of 40 left · saved"), "{ran}");
    let rows = rows(&sandbox);
    let count = |side: &str| rows.iter().filter(|row| row["prefers"] == side).count();
    assert_eq!(count("a") + count("b"), 40);
    assert!(count("a") > 5 && count("b") > 5, "{} and {}", count("a"), count("b"));
}

struct Sitting {
    child: Child,
    seen: String,
}

impl Sitting {
    fn start(mut command: Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { child, seen: String::new() }
    }

    fn types(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn saved(&self) -> u64 {
        self.seen.matches("left · saved").count() as u64
    }

    fn waits_for_saved(&mut self, count: u64) {
        while self.saved() < count {
            let mut bytes = [0; 4096];
            let read = self.child.stdout.as_mut().unwrap().read(&mut bytes).unwrap();
            assert!(read > 0, "the program ended: {}", self.seen);
            self.seen += &String::from_utf8_lossy(&bytes[..read]);
        }
    }

    /// Kills it, and returns how many labels it had shown as saved.
    fn kill(mut self) -> u64 {
        self.child.kill().unwrap();
        let mut rest = Vec::new();
        self.child.stdout.as_mut().unwrap().read_to_end(&mut rest).unwrap();
        self.child.wait().unwrap();
        self.seen += &String::from_utf8_lossy(&rest);
        self.saved()
    }
}

fn sitting(sandbox: &Sandbox, labeller: &str) -> Sitting {
    let mut command = sandbox.command(PROGRAM);
    command.args(["label", "--labeller", labeller]);
    Sitting::start(command)
}

#[test]
fn no_label_that_was_shown_as_saved_is_lost_however_often_the_program_is_killed() {
    let (sandbox, _server) = run_once();
    let mut shown = Vec::new();
    for round in 0..50u64 {
        let who = format!("p{round:02}");
        let mut sitting = sitting(&sandbox, &who);
        let answered = round % 4;
        for number in 0..answered {
            sitting.types(if number % 2 == 0 { "1" } else { "2why\n" });
            sitting.waits_for_saved(number + 1);
        }
        // The last keys are on their way when it dies.
        sitting.types(["", "1", "2", "2wh", "2why\n"][usize::try_from(round % 5).unwrap()]);
        shown.push((who, sitting.kill()));
    }
    assert!(shown.iter().map(|(_, saved)| saved).sum::<u64>() >= 50);
    assert_eq!(sandbox.run(&["label", "export"]).code, 0);
    let rows = rows(&sandbox);
    for (who, saved) in shown {
        assert!(labels_of(&sandbox, &who) >= saved, "{who} saw {saved}");
        let in_file = rows.iter().filter(|row| row["labeller"] == who.as_str()).count() as u64;
        assert!(in_file >= saved, "{who} saw {saved}, the file has {in_file}");
    }
}

#[test]
fn two_people_who_label_at_once_lose_nothing() {
    let (sandbox, _server) = run_once();
    let mut both = ["ana", "bo"].map(|who| sitting(&sandbox, who));
    for number in 1..=40 {
        for sitting in &mut both {
            sitting.types("1");
            sitting.waits_for_saved(number);
        }
    }
    for mut sitting in both {
        drop(sitting.child.stdin.take());
        assert!(sitting.child.wait().unwrap().success());
    }
    assert_eq!(rows(&sandbox).len(), 80);
    assert_eq!((labels_of(&sandbox, "ana"), labels_of(&sandbox, "bo")), (40, 40));
}
