//! Notes that share words, as a suggestion of what may be one kind of failure.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a word that count: what follows is mostly grammar ("invented", "invents").
const STEM: usize = 5;
/// Shorter words say little in languages that write them.
const SHORTEST: usize = 3;
/// The terms of a note that count, the weightiest.
const TERMS: usize = 32;
/// With how many of the notes that share a term a note is compared.
const WINDOW: usize = 64;
/// The nearest notes that each note may be grouped with directly.
const NEIGHBOURS: usize = 8;
/// How alike the notes of two groups must be on average to become one.
const ALIKE: f64 = 0.2;
/// The words that describe a group.
const WORDS: usize = 3;

/// Notes that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarNotes {
    /// Their places in what was given, in order; two or more.
    pub notes: Vec<usize>,
    /// The one that is most like the others.
    pub typical: usize,
    /// Words that set them apart, the weightiest first.
    pub words: Vec<String>,
}

/// Groups notes by the words that they share, the largest group first. A note like no other is in
/// none.
///
/// A note is a vector of unit length of term weights tf · ln((1 + n) / (1 + df)); terms are words cut to
/// five letters, numbers, and pairs of signs in scripts that do not part words. Groups grow from the most alike
/// pair on; two become one if the mean cosine of all pairs between them reaches 0.2 (average linkage
/// over the pairs that were compared, in one pass). The same notes give the same groups; their order
/// decides only between equals.
///
/// Each note is compared with at most 64 others for each of at most 32 terms, so that time grows with
/// the number of notes, not with its square. With up to 65 notes no pair that shares a term is missed.
///
/// # Source
/// Salton & Buckley (1988), Information Processing & Management 24, 513–523 (term weights); Sokal &
/// Michener (1958) (average linkage).
pub fn similar_notes(notes: &[&str]) -> Vec<SimilarNotes> {
    let vectors = Vectors::of(notes);
    let mut groups = Groups::singles(&vectors.notes);
    for edge in vectors.edges() {
        groups.join(edge.a, edge.b);
    }
    let mut found: Vec<SimilarNotes> = groups
        .members()
        .into_iter()
        .filter(|(_, members)| members.len() > 1)
        .map(|(root, members)| {
            let centre = &groups.sums[root];
            let nearness = |note: &usize| dot(&vectors.notes[*note], centre);
            let typical = members
                .iter()
                .copied()
                .reduce(|best, note| if nearness(&note) > nearness(&best) { note } else { best });
            SimilarNotes {
                typical: typical.unwrap_or(root),
                words: vectors.words(centre),
                notes: members,
            }
        })
        .collect();
    found.sort_by_key(|group| (std::cmp::Reverse(group.notes.len()), group.notes.clone()));
    found
}

/// Weights by term, in the order of terms.
type Vector = Vec<(usize, f64)>;

/// Two notes that are alike.
struct Edge {
    a: usize,
    b: usize,
    cosine: f64,
}

struct Vectors {
    notes: Vec<Vector>,
    /// The notes of each term, in order.
    postings: Vec<Vec<usize>>,
    /// How each term was written most often.
    spelled: Vec<String>,
}

impl Vectors {
    fn of(notes: &[&str]) -> Self {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let mut spellings: Vec<BTreeMap<String, usize>> = Vec::new();
        let mut counts: Vec<BTreeMap<usize, u32>> = Vec::new();
        for note in notes {
            let mut own: BTreeMap<usize, u32> = BTreeMap::new();
            for (term, word) in terms(note) {
                let next = numbers.len();
                let number = *numbers.entry(term).or_insert(next);
                if number == spellings.len() {
                    spellings.push(BTreeMap::new());
                }
                *spellings[number].entry(word).or_default() += 1;
                *own.entry(number).or_default() += 1;
            }
            counts.push(own);
        }
        let mut frequency = vec![0usize; numbers.len()];
        for number in counts.iter().flat_map(BTreeMap::keys) {
            frequency[*number] += 1;
        }
        let all = 1.0 + real(notes.len());
        let weigh = |(number, times): (&usize, &u32)| {
            (*number, f64::from(*times) * (all / (1.0 + real(frequency[*number]))).ln())
        };
        let notes: Vec<Vector> =
            counts.iter().map(|own| unit(own.iter().map(weigh).collect())).collect();
        let mut postings = vec![Vec::new(); numbers.len()];
        for (note, vector) in notes.iter().enumerate() {
            for (number, _) in vector {
                postings[*number].push(note);
            }
        }
        let most = |all: BTreeMap<String, usize>| {
            let most = all.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
            most.map(|(word, _)| word).unwrap_or_default()
        };
        Self { notes, postings, spelled: spellings.into_iter().map(most).collect() }
    }

