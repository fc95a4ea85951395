use proptest::prelude::*;
use serde_json::json;

use super::*;

fn keys(path: &str) -> Vec<Step<'_>> {
    path.split('/').map(|step| step.parse().map_or(Step::Key(step), Step::Index)).collect()
}

fn set_at(text: &str, path: &str, value: &Value) -> String {
    set(text, &keys(path), value).unwrap()
}

const PROJECT: &str = "\
# Our project
format: 1   # never change

environments:
  production:            # what customers see
    prompts:
      triage: 'aaaa'     # pinned by hand
      summary: bbbb
  staging: {prompts: {}} # empty yet

providers:
- name: local
  base_url: \"http://localhost:1\"
- name: far
text: |
  Two
  lines

last:
";

#[test]
fn a_scalar_keeps_its_quotes_and_its_comment() {
    let edited = set_at(PROJECT, "environments/production/prompts/triage", &json!("cccc"));
    assert_eq!(edited, PROJECT.replace("'aaaa' ", "'cccc' "));
    let edited = set_at(PROJECT, "environments/production/prompts/summary", &json!("true"));
    assert_eq!(edited, PROJECT.replace("bbbb", "\"true\""));
    let edited = set_at(PROJECT, "providers/0/base_url", &json!("a\"b"));
    assert_eq!(edited, PROJECT.replace("\"http://localhost:1\"", "\"a\\\"b\""));
    let edited = set_at(PROJECT, "format", &json!(2));
    assert_eq!(edited, PROJECT.replace("format: 1 ", "format: 2 "));
}

#[test]
fn a_new_key_stands_after_the_last_one_of_its_mapping() {
    let edited = set_at(PROJECT, "environments/production/prompts/intro", &json!("dddd"));
    assert_eq!(edited, PROJECT.replace("bbbb\n", "bbbb\n      intro: dddd\n"));
    let edited = set_at(PROJECT, "environments/staging/prompts/triage", &json!("e"));
    assert_eq!(edited, PROJECT.replace("{prompts: {}}", "{prompts: {triage: e}}"));
    let edited = set_at(PROJECT, "environments/test/prompts/triage", &json!("f"));
    let added = "# empty yet\n  test:\n    prompts:\n      triage: f\n";
    assert_eq!(edited, PROJECT.replace("# empty yet\n", added));
    let edited = set_at(PROJECT, "providers/1/base_url", &json!("x"));
    assert_eq!(edited, PROJECT.replace("- name: far\n", "- name: far\n  base_url: x\n"));
    let edited = set_at(PROJECT, "last/a/b", &json!(true));
    assert_eq!(edited, PROJECT.replace("last:\n", "last:\n  a:\n    b: true\n"));
    let edited = set_at(PROJECT, "providers/2", &json!({"name": "third"}));
    assert_eq!(edited, PROJECT.replace("- name: far\n", "- name: far\n- {name: third}\n"));
}

#[test]
fn text_of_several_lines_stays_a_block() {
    let edited = set_at(PROJECT, "text", &json!("One\n\n  two\n"));
    assert_eq!(edited, PROJECT.replace("|\n  Two\n  lines\n", "|\n  One\n\n    two\n"));
    let edited = set_at(PROJECT, "last", &json!("a\nb"));
    assert_eq!(read(&edited).unwrap().to_json()["last"], "a\nb");
}

#[test]
fn removing_takes_the_lines_of_the_key() {
    let without = |path: &str| remove(PROJECT, &keys(path)).unwrap();
    assert_eq!(
        without("environments/production/prompts/summary"),
        PROJECT.replace("      summary: bbbb\n", "")
    );
    assert_eq!(without("providers/0/name"), PROJECT.replace("name: local\n  ", ""));
    assert_eq!(without("providers/1"), PROJECT.replace("- name: far\n", ""));
    assert_eq!(without("text"), PROJECT.replace("text: |\n  Two\n  lines\n", ""));
    assert_eq!(without("last"), PROJECT.replace("last:\n", ""));
    assert_eq!(without("providers/1/name"), PROJECT.replace("name: far", "{}"));
}

#[test]
fn an_empty_file_gets_its_first_key() {
    assert_eq!(set_at("", "a/b", &json!(1)), "a:\n  b: 1\n");
    assert_eq!(set_at("# only a comment", "a", &json!("x")), "# only a comment\na: x\n");
}

#[test]
fn carriage_returns_stay() {
    assert_eq!(
        set_at("a: 1\r\nb:\r\n  c: 2\r\n", "b/d", &json!(3)),
        "a: 1\r\nb:\r\n  c: 2\r\n  d: 3\r\n"
    );
    assert_eq!(remove("a: 1\r\nb: 2\r\n", &keys("a")).unwrap(), "b: 2\r\n");
}

#[test]
fn what_an_alias_repeats_is_not_changed_behind_its_back() {
    let text = "a: &x 1\nb: *x\n";
    assert_eq!(set(text, &keys("a"), &json!(2)), Err(EditError::NotAlone("a".to_owned())));
    assert_eq!(set_at(text, "b", &json!(2)), "a: &x 1\nb: 2\n");
}

