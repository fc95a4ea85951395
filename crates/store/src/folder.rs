use std::fmt;
use std::path::{Component, Path, PathBuf};

/// Something that the person should know about where the database lies. Work goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The database lies on a file system of another machine, where SQLite's locks and shared
    /// memory do not work between machines.
    NetworkFolder {
        /// The folder.
        folder: PathBuf,
        /// The kind of file system (`nfs`).
        kind: String,
    },
    /// The database lies in a folder that a program copies elsewhere file by file, which can tear
    /// it apart.
    SyncFolder {
        /// The folder.
        folder: PathBuf,
        /// The program that copies it (`Dropbox`).
        program: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetworkFolder { folder, kind } => write!(
                f,
                "{} is on a network file system ({kind}): runs and labels there can be damaged when \
                 two machines use them; keep the project on a local disk",
                folder.display()
            ),
            Self::SyncFolder { folder, program } => write!(
                f,
                "{} is copied by {program}, which can damage runs and labels: exclude `.trysquare` \
                 from it",
                folder.display()
            ),
        }
    }
}

/// Returns what is to be said of the folder of a database.
pub(crate) fn warnings(folder: &Path) -> Vec<Warning> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let network = network_kind(&folder)
        .map(|kind| Warning::NetworkFolder { folder: folder.clone(), kind: kind.to_owned() });
    let sync = sync_program(&folder)
        .map(|program| Warning::SyncFolder { folder: folder.clone(), program });
    network.into_iter().chain(sync).collect()
}

/// Returns the program that copies a folder elsewhere, by the names such programs give.
fn sync_program(folder: &Path) -> Option<String> {
    const PREFIXES: [(&str, &str); 10] = [
        ("dropbox", "Dropbox"),
        ("onedrive", "OneDrive"),
        ("google drive", "Google Drive"),
        ("googledrive", "Google Drive"),
        ("icloud drive", "iCloud Drive"),
        ("com~apple~clouddocs", "iCloud Drive"),
        ("nextcloud", "Nextcloud"),
        ("owncloud", "ownCloud"),
        ("pclouddrive", "pCloud"),
        ("box sync", "Box"),
    ];
    folder
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().to_lowercase()),
            _ => None,
        })
        .find_map(|name| {
            let known = PREFIXES.iter().find(|(prefix, _)| {
                // `Dropbox`, `Dropbox (Work)`, `OneDrive - Firm`, but not `dropbox-clone`.
                name.strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            });
            known.map(|(_, program)| (*program).to_owned())
        })
}

#[cfg(target_os = "linux")]
fn network_kind(folder: &Path) -> Option<&'static str> {
    // The magic numbers of statfs(2).
    match rustix::fs::statfs(folder).ok()?.f_type {
        0x6969 => Some("nfs"),
        0x517B => Some("smb"),
        0xFF53_4D42 => Some("cifs"),
        0xFE53_4D42 => Some("smb2"),
        0x0102_1997 => Some("9p"),
        0x5346_414F | 0x6B41_4653 => Some("afs"),
        0x00C3_6400 => Some("ceph"),
        0x7375_7245 => Some("coda"),
        0x0116_1970 => Some("gfs2"),
        0x7461_636F => Some("ocfs2"),
        0x0BD0_0BD0 => Some("lustre"),
        0x786F_4256 => Some("vboxsf"),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn network_kind(folder: &Path) -> Option<&'static str> {
    let text = folder.to_string_lossy();
    (text.starts_with(r"\\") && !text.starts_with(r"\\?\") || text.starts_with(r"\\?\UNC\"))
        .then_some("smb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_sync_programs_are_known_by_name() {
        let program = |path: &str| sync_program(Path::new(path));
        assert_eq!(program("/Users/a/Dropbox (Work)/p"), Some("Dropbox".to_owned()));
        assert_eq!(program("/Users/a/OneDrive - Firm/p"), Some("OneDrive".to_owned()));
        assert_eq!(
            program("/Users/a/Library/Mobile Documents/com~apple~CloudDocs/p"),
            Some("iCloud Drive".to_owned())
        );
        assert_eq!(program("/Users/a/dropbox-clone/p"), None);
    }

    #[test]
    fn a_local_folder_brings_no_warning() {
        assert_eq!(warnings(tempfile::tempdir().unwrap().path()), []);
    }
}
