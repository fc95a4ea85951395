//! Reading and writing files: errors that name the path, atomic writes, locks.
//!
//! The one crate through which the others touch the file system. Blocking. What a file means is not
//! known here.

#![expect(clippy::disallowed_methods, reason = "this is the crate that touches the file system")]

mod error;
mod lock;
mod read;
mod snapshot;
mod write;

pub use error::{FileError, FileProblem};
pub use lock::{Lock, lock, try_lock};
pub use read::{
    hash_file, list_folder, read_bytes, read_bytes_up_to, read_text, read_text_if_present,
};
pub use snapshot::{Snapshot, write_unless_changed};
pub use write::{create_folder, remove_file, write_atomic, write_private, write_streamed};
