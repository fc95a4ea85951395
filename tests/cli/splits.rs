use crate::approved::run_once;
use crate::sandbox::{Ran, Sandbox};

const SET: &str = "evalsets/echo/evalset.yaml";
const CASES: &str = "evalsets/echo/cases.jsonl";
const LABELS: &str = "evalsets/echo/labels.jsonl";

fn label(sandbox: &Sandbox, more: &[&str]) -> Ran {
    sandbox.run_with_input(&[&["label", "--labeller", "ana"], more].concat(), "1q")
}

/// Opens the labels and does nothing.
fn look(sandbox: &Sandbox) -> Ran {
    sandbox.run_with_input(&["label", "--labeller", "ana"], "q")
}

/// How often the file says how cases are dealt to splits.
fn dealings(sandbox: &Sandbox) -> usize {
    sandbox.read(LABELS).matches("\"act\":\"split\"").count()
}

#[test]
fn another_seed_or_other_shares_are_refused_until_somebody_says_resplit() {
    let (sandbox, _server) = run_once();
    let set = sandbox.read(SET);
    // Nothing is labelled yet, so that nothing can have steered a judge.
    sandbox.write(SET, &format!("{set}split: {{seed: 7}}\n"));
    assert_eq!(label(&sandbox, &[]).code, 0);
    assert!(sandbox.read(LABELS).contains("\"seed\":7,\"train\":20,\"dev\":30"));
    sandbox.write(SET, &format!("{set}split: {{seed: 8, train: 30, dev: 30}}\n"));
    let before = sandbox.read(LABELS);
    insta::assert_snapshot!(label(&sandbox, &[]), @r"
    --- stderr
    error: the splits of `echo` are no longer those in which its cases were labelled: the seed was 7 and is 8; the shares were train 20 %, dev 30 %, test 50 % and are train 30 %, dev 30 %, test 40 %
      hint: put that back, or draw the splits anew with `trysquare label echo --resplit`, which takes back the certificates of the judges of `echo`
    --- exit 2
    ");
    sandbox.write(
        "map.yaml",
        "source: desk\ncase: id\nlabels: [{criterion: exact, value: v, labeller: bo}]\n",
    );
    sandbox.write("rows.jsonl", "{\"id\":\"m-01\",\"v\":\"pass\"}\n");
    let refused = sandbox.run(&["label", "import", "--map", "map.yaml", "rows.jsonl"]);
    assert!(refused.code == 2 && refused.stderr.contains("the seed was 7 and is 8"), "{refused}");
    assert_eq!(sandbox.read(LABELS), before);
    // What is there can still be looked at.
    assert_eq!(sandbox.run(&["label", "stats"]).code, 0);
    let anew = label(&sandbox, &["--resplit"]);
    assert_eq!((anew.code, dealings(&sandbox)), (0, 2), "{anew}");
    assert!(anew.stderr.contains("splits drawn anew\n  the seed was 7 and is 8"), "{anew}");
    assert_eq!(label(&sandbox, &[]).code, 0);
    assert_eq!(label(&sandbox, &["--resplit"]).code, 0);
    assert_eq!(dealings(&sandbox), 2, "nothing had changed");
}

#[test]
fn another_cluster_or_split_of_a_labelled_case_is_refused() {
    let (sandbox, _server) = run_once();
    assert_eq!(label(&sandbox, &[]).code, 0);
    let cases = sandbox.read(CASES);
    let labelled = |row: &str| {
        let id = &row[7..11];
        sandbox.read(LABELS).contains(&format!("\"case\":\"{id}\""))
    };
    let changed = |is_labelled: bool, key: &str| -> String {
        let mut left = 1;
        let change = |row: &str| {
            if left > 0 && labelled(row) == is_labelled {
                left -= 1;
                return format!("{},{key}}}\n", row.trim_end_matches('}'));
            }
            format!("{row}\n")
        };
        cases.lines().map(change).collect()
    };
    sandbox.write(CASES, &changed(false, "\"cluster\":\"late\""));
    assert_eq!(look(&sandbox).code, 0, "nobody labelled it");
    sandbox.write(CASES, &cases);
    sandbox.write(CASES, &changed(true, "\"cluster\":\"late\""));
    let refused = look(&sandbox);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("was in no cluster and is in the cluster `late`"), "{refused}");
    sandbox.write(CASES, &cases);
    assert_eq!(look(&sandbox).code, 0, "it was put back");
    let splits: Vec<Ran> = ["train", "test"]
        .map(|split| {
            sandbox.write(CASES, &changed(true, &format!("\"split\":\"{split}\"")));
            look(&sandbox)
        })
        .into();
    assert!(splits.iter().any(|ran| ran.code == 2 && ran.stderr.contains("and is in t")));
    let anew = label(&sandbox, &["--resplit"]);
    assert_eq!(anew.code, 0, "{anew}");
    assert_eq!(label(&sandbox, &[]).code, 0);
}
