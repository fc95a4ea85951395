use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

type Table = BTreeMap<String, BTreeSet<String>>;

/// Reads the table of decision 1, which is the one place that grants dependencies.
fn granted() -> Table {
    let path = tests::root().join("docs/decisions/0001-crates-and-their-dependencies.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ")).skip(2);
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let name = cells.next().unwrap().to_owned();
        let uses = cells.next().unwrap().split(", ").filter(|word| *word != "–");
        (name, uses.map(str::to_owned).collect())
    })
    .collect()
}

#[test]
fn crates_use_only_what_the_table_grants() {
    let granted = granted();
    assert!(granted.len() > 15, "the table was not read: {granted:?}");
    let manifest = tests::root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    let ours: BTreeSet<String> =
        metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.to_string();
        if name == "tests" || name == "test-provider" {
            continue;
        }
        let Some(allowed) = granted.get(&name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for dependency in &package.dependencies {
            let test_only = dependency.kind == DependencyKind::Development;
            if !test_only && ours.contains(&dependency.name) && !allowed.contains(&dependency.name)
            {
                wrong.push(format!("{name} uses {}", dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn folder_package_and_crate_have_one_name() {
    let manifest = tests::root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().unwrap().file_name().unwrap();
        let name = package.name.to_string();
        assert!(folder == name || name == "test-provider", "{folder} holds {name}");
    }
}

/// Returns the crates that no order puts above all that they use: those of a circle, and those that
/// use them.
fn without_order(table: &Table) -> BTreeSet<&str> {
    let mut left: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    loop {
        let is_free = |name: &str| table[name].iter().all(|used| !left.contains(used.as_str()));
        let free: Vec<&str> = left.iter().copied().filter(|name| is_free(name)).collect();
        if free.is_empty() {
            return left;
        }
        left.retain(|name| !free.contains(name));
    }
}

#[test]
fn the_table_goes_downwards() {
    assert_eq!(without_order(&granted()), BTreeSet::new());
}

#[test]
fn a_circle_of_any_length_is_found() {
    let table = |rows: &[(&str, &str)]| -> Table {
        let uses = |used: &str| used.split_whitespace().map(str::to_owned).collect();
        rows.iter().map(|(name, used)| ((*name).to_owned(), uses(used))).collect()
    };
    let circle = table(&[("a", ""), ("b", "a d"), ("c", "b"), ("d", "c a"), ("e", "a")]);
    assert_eq!(without_order(&circle), BTreeSet::from(["b", "c", "d"]));
    let itself = table(&[("a", "a")]);
    assert_eq!(without_order(&itself), BTreeSet::from(["a"]));
}
