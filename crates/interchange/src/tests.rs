use evalset::{Act, LabelRow, LabelValue, Labels, Preference, Reference};

use super::*;

fn mapping(text: &str) -> LabelMap {
    let (map, found) = LabelMap::read("map.yaml", text);
    assert!(found.is_empty(), "{found:#?}");
    map.unwrap()
}

fn import(map: &LabelMap, format: RowFormat, text: &str) -> (Vec<ImportedRow>, Vec<String>) {
    let mut rows = Vec::new();
    let done =
        import_labels(map, format, text.as_bytes(), &|_| None, &mut |row| rows.push(row)).unwrap();
    (rows, done.bad.iter().map(ToString::to_string).collect())
}

const PAIRS: &str = r"
source: pairs
case: id
cluster: app
outputs: [{length: len_1}, {length: len_2}]
labels:
  - criterion: better
    value: human
    labeller: annotator{n}
    map: {0: tie, 1: a, 2: b}
judges:
  - name: model
    criterion: better
    orders: {ab: m.ab, ba: m.ba}
    map: {1: a, 2: b}
";

const PAIR: &str = r#"{"id": 7, "app": "x", "human": [1, 1, 0], "m": {"ab": 1, "ba": null}, "len_1": 60, "len_2": 46}"#;

#[test]
fn a_row_of_a_pair_gives_labels_of_each_person_and_verdicts_of_both_orders() {
    let (rows, bad) = import(&mapping(PAIRS), RowFormat::Jsonl, PAIR);
    assert_eq!(bad, Vec::<String>::new());
    let row = &rows[0];
    assert_eq!((row.case.id.as_str(), row.case.cluster.as_deref()), ("7", Some("x")));
    let said: Vec<_> =
        row.labels.iter().map(|label| (label.labeller.as_str(), &label.act)).collect();
    let prefers = |which| Act::Label(LabelValue::Prefers(which));
    let (a, tie) = (prefers(Preference::A), prefers(Preference::Tie));
    assert_eq!(said, [("annotator1", &a), ("annotator2", &a), ("annotator3", &tie)]);
    let external = &row.labels[0].external;
    assert_eq!((external[0].id.as_str(), external[0].length), ("7/a", Some(60)));
    assert_eq!((external[1].id.as_str(), external[1].length), ("7/b", Some(46)));
    let verdicts: Vec<_> = row.verdicts.iter().map(|one| (one.shown, one.value.clone())).collect();
    let first = LabelValue::Prefers(Preference::A);
    assert_eq!(verdicts, [(Shown::AFirst, Some(first)), (Shown::BFirst, None)]);
    let labels = Labels::of(row.labels.iter().cloned().map(|e| LabelRow::Event(Box::new(e))));
    let subject = &row.labels[0].subject;
    let reference = labels.reference(subject);
    assert_eq!(reference, Reference::Majority(LabelValue::Prefers(Preference::A)));
}

#[test]
fn the_same_rows_in_any_format_and_order_give_the_same_events() {
    let text = "source: s\ncase: id\noutput: answer\nlabels:\n\
                - {criterion: good, value: v, labeller_from: who, map: {1: pass, 0: fail}}\n";
    let map = mapping(text);
    let csv = "id,answer,who,v\na,x,ann,1\nb,\"y, z\",bob,0\n";
    let jsonl = "{\"id\":\"b\",\"answer\":\"y, z\",\"who\":\"bob\",\"v\":0}\n\n\
                 {\"id\":\"a\",\"answer\":\"x\",\"who\":\"ann\",\"v\":1}\n";
    let list = format!("\u{feff}[{}]", jsonl.trim().replace("\n\n", ",\n"));
    let events = |format, text: &str| {
        let (rows, bad) = import(&map, format, text);
        assert_eq!(bad, Vec::<String>::new());
        let mut events: Vec<_> = rows.into_iter().flat_map(|row| row.labels).collect();
        events.sort_by_key(|event| event.id);
        events
    };
    let by_csv = events(RowFormat::Csv, csv);
    assert_eq!(by_csv.len(), 2);
    assert_eq!(by_csv, events(RowFormat::Jsonl, jsonl));
    assert_eq!(by_csv, events(RowFormat::Json, &list));
}

#[test]
fn a_bad_row_is_named_with_its_place_and_the_others_are_read() {
    let (rows, bad) = import(
        &mapping(PAIRS),
        RowFormat::Json,
        "[\n  {\"id\": \"é\",\n   \"human\": [1, 9],\n   \"len_1\": -1},\n  {\"human\": [1]}, 5,\n  \
         {\"id\": 3, \"human\": [2]}, {\"id\": 4 \"human\": 1}\n]",
    );
    assert_eq!(rows.len(), 1);
    insta::assert_snapshot!(bad.join("\n"), @r"
    line 4, column 13: `len_1` is no length in characters
    line 3, column 17: `human`: found `9`, expected one of 0, 1, 2
    line 5, column 3: `id` is missing
    line 5, column 19: found no object, expected one with the names of the mapping
    line 6, column 37: this is not JSON: expected `,` or `}`
    ");
    let (rows, bad) = import(
        &mapping("source: s\ncase: id\nlabels: [{criterion: c, value: v, labeller: x}]"),
        RowFormat::Csv,
        "id,v\na,pass\nb\nc,perhaps\nd,\n",
    );
    assert_eq!(rows.len(), 2);
    assert!(rows[1].labels.is_empty(), "an empty field is no label");
    insta::assert_snapshot!(bad.join("\n"), @r"
    line 3, column 1: found 1 fields, expected 2 as in the first line
    line 4, column 2: `v`: found `perhaps`, expected pass or fail
    ");
}

#[test]
fn a_file_that_ends_early_or_has_another_form_is_refused() {
    let map = mapping(PAIRS);
    let refused = |text: &str| {
        import_labels(&map, RowFormat::Json, text.as_bytes(), &|_| None, &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refused("[{}, {"), "line 1, column 6: the file ends inside the list");
    assert_eq!(
        refused("{\"items\": []}"),
        "line 1, column 1: expected a JSON list, which starts with `[`"
    );
    assert_eq!(refused("[] x"), "line 1, column 4: found more behind the end of the list");
}

#[test]
fn an_unclosed_quote_does_not_take_the_file_into_memory() {
    let map = mapping("source: s\ncase: id\nlabels: [{criterion: c, value: v, labeller: x}]");
    let endless = std::io::Read::chain("id,v\n\"".as_bytes(), std::io::repeat(b'x'));
    let input = std::io::BufReader::new(endless);
    let error = import_labels(&map, RowFormat::Csv, input, &|_| None, &mut |_| {}).unwrap_err();
    assert!(matches!(error, UnreadableFile::Read(_)), "{error:?}");
}

#[test]
fn a_mapping_with_mistakes_names_all_of_them() {
    let (map, found) = LabelMap::read(
        "map.yaml",
        "source: s\nformat: jsn\nlabels:\n- {criterion: c, value: '$.[', labeller: x}\n\
         - {criterion: c, value: v, map: {1: yes}}\n",
    );
    assert!(map.is_none());
    let found: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found.contains(&"the mapping needs the key `case`"), "{found:#?}");
    assert!(found.contains(&"found `yes`, expected pass or fail"), "{found:#?}");
}
