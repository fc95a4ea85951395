//! Certificates of judges, which lie beside them.

use std::path::Path;

use evalset::{Certificate, CertificateError};
use files::{FileError, Snapshot};

use crate::{Project, SetFile};

impl Project {
    /// Reads the certificate of a judge, `judges/NAME.trust.json`.
    ///
    /// One that is no certificate comes back as an error beside a file without content: what it
    /// says must not be taken for "never calibrated".
    ///
    /// # Errors
    /// [`FileError`] if it is there and cannot be read.
    pub fn certificate(
        &self,
        judge: &str,
    ) -> Result<(SetFile<Certificate>, Option<CertificateError>), FileError> {
        let path = Path::new("judges").join(format!("{judge}.trust.json"));
        let whole = self.root.join(&path);
        let Some(text) = files::read_text_if_present(&whole)? else {
            let snapshot = Snapshot::absent(&whole);
            return Ok((SetFile { path, text: None, content: None, snapshot }, None));
        };
        let snapshot = Snapshot::of(&whole, text.as_bytes());
        let (content, error) = match Certificate::read(&path.to_string_lossy(), &text) {
            Ok(certificate) => (Some(certificate), None),
            Err(error) => (None, Some(error)),
        };
        Ok((SetFile { path, text: Some(text), content, snapshot }, error))
    }
}
