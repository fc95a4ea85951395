use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::canonical_json;
use crate::json::canonical_object;

/// A SHA-256 that identifies content; as text, 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Returns the hash of raw bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the hash of the line `tag`, a newline, and the [`canonical_json`] of `value`.
    ///
    /// The tag names the kind and format version (`trysquare-prompt-v1`), so that two kinds of
    /// document never share a hash.
    pub fn of_document(tag: &str, value: &Value) -> Self {
        Self::of_canonical(tag, &canonical_json(value))
    }

    /// Returns the hash of an object as [`ContentHash::of_document`] does, of members that are given
    /// one by one, each key once.
    pub fn of_members(tag: &str, members: &[(&str, &Value)]) -> Self {
        Self::of_canonical(tag, &canonical_object(members))
    }

    fn of_canonical(tag: &str, document: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(tag.as_bytes());
        hasher.update(b"\n");
        hasher.update(document.as_bytes());
        Self(hasher.finalize().into())
    }

    /// Returns the hash of everything that a reader yields, read in pieces.
    ///
    /// # Errors
    /// The reader's.
    pub fn of_reader(mut reader: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(Self(hasher.finalize().into())),
                read => hasher.update(&piece[..read]),
            }
        }
    }

    /// Wraps 32 bytes that [`ContentHash::as_bytes`] returned.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Returns the 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first 12 hex digits, the form that people read.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]));
        }
        f.write_str(str::from_utf8(&text).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({})", self.short())
    }
}

/// The text is not 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a content hash: expected 64 lower-case hex digits")]
pub struct ParseHashError(String);

impl FromStr for ContentHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseHashError(text.chars().take(80).collect());
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(bad());
        }
        let mut digest = [0u8; 32];
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            *byte =
                nibble(pair[0]).zip(nibble(pair[1])).map(|(h, l)| h << 4 | l).ok_or_else(bad)?;
        }
        Ok(Self(digest))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_form_round_trips() {
        let hash = ContentHash::of_bytes(b"abc");
        assert_eq!(
            hash.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(hash.to_string().parse::<ContentHash>().unwrap(), hash);
        assert_eq!(hash.short(), "ba7816bf8f01");
    }

    #[test]
    fn the_hash_of_a_reader_is_the_hash_of_its_bytes() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        assert_eq!(
            ContentHash::of_reader(bytes.as_slice()).unwrap(),
            ContentHash::of_bytes(&bytes)
        );
    }

    #[test]
    fn an_object_and_its_members_have_one_hash() {
        let value =
            json!({"b": {"y": 1, "x": [1.50, null]}, "\u{fb33}": 2, "\u{1f600}": "text", "a": 3});
        let members: Vec<_> =
            value.as_object().unwrap().iter().map(|(key, member)| (key.as_str(), member)).collect();
        assert_eq!(
            ContentHash::of_members("tag-v1", &members),
            ContentHash::of_document("tag-v1", &value)
        );
    }

    #[test]
    fn upper_case_and_short_text_are_refused() {
        assert!("BA".repeat(32).parse::<ContentHash>().is_err());
        assert!("ba7816bf8f01".parse::<ContentHash>().is_err());
    }

    #[test]
    fn whole_numbers_keep_all_their_digits() {
        let value =
            json!([9_007_199_254_740_992_u64, 9_007_199_254_740_993_u64, i64::MIN, u64::MAX]);
        assert_eq!(
            canonical_json(&value),
            "[9007199254740992,9007199254740993,-9223372036854775808,18446744073709551615]"
        );
        let hash = |id: u64| ContentHash::of_document("t", &json!({ "id": id }));
        assert_ne!(hash(9_007_199_254_740_992), hash(9_007_199_254_740_993));
    }

    #[test]
    fn document_hash_ignores_key_order_and_depends_on_the_tag() {
        let a = json!({"b": 1.0, "a": [true, null]});
        let b = json!({"a": [true, null], "b": 1});
        assert_eq!(ContentHash::of_document("t", &a), ContentHash::of_document("t", &b));
        assert_ne!(ContentHash::of_document("t", &a), ContentHash::of_document("u", &a));
    }
}
