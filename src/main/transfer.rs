//! `mqlite export` and `mqlite import`: all state as one file.

use super::{DATA_HELP, Data, explain_storage, say};
use clap::Args;
use mqlite::shell::native::{Contents, ExportError, ImportError, export, import, write_export};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Write all state to a file, to import it on another host
///
/// The server must not be running.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = DATA_HELP)]
pub struct ExportTo {
    /// The file; - is stdout
    file: PathBuf,

    #[command(flatten)]
    data: Data,

    /// Put it in place of a file that is there already
    #[arg(long)]
    force: bool,
}

/// Take over the state that a host exported
///
/// The server must not be running. Nothing is changed unless the file is whole.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = DATA_HELP)]
pub struct ImportFrom {
    /// The file; - is stdin
    file: PathBuf,

    #[command(flatten)]
    data: Data,

    /// Remove the state that is there
    #[arg(long)]
    replace: bool,
}

impl ExportTo {
    pub fn run(self) -> Result<(), String> {
        let directory = self.data.directory()?;
        let (bytes, contents) = export(&directory).map_err(|error| explain_storage(&error))?;
        let name = self.file.display();
        if self.file == Path::new(STANDARD) {
            let mut stdout = io::stdout();
            let written = stdout.write_all(&bytes).and_then(|()| stdout.flush());
            written.map_err(|error| format!("stdout cannot be written ({error})"))?;
        } else {
            write_export(&directory, &self.file, &bytes, self.force).map_err(|error| match error {
                ExportError::Exists => format!("{name} is there already: name another file, or add --force"),
                ExportError::State => format!("{name} is part of the state itself: name another file"),
                error => format!("{name} cannot be written ({error})"),
            })?;
        }
        say(&format!("exported {}", Counted(&contents)));
        Ok(())
    }
}

impl ImportFrom {
    pub fn run(self) -> Result<(), String> {
        let directory = self.data.directory()?;
        let name = self.file.display();
        let read = if self.file == Path::new(STANDARD) {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            fs::read(&self.file)
        };
        let file = read.map_err(|error| format!("{name} cannot be read ({error})"))?;
        let contents = import(&directory, file.into(), self.replace).map_err(|error| match error {
            ImportError::File(sentence) => format!("{name}: {sentence}"),
            ImportError::NotEmpty => {
                format!("{} has state already: add --replace to remove it", directory.display())
            }
            ImportError::Storage(error) => explain_storage(&error),
            _ => error.to_string(),
        })?;
        say(&format!("imported {} into {}", Counted(&contents), directory.display()));
        Ok(())
    }
}

/// How much state there is, in words.
struct Counted<'contents>(&'contents Contents);

impl std::fmt::Display for Counted<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Contents { sessions, messages, retained_messages, rejected } = self.0;
        write!(
            formatter,
            "sessions: {sessions}, messages that wait for them: {messages}, retained messages: {retained_messages}"
        )?;
        if *rejected > 0 {
            write!(formatter, ", records that this version cannot use: {rejected}")?;
        }
        Ok(())
    }
}

/// A file's name that is none: stdin or stdout.
const STANDARD: &str = "-";
