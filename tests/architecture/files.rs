use std::path::{Path, PathBuf};

fn tracked(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["crates", "tests", "docs", "scripts", ".ci", "evalsets", "prompts"] {
        collect(&tests::root().join(folder), extensions, &mut found);
    }
    for file in ["README.md", "CHANGELOG.md", "trysquare.yaml"] {
        let path = tests::root().join(file);
        if path.exists() && extensions.iter().any(|end| file.ends_with(end)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn collect(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extensions, found);
        } else if extensions.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.push(path);
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(tests::root()).unwrap_or(path).display().to_string()
}

#[test]
fn no_test_file_is_forgotten() {
    let manifest = std::fs::read_to_string(tests::root().join("tests/Cargo.toml")).unwrap();
    for entry in std::fs::read_dir(tests::root().join("tests")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !folder.join("main.rs").exists() {
            continue;
        }
        assert!(manifest.contains(&format!("path = \"{name}/main.rs\"")), "{name} is no target");
        let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
        for file in std::fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            let module = file.file_stem().unwrap().to_string_lossy().into_owned();
            let is_rust = file.extension().is_some_and(|end| end == "rs");
            if is_rust && module != "main" {
                assert!(main.contains(&format!("mod {module};")), "{name}/{module}.rs is unused");
            }
        }
    }
}

#[test]
fn no_source_file_outgrows_a_room() {
    let large: Vec<String> = tracked(&[".rs"])
        .into_iter()
        .filter_map(|path| {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            (lines > 700).then(|| format!("{} has {lines} lines", shown(&path)))
        })
        .collect();
    assert!(large.is_empty(), "{large:#?}");
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut broken = Vec::new();
    for path in tracked(&[".md"]) {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let outside = link.contains("://") || target.is_empty();
            if !outside && !path.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", shown(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn no_file_names_a_machine() {
    // Assembled here so that this file does not contain them.
    let marks = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let mut found = Vec::new();
    for path in tracked(&[".rs", ".md", ".yaml", ".toml", ".jsonl", ".json", ".prompt", "setup"]) {
        let text = std::fs::read_to_string(&path).unwrap();
        for mark in &marks {
            if text.contains(mark.as_str()) {
                found.push(format!("{} contains {mark}", shown(&path)));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
