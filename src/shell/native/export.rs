//! Where an export goes: in place of another one, or not at all. Knows nothing of what is in it.

use super::storage::{Storage, parent, resolve, sync_directory};
use std::{
    error, fmt,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::Path,
    process,
};

/// Writes an export of the state in `directory` to the file `path`, for this user alone: messages are in it. A file that is
/// there stays as it is unless `replaces`, and then until the new one is whole. What is no file, as a pipe, is written to.
///
/// # Errors
/// When there is such a file, it is one of the state itself, or it cannot be written.
pub fn write_export(directory: &Path, path: &Path, bytes: &[u8], replaces: bool) -> Result<(), ExportError> {
    if Storage::owns(directory, path).map_err(ExportError::File)? {
        return Err(ExportError::State);
    }
    let is_there = fs::symlink_metadata(path).is_ok();
    if is_there && !replaces {
        return Err(ExportError::Exists);
    }
    let written = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => write_into(path, bytes),
        _ => resolve(path).and_then(|path| put_in_place(&path, bytes)),
    };
    written.map_err(ExportError::File)
}

/// Why an export was not written. The file that is there is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// There is a file already.
    Exists,
    /// The file is one of the state itself.
    State,
    /// What the system said.
    File(io::Error),
}

impl fmt::Display for ExportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => formatter.write_str("there is a file already"),
            Self::State => formatter.write_str("the state itself is in that file"),
            Self::File(error) => error.fmt(formatter),
        }
    }
}

impl error::Error for ExportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::File(error) => Some(error),
            Self::Exists | Self::State => None,
        }
    }
}

fn write_into(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(bytes)
}

fn put_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = parent(path).join(format!(".mqlite-export-{}", process::id()));
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let put = write_new(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
    put.inspect_err(|_| _ = fs::remove_file(&unfinished))?;
    sync_directory(parent(path))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
