//! The file of settings: TOML, in which nothing is ignored. Every mistake is found at once, and has its line.

use super::{Secrets, ServerConfig, check};
use serde::Deserialize;
use std::{
    fmt, fs,
    path::{Path, PathBuf},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

/// What a file says, and what it leaves to the command.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// All that was set; the rest has its default.
    pub config: ServerConfig,
    /// Whether an address was named: then the default ones are not listened on.
    pub names_addresses: bool,
    /// Whether state is to be in memory alone.
    pub memory: bool,
}

/// Something in a file that cannot stay so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, from 1 on; `None` if it is nowhere in the file.
    pub line: Option<usize>,
    /// What is wrong, and what to do, in one sentence.
    pub sentence: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        formatter.write_str(&self.sentence)
    }
}

impl Settings {
    /// Reads a file, and whether what it names can be used. A path in it is looked for beside the file. `secrets` are used in
    /// place of those in files.
    ///
    /// # Errors
    /// All mistakes, in the order of their lines.
    pub fn read(file: &Path, secrets: Secrets) -> Result<Self, Vec<Mistake>> {
        let text = fs::read_to_string(file).map_err(|error| {
            vec![Mistake { line: None, sentence: format!("it cannot be read ({error}): name another file") }]
        })?;
        let directory = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, directory, secrets)
    }

    /// Reads the text of a file in `directory`.
    ///
    /// # Errors
    /// All mistakes, in the order of their lines.
    pub fn parse(text: &str, directory: &Path, secrets: Secrets) -> Result<Self, Vec<Mistake>> {
        let document = Document::parse(text)?;
        let mut rest = document.table.clone();
        let mut mistakes = Vec::new();
        let memory = take_memory(&mut rest).unwrap_or_else(|| {
            mistakes.push(("memory".to_owned(), "is true or false".to_owned()));
            false
        });
        let names_addresses = ADDRESSES.iter().any(|key| rest.contains_key(*key));
        let mut config = read_all(&mut rest, &mut mistakes);
        if names_addresses {
            let unless_named = |key: &str, addresses: &mut Vec<String>| {
                if !document.table.contains_key(key) {
                    addresses.clear();
                }
            };
            unless_named("tcp", &mut config.tcp);
            unless_named("ws", &mut config.websocket);
        }
        if memory && config.data.is_some() {
            mistakes.push(("memory".to_owned(), "contradicts data: leave one of them out".to_owned()));
        }
        config.find_paths_in(directory);
        config.secrets = secrets;
        mistakes.extend(check::mistakes(&config));
        let secrets = Secrets::read(&config).unwrap_or_else(|unread| {
            mistakes.extend(unread.into_iter().map(|error| (error.key.to_owned(), error.sentence)));
            Secrets::default()
        });
        if mistakes.is_empty() {
            mistakes.extend(check::unusable(&config, &secrets));
        }
        if mistakes.is_empty() {
            return Ok(Self { config, names_addresses, memory });
        }
        let mut mistakes: Vec<_> =
            mistakes.into_iter().map(|(path, sentence)| document.mistake(&path, &sentence)).collect();
        mistakes.sort_by_key(|mistake| mistake.line.unwrap_or(usize::MAX));
        Err(mistakes)
    }
}

impl ServerConfig {
    /// All settings, those that nobody made too, as a file says them.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# they cannot be written: {error}\n"))
    }

    fn find_paths_in(&mut self, directory: &Path) {
        let jwt = self.authentication.as_mut().and_then(|authentication| authentication.jwt.as_mut());
        let keys = jwt.map(|jwt| [jwt.secret_file.as_mut(), jwt.public_key_file.as_mut()]);
        let tls = self.tls.as_mut().map(|tls| [Some(&mut tls.certificate), Some(&mut tls.key)]);
        let own = [self.data.as_mut(), self.console.as_mut(), self.admin_token_file.as_mut()];
        let paths = own.into_iter().chain(keys.into_iter().chain(tls).flatten()).flatten();
        paths.for_each(|path: &mut PathBuf| *path = directory.join(&*path));
    }
}