    /// Returns the pairs by which groups grow, the most alike first.
    fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (note, vector) in self.notes.iter().enumerate() {
            let mut near: BTreeSet<usize> = BTreeSet::new();
            for (number, _) in vector {
                let posting = &self.postings[*number];
                let after = posting.partition_point(|other| *other <= note);
                near.extend(posting[after..].iter().take(WINDOW));
            }
            let compared = near.into_iter().map(|other| Edge {
                a: note,
                b: other,
                cosine: dot(vector, &self.notes[other]),
            });
            let mut alike: Vec<Edge> = compared.filter(|edge| edge.cosine >= ALIKE).collect();
            alike.sort_by(by_likeness);
            alike.truncate(NEIGHBOURS);
            edges.append(&mut alike);
        }
        edges.sort_by(by_likeness);
        edges
    }

    fn words(&self, centre: &Vector) -> Vec<String> {
        let mut weighed: Vec<(f64, usize)> =
            centre.iter().map(|(term, weight)| (*weight, *term)).collect();
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        weighed.into_iter().take(WORDS).map(|(_, term)| self.spelled[term].clone()).collect()
    }
}

fn by_likeness(one: &Edge, other: &Edge) -> Ordering {
    other.cosine.total_cmp(&one.cosine).then((one.a, one.b).cmp(&(other.a, other.b)))
}

/// Groups that grow, as a union-find whose roots keep the sum of their notes' vectors.
struct Groups {
    parents: Vec<usize>,
    sums: Vec<Vector>,
    sizes: Vec<usize>,
}

impl Groups {
    fn singles(notes: &[Vector]) -> Self {
        let count = notes.len();
        Self { parents: (0..count).collect(), sums: notes.to_vec(), sizes: vec![1; count] }
    }

    fn root(&mut self, note: usize) -> usize {
        let mut at = note;
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    /// Makes one group of two, if their notes are alike on average.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        // The sum over all pairs of cosines is the product of the sums, for vectors of unit length.
        let pairs = real(self.sizes[a]) * real(self.sizes[b]);
        if dot(&self.sums[a], &self.sums[b]) < ALIKE * pairs {
            return;
        }
        let (into, from) = (a.min(b), a.max(b));
        self.parents[from] = into;
        self.sizes[into] += self.sizes[from];
        let gone = std::mem::take(&mut self.sums[from]);
        self.sums[into] = added(&self.sums[into], &gone);
    }

    fn members(&mut self) -> BTreeMap<usize, Vec<usize>> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for note in 0..self.parents.len() {
            let root = self.root(note);
            members.entry(root).or_default().push(note);
        }
        members
    }
}

/// Returns the terms of a text, each with the word that it stands for.
fn terms(text: &str) -> Vec<(String, String)> {
    let text = text.to_lowercase();
    let mut found = Vec::new();
    for word in text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let signs: Vec<char> = word.chars().collect();
        if signs.iter().any(|sign| is_unparted(*sign)) {
            let size = signs.len().min(2);
            found.extend(signs.windows(size).map(|pair| {
                let pair: String = pair.iter().collect();
                (pair.clone(), pair)
            }));
        } else if word.contains(char::is_numeric) {
            found.push((word.to_owned(), word.to_owned()));
        } else if signs.len() >= SHORTEST {
            found.push((signs.iter().take(STEM).collect(), word.to_owned()));
        }
    }
    found
}

/// Tells whether a sign is of a script that does not part words: Thai to Khmer, kana, and Han.
fn is_unparted(sign: char) -> bool {
    matches!(
        u32::from(sign),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x4dbf
            | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x323af
    )
}

/// Returns the weightiest terms as a vector of length 1; empty if nothing weighs.
fn unit(mut vector: Vector) -> Vector {
    vector.retain(|(_, weight)| *weight > 0.0);
    vector.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    vector.truncate(TERMS);
    vector.sort_by_key(|(term, _)| *term);
    let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
    vector.into_iter().map(|(term, weight)| (term, weight / length)).collect()
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    let (mut at, mut sum) = (0, 0.0);
    for (term, weight) in a {
        while b.get(at).is_some_and(|(other, _)| other < term) {
            at += 1;
        }
        if let Some((other, more)) = b.get(at)
            && other == term
        {
            sum += weight * more;
        }
    }
    sum
}

