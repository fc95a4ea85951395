use crate::PrepareError;

use super::json::refuse;

/// Media of a message, as the wire protocols want it: bytes or a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Media<'a> {
    /// Bytes in base64.
    Inline {
        /// Their MIME type.
        mime: &'a str,
        /// The base64 text.
        base64: &'a str,
    },
    /// A URL that the provider fetches.
    Remote {
        /// The URL.
        url: &'a str,
        /// Its MIME type, where known.
        mime: Option<&'a str>,
    },
}

impl<'a> Media<'a> {
    /// Reads the URL of a media part.
    ///
    /// # Errors
    /// [`PrepareError`] for a data URL that is not base64, and for a URL that no provider could fetch.
    pub(super) fn read(url: &'a str, content_type: Option<&'a str>) -> Result<Self, PrepareError> {
        if let Some(data) = url.strip_prefix("data:") {
            let broken = || refuse("a data URL is not `data:TYPE;base64,DATA`", None);
            let (head, base64) = data.split_once(',').ok_or_else(broken)?;
            let mime = head.strip_suffix(";base64").ok_or_else(broken)?;
            let mime = mime.split(';').next().filter(|mime| !mime.is_empty()).or(content_type);
            return Ok(Self::Inline { mime: mime.ok_or_else(broken)?, base64 });
        }
        if url.starts_with("https://") || url.starts_with("http://") || url.starts_with("gs://") {
            return Ok(Self::Remote { url, mime: content_type });
        }
        Err(refuse(
            format!("`{}` is not a URL that a provider can fetch", clipped(url)),
            Some("use https:, or a file of the project, which becomes a data URL"),
        ))
    }

    /// Refuses what is not an image.
    ///
    /// # Errors
    /// [`PrepareError`] for another type.
    pub(super) fn image(url: &'a str, content_type: Option<&'a str>) -> Result<Self, PrepareError> {
        let media = Self::read(url, content_type)?;
        let mime = match media {
            Self::Inline { mime, .. } => Some(mime),
            Self::Remote { mime, .. } => mime,
        };
        match mime {
            Some(mime) if !mime.starts_with("image/") => Err(refuse(
                format!("media of type `{mime}`: this protocol takes images only"),
                None,
            )),
            _ => Ok(media),
        }
    }
}

fn clipped(url: &str) -> String {
    url.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_taken_apart() {
        assert_eq!(
            Media::image("data:image/png;base64,AAAA", None).unwrap(),
            Media::Inline { mime: "image/png", base64: "AAAA" }
        );
        assert_eq!(
            Media::image("https://a.example/x.png", None).unwrap(),
            Media::Remote { url: "https://a.example/x.png", mime: None }
        );
        for bad in ["data:image/png,AAAA", "data:;base64,AAAA", "cat.png", "file:///etc/passwd"] {
            assert!(Media::read(bad, None).is_err(), "{bad}");
        }
        assert!(Media::image("data:application/pdf;base64,AAAA", None).is_err());
    }
}
