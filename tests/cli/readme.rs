#[cfg(feature = "embedded-model")]
use crate::sandbox::Sandbox;

/// Returns the commands of the tour, without their comments.
#[cfg(feature = "embedded-model")]
fn tour() -> Vec<String> {
    let readme = std::fs::read_to_string(tests::root().join("README.md")).unwrap();
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter(|line| line.starts_with("trysquare "));
    lines.map(|line| line.split(" # ").next().unwrap().trim().to_owned()).collect()
}

/// Replaying needs the embedded model's adapter, though not its file.
#[cfg(feature = "embedded-model")]
#[test]
fn every_command_of_the_readme_works_offline() {
    let sandbox = Sandbox::new();
    let commands = tour();
    assert!(commands.len() >= 7, "the tour was not found: {commands:?}");
    let mut folder = sandbox.path("project");
    for command in commands {
        let (command, then) = command.split_once(" && cd ").unwrap_or((&command, ""));
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let mut program = sandbox.command(crate::sandbox::PROGRAM);
        let ran = sandbox.finish(program.args(arguments).current_dir(&folder), "");
        assert_eq!(ran.code, 0, "{command}\n{ran}");
        folder.push(then);
    }
    let replayed = sandbox.path("project/my-shop/.trysquare/trysquare.db");
    assert!(replayed.is_file(), "the run was recorded in the sample's own folder");
}

/// `scripts/picture` draws it again.
#[cfg(feature = "embedded-model")]
#[test]
fn the_picture_of_the_readme_has_the_table_that_a_run_prints() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "--sample"]).code, 0);
    let ran = sandbox.run(&["run", "order-number", "--replay"]);
    assert_eq!(ran.code, 0, "{ran}");
    let table: Vec<&str> =
        ran.stdout.lines().skip_while(|line| !line.starts_with("variant ")).take(4).collect();
    assert_eq!(table.len(), 4, "{ran}");
    let picture = std::fs::read_to_string(tests::root().join("docs/images/run.svg")).unwrap();
    for line in table {
        let drawn = line.trim_end().replace('<', "&lt;");
        assert!(picture.contains(&format!(">{drawn}</text>")), "not in the picture: {line}");
    }
}

#[test]
fn the_two_commands_of_the_readme_exist() {
    let readme = std::fs::read_to_string(tests::root().join("README.md")).unwrap();
    for script in ["scripts/run", "scripts/test"] {
        assert!(readme.contains(script) && tests::root().join(script).is_file(), "{script}");
    }
}