/// A file whose keys know where they are.
struct Document<'text> {
    text: &'text str,
    table: DeTable<'text>,
}

impl<'text> Document<'text> {
    fn parse(text: &'text str) -> Result<Self, Vec<Mistake>> {
        let parsed = DeTable::parse(text).map(Spanned::into_inner);
        parsed.map(|table| Self { text, table }).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            vec![Mistake { line, sentence: format!("this is no TOML: {}", error.message()) }]
        })
    }

    /// What is wrong with the key at `path`, or at the nearest one above it that is in the file.
    fn mistake(&self, path: &str, sentence: &str) -> Mistake {
        let line = self.place_of(path).map(|start| line_of(self.text, start));
        let sentence = if path.is_empty() { sentence.to_owned() } else { format!("{path} {sentence}") };
        Mistake { line, sentence }
    }

    fn place_of(&self, path: &str) -> Option<usize> {
        let mut place = None;
        let mut inside = Inside::Table(&self.table);
        for step in steps(path) {
            let value = match inside {
                Inside::Table(table) => {
                    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == step)?;
                    place = Some(key.span().start);
                    value
                }
                Inside::List(list) => {
                    let Some(value) = step.parse().ok().and_then(|index: usize| list.get(index)) else { return place };
                    place = Some(value.span().start);
                    value
                }
                Inside::Nothing => return place,
            };
            inside = match value.get_ref() {
                DeValue::Table(table) => Inside::Table(table),
                DeValue::Array(list) => Inside::List(list),
                _ => Inside::Nothing,
            };
        }
        place
    }
}

enum Inside<'table, 'text> {
    Table(&'table DeTable<'text>),
    List(&'table [Spanned<DeValue<'text>>]),
    Nothing,
}

/// The keys of a path, and the numbers of what is in a list: `rules[0].filter`.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

/// `None` if it is neither true nor false.
fn take_memory(table: &mut DeTable) -> Option<bool> {
    match table.remove("memory").map(Spanned::into_inner) {
        None => Some(false),
        Some(DeValue::Boolean(memory)) => Some(memory),
        Some(_) => None,
    }
}

/// Reads what can be read: what cannot is a mistake, and is taken out of the table for another attempt.
fn read_all(table: &mut DeTable, mistakes: &mut Vec<(String, String)>) -> ServerConfig {
    loop {
        let value = Spanned::new(0..0, DeValue::Table(table.clone()));
        let mut track = serde_path_to_error::Track::new();
        let deserializer = serde_path_to_error::Deserializer::new(ValueDeserializer::from(value), &mut track);
        let error: toml::de::Error = match ServerConfig::deserialize(deserializer) {
            Ok(config) => return config,
            Err(error) => error,
        };
        let path = track.path().to_string();
        let more = if path.contains('.') { &[][..] } else { &["memory"] };
        let sentence = check::in_words(error.message(), more);
        if !take_out(table, &path) {
            mistakes.push((String::new(), sentence));
            return ServerConfig::default();
        }
        mistakes.push((path, sentence));
    }
}

/// Whether something was taken out: in a list all of it is.
fn take_out(table: &mut DeTable, path: &str) -> bool {
    let mut steps = steps(path).peekable();
    let mut table = table;
    while let Some(step) = steps.next() {
        let is_table = matches!(table.get(step).map(Spanned::get_ref), Some(DeValue::Table(_)));
        if !is_table || steps.peek().is_none() {
            return table.remove(step).is_some();
        }
        let Some(DeValue::Table(inner)) = table.get_mut(step).map(Spanned::get_mut) else { return false };
        table = inner;
    }
    false
}

fn line_of(text: &str, place: usize) -> usize {
    text.as_bytes()[..place.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

const ADDRESSES: [&str; 4] = ["tcp", "ws", "tcpTls", "wsTls"];
