use crate::help::explained;

#[test]
fn costs_and_prices_explain_themselves() {
    insta::assert_snapshot!(explained(&[&["estimate"], &["costs"], &["prices"], &["prices", "import"]]), @r#"
    == estimate
    Say what a run will take, before it starts: tokens and dollars, as a range

    Usage: trysquare estimate [OPTIONS] <SET>

    Arguments:
      <SET>  The eval set: a folder in evalsets/

    Options:
          --variant <NAME>   Only these variants (may be repeated)
          --case <ID>        Only these cases (may be repeated)
          --tag <TAG>        Only cases with this tag (may be repeated)
          --samples <N>      How often each case is sampled [default: the eval set's]
          --no-cache         As if the cache were empty
          --no-judges        Without the eval set's judges

    Examples:
      trysquare estimate order-number                     tokens and dollars, as a range
      trysquare estimate order-number --variant examples --samples 5

    Input is counted by the model's tokenizer where there is one. Output is predicted from earlier
    answers of the same prompt on the same model. What the cache answers costs nothing. Nothing is sent.

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