#[test]
fn places_that_are_not_there_are_errors() {
    assert_eq!(remove("a: 1\n", &keys("b")), Err(EditError::NoSuchPlace("b".to_owned())));
    assert_eq!(
        set("a: 1\n", &keys("a/b"), &json!(1)),
        Err(EditError::NoSuchPlace("a.b".to_owned()))
    );
    assert!(matches!(set("a: [", &keys("a"), &json!(1)), Err(EditError::Unreadable(_))));
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        "[a-z :#'\"\\\\\n\t{}\\[\\],&*!|>%@`-]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

/// A mapping as a person might write it, and the number of its top-level keys.
fn document() -> impl Strategy<Value = (String, usize)> {
    let entry = (0..9_u8, scalar()).prop_map(|(style, value)| {
        let value = render::flow(&value);
        match style {
            0 => format!(": {value}\n"),
            1 => format!(": {value}   # comment: 'x'\n\n"),
            2 => ":\n  - one # first\n  - {a: 1, b: [x, y]}\n".to_owned(),
            3 => format!(":\n    deep: {value}\n    # inside\n    other: \"q\"\n"),
            4 => ": |\n  block\n    text\n\n# after\n".to_owned(),
            5 => ": >-\n   folded\n   text\n".to_owned(),
            6 => ":\n".to_owned(),
            7 => format!(": {{x: {value}, 'y': 2,}} # flow\n"),
            _ => ": 'single ''quoted'''\n".to_owned(),
        }
    });
    prop::collection::vec(entry, 1..6).prop_map(|entries| {
        let mut text = "# head\n---\n".to_owned();
        for (index, entry) in entries.iter().enumerate() {
            text.push_str(&format!("k{index}{entry}"));
        }
        (text, entries.len())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn setting_a_key_gives_that_value_and_keeps_all_other_lines(
        (text, keys) in document(),
        pick in any::<prop::sample::Index>(),
        value in scalar(),
    ) {
        let before = read(&text).unwrap();
        let index = pick.index(keys);
        let key = format!("k{index}");
        let edited = set(&text, &[Step::Key(&key)], &value).unwrap();
        let mut wanted = before.to_json();
        wanted[&key] = value;
        prop_assert_eq!(read(&edited).unwrap().to_json(), wanted);
        let entries = before.entries().unwrap();
        let start = entries[index].key_span.end;
        let end = entries.get(index + 1).map_or(text.len(), |next| next.key_span.start);
        prop_assert!(edited.starts_with(&text[..start]));
        prop_assert!(edited.ends_with(&text[end..]));
        if !matches!(entries[index].value.value, crate::yaml::Yaml::Mapping(_) | crate::yaml::Yaml::Sequence(_)) {
            for comment in ["# comment: 'x'", "# after"] {
                prop_assert_eq!(edited.matches(comment).count(), text.matches(comment).count());
            }
        }
    }

    #[test]
    fn adding_a_key_keeps_every_byte((text, _) in document(), value in scalar()) {
        let edited = set(&text, &[Step::Key("new")], &value).unwrap();
        let (at, added) = (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .find_map(|at| {
                let middle = edited.strip_prefix(&text[..at])?.strip_suffix(&text[at..])?;
                Some((at, middle))
            })
            .expect("one insertion");
        prop_assert!(at > 0 && added.contains("new"));
    }

    #[test]
    fn removing_what_was_added_gives_the_text_back(
        (text, _) in document(),
        value in scalar().prop_filter("one line", |value| !value.to_string().contains("\\n")),
    ) {
        let edited = set(&text, &[Step::Key("new")], &value).unwrap();
        prop_assert_eq!(remove(&edited, &[Step::Key("new")]).unwrap(), text);
    }

    #[test]
    fn removing_a_key_keeps_all_other_lines(
        (text, keys) in document(),
        pick in any::<prop::sample::Index>(),
    ) {
        let before = read(&text).unwrap();
        let index = pick.index(keys);
        let edited = remove(&text, &[Step::Key(&format!("k{index}"))]).unwrap();
        let entries = before.entries().unwrap();
        let end = entries.get(index + 1).map_or(text.len(), |next| next.key_span.start);
        prop_assert!(edited.starts_with(&text[..entries[index].key_span.start]));
        prop_assert!(edited.ends_with(&text[end..]));
    }
}

#[test]
fn an_item_is_added_to_a_list_that_may_not_be_there_yet() {
    let path = [Step::Key("checks")];
    let once = append("format: 1 # one\n", &path, &json!({"name": "a"})).unwrap();
    let twice = append(&once, &path, &json!({"name": "b"})).unwrap();
    assert!(twice.starts_with("format: 1 # one\n"), "{twice}");
    assert_eq!(read(&twice).unwrap().to_json()["checks"], json!([{"name": "a"}, {"name": "b"}]));
    assert!(append("checks: text\n", &path, &json!("a")).is_err());
}
