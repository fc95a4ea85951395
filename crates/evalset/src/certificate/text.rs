use serde_json::Value;
use values::row_json;

use super::{CERTIFICATE_FORMAT, Certificate};

/// A certificate that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is no certificate.
    #[error("{name}: {message}")]
    Malformed {
        /// The file.
        name: String,
        /// What was found, with line and column.
        message: String,
    },
    /// A newer version wrote it.
    #[error("{name}: found format {found}, expected {CERTIFICATE_FORMAT}: update Trysquare")]
    Format {
        /// The file.
        name: String,
        /// The format that it names.
        found: u64,
    },
    /// Two entries are about the same criterion of the same set.
    #[error("{name}: two calibrations on {criterion} of {set}")]
    Duplicate {
        /// The file.
        name: String,
        /// The eval set.
        set: String,
        /// The criterion.
        criterion: String,
    },
}

/// Containers from this depth on stand on one line.
const COMPACT_FROM: usize = 4;

impl Certificate {
    /// Reads a certificate; `name` is the path that errors show.
    ///
    /// # Errors
    /// [`CertificateError`] if the text is no certificate of this format. A certificate that is read
    /// in part would be a false claim, so there is none.
    pub fn read(name: &str, text: &str) -> Result<Self, CertificateError> {
        let malformed = |error: serde_json::Error| CertificateError::Malformed {
            name: name.to_owned(),
            message: error.to_string(),
        };
        let document: Value = serde_json::from_str(text).map_err(malformed)?;
        if let Some(found) = document.get("format").and_then(Value::as_u64)
            && found != u64::from(CERTIFICATE_FORMAT)
        {
            return Err(CertificateError::Format { name: name.to_owned(), found });
        }
        let mut certificate: Self = serde_json::from_str(text).map_err(malformed)?;
        certificate.sort();
        let twice = certificate
            .calibrations
            .windows(2)
            .find(|pair| (&pair[0].set, &pair[0].criterion) == (&pair[1].set, &pair[1].criterion));
        if let Some([entry, _]) = twice {
            return Err(CertificateError::Duplicate {
                name: name.to_owned(),
                set: entry.set.clone(),
                criterion: entry.criterion.clone(),
            });
        }
        Ok(certificate)
    }

    /// Returns the canonical text: keys in the documented order, entries by set and criterion, each
    /// key of an entry on a line of its own.
    pub fn to_text(&self) -> String {
        let mut sorted = self.clone();
        sorted.sort();
        let document =
            serde_json::to_value(&sorted).expect("its keys are text, its numbers finite");
        let mut text = String::new();
        write(&document, 0, &mut text);
        text.push('\n');
        text
    }
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let indent = |depth: usize, out: &mut String| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Object(members) if depth < COMPACT_FROM && !members.is_empty() => {
            out.push('{');
            for (place, (key, member)) in members.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                out.push_str(&row_json(&Value::String(key.clone())));
                out.push_str(": ");
                write(member, depth + 1, out);
            }
            indent(depth, out);
            out.push('}');
        }
        Value::Array(items) if depth < COMPACT_FROM && !items.is_empty() => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                write(item, depth + 1, out);
            }
            indent(depth, out);
            out.push(']');
        }
        _ => out.push_str(&row_json(value)),
    }
}
