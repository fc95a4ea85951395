//! Images and other media of a request that are files of the project.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chat::{Part, Request};

/// Larger files are not sent: 20 MiB.
const LARGEST: u64 = 20 << 20;

/// Replaces every media part that names a file of the project by its content.
///
/// URLs stay as they are. A path must lead to a file inside the project, symbolic links followed.
pub(crate) fn embed(root: &Path, request: &mut Request) -> Result<(), String> {
    for message in &mut request.messages {
        for part in &mut message.parts {
            let Part::Media { url, content_type } = part else { continue };
            if url.starts_with("https:") || url.starts_with("http:") || url.starts_with("data:") {
                continue;
            }
            let path = project::resolve_inside(root, url).map_err(|error| error.to_string())?;
            let bytes =
                files::read_bytes_up_to(&path, LARGEST).map_err(|error| error.to_string())?;
            let kind = content_type.clone().or_else(|| kind_of(url).map(str::to_owned));
            let kind = kind.ok_or_else(|| {
                format!("the kind of {url} is unknown; name it with `contentType`")
            })?;
            *url = format!("data:{kind};base64,{}", STANDARD.encode(&bytes));
            *content_type = Some(kind);
        }
    }
    Ok(())
}

fn kind_of(path: &str) -> Option<&'static str> {
    let end = path.rsplit('.').next()?.to_ascii_lowercase();
    Some(match end.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use chat::{Message, OutputFormat, Role, Sampling, ToolChoice};

    use super::*;

    fn request(url: &str) -> Request {
        Request {
            model: "a/b".parse().unwrap(),
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Media { url: url.to_owned(), content_type: None }],
            }],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            output: OutputFormat::Text,
            sampling: Sampling::default(),
        }
    }

    #[test]
    fn a_file_inside_the_project_is_sent_and_one_outside_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        files::write_atomic(&root.join("a.png"), b"abc").unwrap();
        let mut inside = request("a.png");
        embed(&root, &mut inside).unwrap();
        let Part::Media { url, .. } = &inside.messages[0].parts[0] else { panic!("media") };
        assert_eq!(url, "data:image/png;base64,YWJj");
        assert!(embed(&root, &mut request("../a.png")).is_err());
        assert!(embed(&root, &mut request("/etc/hostname")).is_err());
        let mut remote = request("https://a.example/a.png");
        embed(&root, &mut remote).unwrap();
        assert_eq!(remote, request("https://a.example/a.png"));
    }
}
