//! What was spent is added up as the ledger has it.

use serde_json::Value;
use test_provider::TestProvider;

use crate::project::{Project, billed_by, settings};

#[test]
fn costs_agree_with_the_ledger_and_the_bill_whatever_they_are_added_up_by() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 20);
    project.run(&["run", "set"]).expect(0);
    let billed = billed_by(&server);
    assert!(billed > 0);
    // Answered by the cache: nothing is billed, and as much is saved.
    project.run(&["run", "set"]).expect(0);
    for (by, lines) in [("run", 2), ("model", 1), ("day", 1), ("prompt", 1)] {
        let ran = project.run(&["costs", "--by", by, "--format", "json"]).expect(0);
        let view: Value = serde_json::from_str(&ran.stdout).unwrap();
        // A run over midnight stands on two days.
        let found = view["lines"].as_array().unwrap().len();
        assert!(found == lines || by == "day", "{by}: {view}");
        let total = &view["total"];
        assert_eq!(total["generation"], billed, "{by}: {view}");
        assert_eq!((&total["calls"], &total["hits"]), (&20.into(), &20.into()), "{by}: {view}");
        assert_eq!((&total["saved"], &total["judging"]), (&billed.into(), &0.into()), "{view}");
    }
    assert_eq!(billed_by(&server), billed);
}

#[test]
fn a_budget_says_how_much_of_it_is_used() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 20);
    project.run(&["costs"]).expect(0).says("$0.00: no paid calls.");
    let budget = "defaults: {budget: {project_usd: 0.1}}\n";
    let priced = settings(&server.origin(), "");
    project.write("trysquare.yaml", &format!("{priced}{budget}"));
    project.run(&["costs"]).expect(0).says("budget project: $0.00 of $0.10\n");
    project.run(&["run", "set"]).expect(0);
    let whole = billed_by(&server);
    let budget = format!("defaults: {{budget: {{project_usd: 0.{:09}}}}}\n", whole * 5 / 4);
    project.write("trysquare.yaml", &format!("{priced}{budget}"));
    project.run(&["costs"]).expect(0).says("80 % are used");
}
