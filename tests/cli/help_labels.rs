use crate::help::explained;

#[test]
#[expect(clippy::too_many_lines, reason = "it is the help of every command")]
fn failures_explain_themselves() {
    insta::assert_snapshot!(explained(&[
        &["failures"],
        &["failures", "list"],
        &["failures", "suggest"],
        &["failures", "group"],
        &["failures", "ungroup"],
        &["failures", "rename"],
        &["failures", "merge"],
        &["failures", "check"],
        &["failures", "judge"],
        &["failures", "export"],
    ]), @r#"
    == failures
    Sort what went wrong into kinds, and see how often each occurs

    Usage: trysquare failures [OPTIONS]
           trysquare failures <COMMAND>

    Commands:
      list     Print the kinds of failures with their shares, and the notes that nobody has sorted
      suggest  Suggest groups among the notes, by the words that they share; nothing is kept
      group    Put notes into a category, and make it if it is new
      ungroup  Take notes out of categories; what is in none is of no kind
      rename   Call or explain a category otherwise; what is in it stays
      merge    Make one category of several
      check    Add a check for a category to the eval set, and tell how it decides what people have
               decided
      judge    Write a judge for a category, and the criterion that it decides; nothing is sent
      export   Write all notes with their categories for a spreadsheet, or the kinds for a page
      help     Print this message or the help of the given subcommand(s)

    Options:
          --category <NAME>   List the notes of this category
          --all               List all notes, also sorted ones and those that do not count
          --criterion <NAME>  Only notes on this criterion
          --limit <N>         List at most so many notes [default: 20]
          --set <NAME>        The eval set [default: the only one, or the newest run's]

    Examples:
      trysquare failures                               the kinds, and what is not sorted yet
      trysquare failures group late 3f09ac 77b1e0 --sentence "It names a day that is past."
      trysquare failures group rude 3f09ac --from late      move a note, as in splitting a kind
      trysquare failures rename late "past day"
      trysquare failures merge late "past day" --into late

    A note is what somebody wrote beside a label (`trysquare label`). It is named by the end of its id.
    Notes count while their output fails by what people decided.

    == failures list
    Print the kinds of failures with their shares, and the notes that nobody has sorted

    Usage: trysquare failures list [OPTIONS]

    Options:
          --category <NAME>   List the notes of this category
          --all               List all notes, also sorted ones and those that do not count
          --criterion <NAME>  Only notes on this criterion
          --limit <N>         List at most so many notes [default: 20]
          --set <NAME>        The eval set [default: the only one, or the newest run's]

    == failures suggest
    Suggest groups among the notes, by the words that they share; nothing is kept

    Usage: trysquare failures suggest [OPTIONS]

    Options:
          --set <NAME>       The eval set [default: the only one, or the newest run's]

    After 30 notes. Each group is printed with the command that takes it.

    == failures group
    Put notes into a category, and make it if it is new

    Usage: trysquare failures group [OPTIONS] <CATEGORY> [NOTE]...

    Arguments:
      <CATEGORY>  The category
      [NOTE]...   The notes: their ids, or the ends of them

    Options:
          --sentence <TEXT>  What it is, in one sentence; needed for a new category
          --from <NAME>      Take the notes out of this category
          --labeller <NAME>  Who sorts [default: git's user.name, else you are asked]
          --set <NAME>       The eval set [default: the only one, or the newest run's]

    Examples:
      trysquare failures group late 3f09ac 77b1e0 --sentence "It names a day that is past."
      trysquare failures group rude 3f09ac --from late     out of one, into another

    == failures ungroup
    Take notes out of categories; what is in none is of no kind

    Usage: trysquare failures ungroup [OPTIONS] <NOTE>...

    Arguments:
      <NOTE>...  The notes: their ids, or the ends of them

    Options:
          --from <NAME>      Out of this category only
          --labeller <NAME>  Who sorts [default: git's user.name, else you are asked]
          --set <NAME>       The eval set [default: the only one, or the newest run's]

    == failures rename
    Call or explain a category otherwise; what is in it stays

    Usage: trysquare failures rename [OPTIONS] <CATEGORY> [NEW NAME]

    Arguments:
      <CATEGORY>  The category
      [NEW NAME]  Its new name

    Options:
          --sentence <TEXT>  What it is, in one sentence
          --labeller <NAME>  Who sorts [default: git's user.name, else you are asked]
          --set <NAME>       The eval set [default: the only one, or the newest run's]

    Examples:
      trysquare failures rename late "past day"
      trysquare failures rename late --sentence "It names a day before the mail's."

    == failures merge
    Make one category of several

    Usage: trysquare failures merge [OPTIONS] <CATEGORY>...

    Arguments:
      <CATEGORY>...  The categories; one name is enough if several have it

    Options:
          --into <NAME>      What the one is called [default: as the first]
          --sentence <TEXT>  What it is, in one sentence [default: as before]
          --labeller <NAME>  Who sorts [default: git's user.name, else you are asked]
          --set <NAME>       The eval set [default: the only one, or the newest run's]

    == failures check
    Add a check for a category to the eval set, and tell how it decides what people have decided

    Usage: trysquare failures check [OPTIONS] <--not-contains <TEXT>|--contains <TEXT>|--not-regex <PATTERN>|--regex <PATTERN>> <CATEGORY>

    Arguments:
      <CATEGORY>  The category

    Options:
          --not-contains <TEXT>  An output fails if it contains this text; may be repeated
          --contains <TEXT>      An output fails if it lacks this text; may be repeated
          --not-regex <PATTERN>  An output fails if this regular expression matches in it
          --regex <PATTERN>      An output fails if this regular expression matches nowhere in it
          --ignore-case          Capital letters are as small ones
          --name <NAME>          What the check is called [default: as the category]
          --try                  Only tell what it finds
          --set <NAME>           The eval set [default: the only one, or the newest run's]

    Examples:
      trysquare failures check late --not-contains yesterday --ignore-case --try
      trysquare failures check "no number" --regex '[A-Z]-\d{5}'

    Outputs that the check fails are of this kind. With --try nothing is written.

    == failures judge
    Write a judge for a category, and the criterion that it decides; nothing is sent

    Usage: trysquare failures judge [OPTIONS] <CATEGORY>

    Arguments:
      <CATEGORY>  The category

    Options:
          --name <NAME>             What the judge and its criterion are called [default: as the
                                    category]
          --model <PROVIDER/MODEL>  The model [default: that of the set's first judge, else of its first
                                    prompt]
          --set <NAME>              The eval set [default: the only one, or the newest run's]

    Examples:
      trysquare failures judge rude
      trysquare failures judge rude --model openai/gpt-5-mini

    == failures export
    Write all notes with their categories for a spreadsheet, or the kinds for a page

    Usage: trysquare failures export [OPTIONS]

    Options:
          --as <KIND>        What is written [default: csv] [possible values: csv, md]
      -o, --output <FILE>    The file [default: standard output]
          --set <NAME>       The eval set [default: the only one, or the newest run's]

    Examples:
      trysquare failures export -o notes.csv
      trysquare failures export --as md -o failures.md
    "#);
}
