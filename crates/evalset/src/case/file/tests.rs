use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{Attachment, Place};
use super::*;
use crate::Split;

fn read(text: &str) -> (CaseFile, Vec<Diagnostic>) {
    CaseFile::read("evalsets/e/cases.jsonl", text)
}

fn findings(text: &str) -> String {
    let (_, found) = read(text);
    let mut out = String::new();
    for found in &found {
        let at = found.position.unwrap();
        let hint = found.hint.as_ref().map(|hint| format!(" [{hint}]")).unwrap_or_default();
        out.push_str(&format!(
            "{}:{} {}: {}{hint}\n",
            at.line, at.column, found.code, found.message
        ));
    }
    out
}

#[test]
fn every_bad_line_is_reported_with_its_place_and_the_rest_is_read() {
    let text = "{\"id\":\"a\",\"inputs\":{}}\n\
                {\"id\":\"b\" \"inputs\":{}}\n\
                [1]\n\
                {\"id\":7,\"inputs\":[],\"tags\":\"x\"}\n\
                {\"message\":\"Grüße\"}\n\
                {\"id\":\"a\",\"inputs\":{}}\n\
                {\"id\":\"é\",\"inputs\":{\"k\":1,\"k\":2}}\n\
                {\"id\":\"c\",\"inputs\":{},\"split\":\"prod\",\"source\":3}\n\
                {\"id\":\"d\",\"inputs\":{\"f\":\"\"},\"attachments\":[{\"name\":\"f\",\"path\":\"x\"},{\"name\":\"g\"}]}\n\
                {\"id\":\"e\",\"inputs\":{}";
    let (file, _) = read(text);
    assert_eq!(file.ids().collect::<Vec<_>>(), ["a"]);
    insta::assert_snapshot!(findings(text), @r#"
    2:11 case-row: this is not JSON: expected `,` or `}`, found `"`
    3:1 case-row: invalid type: sequence, expected a case as a JSON object
    4:7 case-row: found a number as `id`, expected text
    4:18 case-row: found a list as `inputs`, expected an object
    4:28 case-row: found text as `tags`, expected a list
    5:1 case-row: found a case without `id`, expected one
    5:1 case-row: found a case without `inputs`, expected an object [put the variables of the template under `inputs`]
    6:1 duplicate-case: the case id `a` stands on line 1 already
    7:29 case-row: the key `k` stands twice
    8:31 case-row: found the split `prod`, expected train, dev, test
    8:47 case-row: found a number as `source`, expected text or an object
    9:1 case-row: the attachment `f` has the name of another variable
    9:43 case-row: the attachment `g` needs either `path` or `url`
    10:21 case-row: this is not JSON: the line ends while parsing an object
    "#);
}

#[test]
fn carriage_returns_marks_and_empty_lines_are_read_and_kept() {
    let text = "\u{feff}{\"id\":\"a\",\"inputs\":{}}\r\n\r\n   \n{\"id\":\"b\",\"inputs\":{}}";
    let (mut file, found) = read(text);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((file.text(), file.len()), (text, 2));
    assert_eq!(file.position("b").unwrap().line, 4);
    file.append(&[Case::new("c", Map::new())]).unwrap();
    assert_eq!(file.text(), format!("{text}\r\n{{\"id\":\"c\",\"inputs\":{{}}}}\r\n"));
    file.replace("a", &Case::new("z", Map::new())).unwrap();
    assert!(file.text().starts_with("\u{feff}{\"id\":\"z\",\"inputs\":{}}\r\n\r\n   \n{"));
    insta::assert_snapshot!(file.canonical(), @r#"
    {"id":"z","inputs":{}}
    {"id":"b","inputs":{}}
    {"id":"c","inputs":{}}
    "#);
}

#[test]
fn an_equal_case_leaves_the_line_as_the_person_wrote_it() {
    let text = "{ \"inputs\": {\"n\": 1.0}, \"id\": \"a\" }\n";
    let (mut file, _) = read(text);
    let case = file.get("a").unwrap();
    file.replace("a", &case).unwrap();
    assert_eq!(file.text(), text);
}

#[test]
fn ids_stay_unique() {
    let (mut file, _) = read("{\"id\":\"a\",\"inputs\":{}}\n{\"id\":\"b\",\"inputs\":{}}\n");
    let before = file.text().to_owned();
    let b = Case::new("b", Map::new());
    assert_eq!(file.replace("a", &b), Err(EditCaseError::DuplicateId("b".to_owned())));
    assert_eq!(file.replace("x", &b), Err(EditCaseError::NoSuchCase("x".to_owned())));
    let c = Case::new("c", Map::new());
    assert_eq!(file.append(&[c.clone(), c]), Err(EditCaseError::DuplicateId("c".to_owned())));
    assert!(matches!(
        file.append(&[Case::new("", Map::new())]),
        Err(EditCaseError::Invalid { .. })
    ));
    assert_eq!(file.text(), before);
}

#[test]
fn a_line_that_cannot_be_read_survives_edits_and_formatting() {
    let (mut file, _) = read("oops\r\n{\"id\":\"a\", \"inputs\":{}}\n");
    file.remove("a").unwrap();
    file.append(&[Case::new("b", Map::new())]).unwrap();
    assert_eq!(file.canonical(), "oops\n{\"id\":\"b\",\"inputs\":{}}\n");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (1e18..1e22).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    (any::<bool>(), prop::option::of(any::<String>())).prop_map(|(path, content_type)| {
        let place = if path {
            Place::Path("media/a.png".to_owned())
        } else {
            Place::Url("https://example.org/a.png".to_owned())
        };
        let sha256 = path.then(|| values::ContentHash::of_bytes(b"a"));
        Attachment { name: "@photo".to_owned(), place, content_type, sha256 }
    })
}

prop_compose! {
    fn case()(
        inputs in prop::collection::btree_map("[a-z]{1,3}", value(), 0..4),
        attachments in prop::option::of(attachment()),
        expected in prop::option::of(value()),
        tags in prop::collection::vec(".{0,5}", 0..3),
        cluster in prop::option::of(".{1,5}"),
        source in prop::option::of(".{0,5}"),
        split in prop::option::of(prop::sample::select(&Split::ALL[..])),
        other in prop::collection::btree_map("x-[a-z]{1,3}", value(), 0..3),
    ) -> Case {
        Case {
            id: String::new(),
            inputs: inputs.into_iter().collect(),
            attachments: attachments.into_iter().collect(),
            expected,
            tags,
            cluster,
            source: source.map(|source| json!(source)),
            split,
            other: other.into_iter().collect(),
        }
    }
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    prop::collection::vec(case(), 0..6).prop_map(|mut cases| {
        for (index, case) in cases.iter_mut().enumerate() {
            case.id = format!("case {index}");
        }
        cases
    })
}

/// A file as people and other programs write it: any line end, blank lines, spaces, no last line end.
fn file_text() -> impl Strategy<Value = String> {
    (cases(), any::<bool>(), prop::collection::vec(0..5_u8, 8), any::<bool>()).prop_map(
        |(cases, mark, style, finished)| {
            let mut text = if mark { "\u{feff}".to_owned() } else { String::new() };
            for (case, style) in cases.iter().zip(style) {
                let row = case.to_row();
                text.push_str(&match style {
                    0 => format!("{row}\r\n"),
                    1 => format!("  {row}\n\n"),
                    2 => format!("{}\n", row.replacen("\"inputs\":", "\"inputs\" : ", 1)),
                    3 => format!("{row}\t\nnot a case {{\n"),
                    _ => format!("{row}\n"),
                });
            }
            if !finished && text.ends_with('\n') {
                text.pop();
            }
            text
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_canonical_row_reads_back_as_the_case(mut case in case()) {
        case.id = "x".to_owned();
        let row = case.to_row();
        let read = read_row(&row).unwrap();
        prop_assert_eq!(read.to_row(), row);
        prop_assert_eq!(read.content_hash(), case.content_hash());
        prop_assert!(!case.to_row().contains('\n'));
    }

    #[test]
    fn unedited_text_is_kept_byte_by_byte(text in file_text()) {
        let (file, _) = read(&text);
        prop_assert_eq!(file.text(), text);
    }

    #[test]
    fn formatting_twice_equals_once_and_changes_no_case(text in file_text()) {
        let (file, _) = read(&text);
        let once = file.canonical();
        let (again, _) = read(&once);
        prop_assert_eq!(again.canonical(), once.as_str());
        let rows = |file: &CaseFile| file.iter().map(|case| case.to_row()).collect::<Vec<_>>();
        prop_assert_eq!(rows(&file), rows(&again));
        prop_assert!(!once.contains('\r') || text.contains('\r'));
    }

    #[test]
    fn replacing_a_case_changes_its_line_and_no_other_byte(
        text in file_text(),
        pick in any::<prop::sample::Index>(),
        mut new in case(),
    ) {
        let (mut file, _) = read(&text);
        prop_assume!(!file.is_empty());
        let id = file.ids().nth(pick.index(file.len())).unwrap().to_owned();
        let span = file.span(&id).unwrap();
        new.id = format!("{id} edited");
        file.replace(&id, &new).unwrap();
        let expected = format!("{}{}{}", &text[..span.start], new.to_row(), &text[span.end..]);
        prop_assert_eq!(file.text(), expected);
        assert_same_as_read_anew(&file)?;
    }

    #[test]
    fn appending_keeps_what_was_there(text in file_text(), mut new in case()) {
        let (mut file, _) = read(&text);
        new.id = "added".to_owned();
        file.append(std::slice::from_ref(&new)).unwrap();
        prop_assert!(file.text().starts_with(&text));
        prop_assert_eq!(file.raw("added").unwrap(), new.to_row());
        prop_assert!(file.text().ends_with('\n'));
        assert_same_as_read_anew(&file)?;
    }

    #[test]
    fn removing_a_case_removes_its_line(
        text in file_text(),
        pick in any::<prop::sample::Index>(),
    ) {
        let (mut file, _) = read(&text);
        prop_assume!(!file.is_empty());
        let before = file.len();
        let id = file.ids().nth(pick.index(before)).unwrap().to_owned();
        file.remove(&id).unwrap();
        prop_assert_eq!(file.len(), before - 1);
        prop_assert!(file.get(&id).is_none());
        assert_same_as_read_anew(&file)?;
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(\\{|\\}|\"|id|inputs|:|,|\\\\u[0-9a-f]{0,4}|é|\n|\r|[0-9]|\\[|\\]| ){0,60}") {
        let (file, _) = read(&text);
        prop_assert_eq!(file.text(), text);
    }
}

/// The incremental view after an edit is the one that reading the new text gives.
fn assert_same_as_read_anew(file: &CaseFile) -> Result<(), TestCaseError> {
    let (anew, _) = read(file.text());
    let view = |file: &CaseFile| {
        file.ids()
            .map(|id| (id.to_owned(), file.span(id), file.get(id).map(|case| case.to_row())))
            .collect::<Vec<_>>()
    };
    prop_assert_eq!(view(file), view(&anew));
    Ok(())
}
