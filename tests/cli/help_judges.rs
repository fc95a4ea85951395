use crate::help::explained;

#[test]
fn judges_explain_themselves() {
    insta::assert_snapshot!(explained(&[&["judge"], &["judge", "list"], &["judge", "show"]]), @r"
    == judge
    List judges and how far each can be trusted, or show one

    Usage: trysquare judge [OPTIONS]
           trysquare judge <COMMAND>

    Commands:
      list  List the judges: what each decides, and how far it can be trusted
      show  Show a judge: what it sees and answers, how it was calibrated, what to do next
      help  Print this message or the help of the given subcommand(s)

    Options:

    == judge list
    List the judges: what each decides, and how far it can be trusted

    Usage: trysquare judge list [OPTIONS]

    Options:

    == judge show
    Show a judge: what it sees and answers, how it was calibrated, what to do next

    Usage: trysquare judge show [OPTIONS] <JUDGE>

    Arguments:
      <JUDGE>  The judge: its file's name in judges/, or its name in an eval set

    Options:

    Examples:
      trysquare judge show helpful
      trysquare judge show helpful --format json   every hash and figure
    ");
}