fn added(a: &Vector, b: &Vector) -> Vector {
    let mut sum = Vec::with_capacity(a.len() + b.len());
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    while let (Some((one, weight)), Some((other, more))) = (left.peek(), right.peek()) {
        match one.cmp(other) {
            Ordering::Less => sum.extend(left.next()),
            Ordering::Greater => sum.extend(right.next()),
            Ordering::Equal => {
                sum.push((*one, weight + more));
                left.next();
                right.next();
            }
        }
    }
    sum.extend(left);
    sum.extend(right);
    sum
}

fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOTES: [&str; 12] = [
        "wrong order number",
        "promises a refund that nobody promised",
        "the number is of another order",
        "rude to the customer",
        "invents an order number",
        "promised a refund",
        "sounds rude and short",
        "order number invented",
        "refunds are promised again",
        "rude",
        "answers in the wrong language",
        "",
    ];

    #[test]
    fn notes_that_share_telling_words_are_grouped_and_described() {
        let groups = similar_notes(&NOTES);
        let members: Vec<_> = groups.iter().map(|group| group.notes.as_slice()).collect();
        assert_eq!(members, [&[0, 2, 4, 7][..], &[1, 5, 8], &[3, 6, 9]]);
        let words: Vec<_> = groups.iter().map(|group| group.words[0].as_str()).collect();
        assert_eq!(words, ["order", "promised", "rude"]);
        assert_eq!(groups[2].typical, 9);
    }

    #[test]
    fn terms_are_stems_of_words_and_pairs_where_words_are_not_parted() {
        let terms = |text| terms(text).into_iter().map(|(term, _)| term).collect::<Vec<_>>();
        assert_eq!(
            terms("It INVENTED 2 facts of A-471112, odd!"),
            ["inven", "2", "facts", "471112", "odd"]
        );
        assert_eq!(terms("番号が違う"), ["番号", "号が", "が違", "違う"]);
    }

    #[test]
    fn nothing_and_equal_notes_are_no_trouble() {
        assert!(similar_notes(&[]).is_empty());
        assert!(similar_notes(&["", "...", "a"]).is_empty());
        // A word that every note has tells nothing.
        assert!(similar_notes(&["wrong", "wrong", "wrong"]).is_empty());
        let found = similar_notes(&["wrong tone", "wrong tone", "other words here"]);
        assert_eq!(found[0].notes, [0, 1]);
    }

    #[test]
    fn many_notes_are_grouped_by_their_kind_without_comparing_each_with_each() {
        let texts: Vec<String> = (0..2_000)
            .map(|note| {
                let kind = note % 20;
                format!("aa{kind} bb{kind} cc{kind} detail{}", note / 20 % 23)
            })
            .collect();
        let notes: Vec<&str> = texts.iter().map(String::as_str).collect();
        let edges = Vectors::of(&notes).edges();
        assert!(edges.len() <= NEIGHBOURS * notes.len());
        let groups = similar_notes(&notes);
        assert_eq!(groups.iter().map(|group| group.notes.len()).sum::<usize>(), 2_000);
        for group in &groups {
            let kind = group.notes[0] % 20;
            assert!(group.notes.iter().all(|note| note % 20 == kind), "{:?}", group.words);
        }
    }

    proptest! {
        #[test]
        fn groups_are_disjoint_alike_and_the_same_again(
            notes in prop::collection::vec(
                prop::collection::vec(
                    prop::sample::select(vec!["wrong", "rude", "late", "number", "refund", "the"]),
                    0..5,
                ),
                0..30,
            ),
        ) {
            let notes: Vec<String> = notes.iter().map(|words| words.join(" ")).collect();
            let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
            let groups = similar_notes(&notes);
            prop_assert_eq!(&similar_notes(&notes), &groups);
            let mut seen = BTreeSet::new();
            let vectors = Vectors::of(&notes);
            for group in &groups {
                prop_assert!(group.notes.len() > 1 && group.notes.contains(&group.typical));
                for note in &group.notes {
                    prop_assert!(seen.insert(*note), "in two groups");
                    let others = group.notes.iter().filter(|other| *other != note);
                    let shares = |other: &usize| dot(&vectors.notes[*note], &vectors.notes[*other]);
                    prop_assert!(others.map(shares).fold(0.0, f64::max) > 0.0);
                }
            }
        }
    }
}
