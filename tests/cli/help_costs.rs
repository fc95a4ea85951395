use crate::help::explained;

#[test]
fn costs_and_prices_explain_themselves() {
    insta::assert_snapshot!(explained(&[&["costs"], &["prices"], &["prices", "import"]]), @r#"
    == costs
    Show what the runs of this project cost, judges apart, and what is left of its budgets

    Usage: trysquare costs [OPTIONS]

    Options:
          --by <BY>          What to add up by [default: run] [possible values: run, model, day, prompt]

    Examples:
      trysquare costs                  by run
      trysquare costs --by model       which model is dear
      trysquare costs --by day         what each day cost, in UTC as the cap counts it

    Answers from the cache cost nothing; what they would have cost is shown as saved.

    == prices
    Show what the models of this project cost, and since when that is known

    Usage: trysquare prices [OPTIONS]
           trysquare prices <COMMAND>

    Commands:
      import  Write prices from another program's list into prices.jsonl
      help    Print this message or the help of the given subcommand(s)

    Options:
          --all              Also models that the project does not use

    Examples:
      trysquare prices                                          the models of this project
      trysquare prices --all                                    every model that a list prices
      trysquare prices import prices.json --from litellm        take over LiteLLM's price file
      trysquare prices import models.json --from openrouter     take over OpenRouter's list

    What trysquare.yaml states goes before prices.jsonl, and that before the list that comes with the
    program. A model that none of them prices costs "unknown", never 0.

    == prices import
    Write prices from another program's list into prices.jsonl

    Usage: trysquare prices import [OPTIONS] --from <FROM> <FILE>

    Arguments:
      <FILE>  The list, as a file

    Options:
          --from <FROM>      Whose list it is [possible values: litellm, openrouter]
          --all              Take over every model, not only those that the project uses
    "#);
}
