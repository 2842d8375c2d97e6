//! All records of a broker as one file, to move them to another host.
//!
//! | bytes | |
//! | --- | --- |
//! | 8 | `MQlite`, 0, and the version of this layout, 1 |
//! | 4, n, 4, n | for each record the length of its key, the key, the length of its value, the value |
//! | 4, 8 | a length of 0, and the number of records |
//!
//! Numbers have the most significant byte first. The end tells a whole file from one that was cut.

use alloc::vec::Vec;
use bytes::{BufMut, Bytes, BytesMut};

/// A file that is being written.
#[derive(Debug)]
pub struct Export {
    file: BytesMut,
    count: u64,
}

impl Default for Export {
    fn default() -> Self {
        Self::new()
    }
}

impl Export {
    /// A file without records.
    pub fn new() -> Self {
        Self { file: BytesMut::from(HEAD), count: 0 }
    }

    /// Adds a record. A key is never empty.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            self.file.put_u32(part.len() as u32);
            self.file.extend_from_slice(part);
        }
        self.count += 1;
    }

    /// The whole file.
    pub fn finish(mut self) -> Bytes {
        self.file.put_u32(0);
        self.file.put_u64(self.count);
        self.file.freeze()
    }

    /// The records of a file. What they say, [`crate::broker::Broker::restore`] finds out.
    ///
    /// # Errors
    /// One sentence, when it is no such file or not whole.
    pub fn parse(mut file: Bytes) -> Result<Vec<(Bytes, Bytes)>, &'static str> {
        match file.get(..HEAD.len()) {
            Some(head) if head == HEAD => {}
            Some(head) if head.starts_with(&HEAD[..HEAD.len() - 1]) => return Err(ANOTHER_VERSION),
            _ => return Err(NO_EXPORT),
        }
        let mut take = |length: usize| {
            if length > file.len() { Err(CUT) } else { Ok(file.split_to(length)) }
        };
        take(HEAD.len())?;
        let mut records = Vec::new();
        loop {
            let key = take_part(&mut take)?;
            if key.is_empty() {
                let count = take(8)?;
                let is_whole = *count == (records.len() as u64).to_be_bytes() && take(1).is_err();
                return if is_whole { Ok(records) } else { Err(CUT) };
            }
            records.push((key, take_part(&mut take)?));
        }
    }
}

fn take_part(take: &mut impl FnMut(usize) -> Result<Bytes, &'static str>) -> Result<Bytes, &'static str> {
    let length = take(4)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    take(length)
}

const HEAD: &[u8] = b"MQlite\0\x01";

const NO_EXPORT: &str = "this is no export of MQlite";
const ANOTHER_VERSION: &str = "this export is of a version that this broker does not know";
const CUT: &str = "this export is not whole: export it again";

#[cfg(test)]
mod tests {
    use super::*;

    fn file(records: &[(&[u8], &[u8])]) -> Bytes {
        let mut export = Export::new();
        records.iter().for_each(|(key, value)| export.push(key, value));
        export.finish()
    }

    #[test]
    fn a_file_has_the_records_that_were_put_into_it() {
        for records in [&[][..], &[(b"k".as_slice(), b"value".as_slice()), (b"key", b"")]] {
            let parsed = Export::parse(file(records)).unwrap();
            let parsed: Vec<_> = parsed.iter().map(|(key, value)| (&key[..], &value[..])).collect();
            assert_eq!(parsed, records);
        }
    }

    #[test]
    fn a_file_that_was_cut_or_goes_on_is_refused() {
        let whole = file(&[(b"k", b"value"), (b"l", b"")]);
        for length in 8..whole.len() {
            assert_eq!(Export::parse(whole.slice(..length)), Err(CUT), "{length}");
        }
        assert_eq!(Export::parse([&whole[..], b"x"].concat().into()), Err(CUT));
    }

    #[test]
    fn what_is_no_export_or_of_another_version_is_said_to_be_so() {
        for other in [&b""[..], b"MQlite", b"SQLite format 3\0"] {
            assert_eq!(Export::parse(Bytes::from_static(other)), Err(NO_EXPORT));
        }
        assert_eq!(Export::parse(Bytes::from_static(b"MQlite\0\x02")), Err(ANOTHER_VERSION));
    }
}
