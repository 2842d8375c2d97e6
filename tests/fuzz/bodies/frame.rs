//! A stream of bytes, cut anyhow: always the same packets, the same rest, the same error.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use mqlite::codec::{DecodeError, Framer};

/// Takes a maximum size and the lengths of the chunks from the bytes, and the rest for the stream.
pub fn frame(data: &[u8]) {
    if let Ok((maximum, lengths, stream)) = parts(&mut Unstructured::new(data)) {
        let whole = cut(&stream, maximum, [stream.len()]);
        whole.obeys(&stream, maximum);
        assert_eq!(cut(&stream, maximum, [1]), whole, "byte by byte");
        assert_eq!(cut(&stream, maximum, lengths), whole, "in chunks of {lengths:?}");
        assert_eq!(pushed_at_once(&stream, maximum, lengths), whole, "in chunks of {lengths:?}, read after the last");
    }
}

fn parts(source: &mut super::Source<'_>) -> Result<(u32, [usize; 4], Bytes)> {
    let maximum = super::one_of(source, &[2, 5, 20, 150, 1_000, 70_000])?;
    let lengths = source.arbitrary::<[u8; 4]>()?.map(usize::from);
    Ok((maximum, lengths, Bytes::copy_from_slice(source.bytes(source.len())?)))
}

#[derive(Debug, PartialEq)]
struct Cut {
    frames: Vec<Bytes>,
    /// What is left of a stream without an error.
    end: Result<Bytes, DecodeError>,
}

impl Cut {
    /// Packets and rest are the stream, and none is longer than it may be.
    fn obeys(&self, stream: &[u8], maximum: u32) {
        assert!(self.frames.iter().all(|frame| (2..=maximum as usize).contains(&frame.len())));
        let frames = self.frames.concat();
        match &self.end {
            Ok(rest) => assert_eq!([&frames[..], rest].concat(), stream),
            Err(_) => assert!(stream.starts_with(&frames)),
        }
    }
}

/// Reads after each chunk.
fn cut<const N: usize>(stream: &Bytes, maximum: u32, lengths: [usize; N]) -> Cut {
    let mut framer = Framer::new(maximum);
    let mut frames = Vec::new();
    let mut unread = stream.clone();
    let mut lengths = lengths.into_iter().cycle();
    // Zeros alone would never end.
    let empty_at_most = unread.len() + 1;
    for length in lengths.by_ref().take(empty_at_most).chain([stream.len()]) {
        framer.push(unread.split_to(length.min(unread.len())));
        if let Err(error) = read(&mut framer, &mut frames) {
            return Cut { frames, end: Err(error) };
        }
    }
    assert_eq!(framer.unread(), framer.partial().len());
    Cut { frames, end: Ok(Bytes::copy_from_slice(framer.partial())) }
}

/// Reads only when all chunks were pushed.
fn pushed_at_once(stream: &Bytes, maximum: u32, lengths: [usize; 4]) -> Cut {
    let mut framer = Framer::new(maximum);
    let mut unread = stream.clone();
    for length in lengths.into_iter().chain([stream.len()]) {
        framer.push(unread.split_to(length.min(unread.len())));
    }
    assert_eq!(framer.unread(), stream.len());
    let mut frames = Vec::new();
    let end = read(&mut framer, &mut frames).map(|()| Bytes::copy_from_slice(framer.partial()));
    Cut { frames, end }
}

fn read(framer: &mut Framer, frames: &mut Vec<Bytes>) -> Result<(), DecodeError> {
    while let Some(frame) = framer.next()? {
        frames.push(frame);
    }
    Ok(())
}
