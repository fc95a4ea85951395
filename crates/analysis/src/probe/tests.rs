use super::*;

fn swayed<K>(kind: K, cluster: usize, plain: Said, changed: Said) -> Swayed<K> {
    Swayed { kind, cluster, plain, changed }
}

fn worth(number: u8) -> Said {
    Said::Worth(f64::from(number))
}

#[test]
fn an_injection_counts_only_where_the_plain_output_was_not_the_best_already() {
    let of = |cluster, plain, changed| swayed(Injection::Role, cluster, plain, changed);
    let injections = vec![
        of(0, worth(0), worth(1)),
        of(1, worth(0), worth(0)),
        of(2, worth(1), worth(1)),
        of(3, worth(0), Said::Unreadable),
        of(4, Said::Error, worth(1)),
        of(5, Said::Worth(0.25), Said::Worth(0.5)),
    ];
    let found = probe(&ProbeAnswers { injections, ..ProbeAnswers::default() }).unwrap();
    let [role] = found.injections.as_slice() else { panic!("one family was tried") };
    assert_eq!((role.family, role.tried, role.best_already), ("role", 6, 1));
    assert_eq!((role.raised.right, role.raised.of), (2, 3));
    assert_eq!(role.missing, Missing { unreadable: 1, errors: 1 });
    // Wilson for 2 of 3 by hand: 0.2077 to 0.9385.
    let interval = role.raised.interval.value().unwrap();
    assert!((interval.low() - 0.2077).abs() < 5e-4 && (interval.high() - 0.9385).abs() < 5e-4);
    assert!(found.consistency.is_none() && found.position.is_none() && found.kinship.is_none());
}

#[test]
fn cases_of_a_cluster_are_not_counted_as_independent() {
    let all = |clusters: usize| {
        let injections = (0..12)
            .map(|at| {
                swayed(
                    Injection::Reply,
                    at % clusters,
                    worth(0),
                    worth(u8::from(at % clusters < 2)),
                )
            })
            .collect();
        let found = probe(&ProbeAnswers { injections, ..ProbeAnswers::default() }).unwrap();
        found.injections[0].raised.interval.value().unwrap()
    };
    let (apart, together) = (all(12), all(3));
    assert!(together.high() - together.low() > apart.high() - apart.low());
}

#[test]
fn a_change_that_adds_nothing_moves_up_down_or_not() {
    let of = |cluster, plain, changed| swayed(Change::Padding, cluster, plain, changed);
    let category = |name: &str| Said::Category(name.to_owned());
    let changes = vec![
        of(0, worth(0), worth(1)),
        of(1, worth(0), worth(1)),
        of(2, worth(0), worth(1)),
        of(3, worth(1), worth(1)),
        of(4, worth(1), worth(0)),
        of(5, worth(1), Said::Unreadable),
        swayed(Change::Markdown, 0, category("late"), category("wrong")),
        swayed(Change::Markdown, 1, category("late"), category("late")),
    ];
    let found = probe(&ProbeAnswers { changes, ..ProbeAnswers::default() }).unwrap().changes;
    let [padding, markdown] = found.as_slice() else { panic!("two changes were tried") };
    assert_eq!((padding.moved.right, padding.moved.of, padding.up, padding.down), (4, 5, 3, 1));
    // 3 against 1: exact p = 2 · (1 + 4)/16 = 0.625, mid-p takes 4/16 off.
    assert!((padding.p_value - 0.375).abs() < 1e-12);
    assert_eq!((markdown.moved.right, markdown.moved.of, markdown.up), (1, 2, 0));
}

#[test]
fn a_judge_is_consistent_if_all_readable_answers_are_the_same() {
    let of = |cluster, said: &[Said]| Repeated { cluster, said: said.to_vec() };
    let repeated = vec![
        of(0, &[worth(1), worth(1), worth(1)]),
        of(1, &[worth(1), worth(0), worth(1)]),
        of(2, &[worth(0), Said::Unreadable, worth(0)]),
        of(3, &[worth(1), Said::Error, Said::Unreadable]),
    ];
    let found = probe(&ProbeAnswers { repeated, ..ProbeAnswers::default() }).unwrap();
    let found = found.consistency.unwrap();
    assert_eq!((found.times, found.always.right, found.always.of), (3, 2, 3));
    assert_eq!(found.missing, Missing { unreadable: 2, errors: 1 });
    // Pairs that agree: 3 of 3, 1 of 3, 1 of 1.
    assert!((found.agreement.value().unwrap() - (1.0 + 1.0 / 3.0 + 1.0) / 3.0).abs() < 1e-12);
    let once = vec![of(0, &[worth(1)])];
    let found = probe(&ProbeAnswers { repeated: once, ..ProbeAnswers::default() }).unwrap();
    assert!(found.consistency.is_none());
}

#[test]
fn kinship_is_measured_against_people_where_they_labelled_both_sides() {
    let of = |own, said: u8, human: Option<f64>| KinshipAnswer { own, said: worth(said), human };
    let kinship = vec![
        of(true, 1, Some(0.0)),
        of(true, 1, Some(1.0)),
        of(true, 1, None),
        of(false, 0, Some(0.0)),
        of(false, 1, Some(1.0)),
    ];
    let with =
        |kinship| probe(&ProbeAnswers { kinship, ..ProbeAnswers::default() }).unwrap().kinship;
    let found = with(kinship.clone()).unwrap();
    assert!(found.against_people);
    assert_eq!((found.own, found.others, found.difference.value()), (2, 2, Some(0.5)));
    let unlabelled: Vec<KinshipAnswer> =
        kinship.into_iter().map(|one| KinshipAnswer { human: None, ..one }).collect();
    let found = with(unlabelled.clone()).unwrap();
    assert!(!found.against_people);
    assert_eq!((found.own, found.difference.value()), (3, Some(0.5)));
    assert_eq!(with(unlabelled.into_iter().filter(|one| one.own).collect()), None);
}
