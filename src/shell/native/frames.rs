//! What a WebSocket's client sends, taken apart: whole binary messages here, as nearly all are, and all else by the library.
//! Knows no socket.

use super::{connection::Ending, wire::Wire};
use bytes::{Buf, Bytes, BytesMut};
use std::{
    io::{self, ErrorKind, Read, Write},
    mem,
    sync::Arc,
};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext, frame::coding::CloseCode},
};

pub(super) struct Frames {
    library: WebSocketContext,
    /// The largest message, in bytes.
    largest: usize,
    pipe: Pipe,
    /// Whether a message has begun of which more frames are to come.
    is_fragmented: bool,
}

/// What the library has in place of a socket.
struct Pipe {
    unread: Bytes,
    /// How much of that it may have: up to the end of a frame.
    left: usize,
    /// Whether nothing follows.
    is_over: bool,
    wire: Arc<Wire>,
    /// Whether an answer waits because others do.
    is_held_up: bool,
    /// Whether an answer may follow others that wait.
    is_closing: bool,
}

/// Where a frame ends, and what it is.
struct Head {
    first: u8,
    mask: Option<[u8; 4]>,
    /// Bytes of the head.
    length: usize,
    /// Bytes behind it.
    payload: usize,
}

impl Frames {
    /// `early` is what came behind the handshake; answers go to `wire`. Messages are `largest` bytes long at most.
    pub(super) fn new(early: Vec<u8>, wire: Arc<Wire>, largest: usize) -> Self {
        let pipe = Pipe { unread: early.into(), left: 0, is_over: false, wire, is_held_up: false, is_closing: false };
        Self { library: library(largest), largest, pipe, is_fragmented: false }
    }

    /// Takes what came next; nothing is the end.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.pipe.is_over = bytes.is_empty();
        if self.pipe.unread.is_empty() {
            self.pipe.unread = bytes;
        } else {
            self.pipe.unread = [mem::take(&mut self.pipe.unread), bytes].concat().into(); // a part of a head
        }
    }

    /// What the messages say that are whole, and what is wrong behind them.
    pub(super) fn messages(&mut self) -> (Bytes, Option<Ending>) {
        let mut said = BytesMut::new();
        let ending = loop {
            if self.pipe.left == 0 {
                let Some(head) = Head::parse(&self.pipe.unread) else {
                    if !self.pipe.is_over {
                        // A part of a head would keep all that it came with.
                        self.pipe.unread = Bytes::copy_from_slice(&self.pipe.unread);
                        break None;
                    }
                    self.pipe.left = usize::MAX;
                    continue;
                };
                if !self.is_fragmented && head.take(&mut self.pipe.unread, &mut said) {
                    continue;
                }
                self.pipe.left = head.length.saturating_add(head.payload);
                if head.is_of_data() {
                    self.is_fragmented = !head.is_final();
                }
            }
            match self.library.read(&mut self.pipe) {
                Ok(Message::Binary(bytes)) => {
                    said.extend_from_slice(&bytes);
                    if bytes.len() > READ && !self.is_fragmented && !self.pipe.is_held_up {
                        self.library = library(self.largest); // it would keep the room for as long as it lives
                    }
                }
                Ok(Message::Ping(_)) => self.answer(),
                Ok(Message::Pong(_) | Message::Frame(_)) => {}
                // [MQTT-6.0.0-1]
                Ok(Message::Text(_)) => {
                    break end("a text message came; MQTT is sent in binary ones", CloseCode::Unsupported);
                }
                Ok(Message::Close(_)) | Err(Error::ConnectionClosed) => {
                    break end("the client closed the WebSocket without a DISCONNECT", CloseCode::Normal);
                }
                Err(Error::Capacity(_)) => break end("a WebSocket message is too large", CloseCode::Size),
                Err(Error::Utf8(_)) => break end("a text message is no UTF-8", CloseCode::Invalid),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    if self.pipe.left > 0 {
                        if self.pipe.unread.is_empty() {
                            self.pipe.unread = Bytes::new(); // without what it was a part of
                        }
                        break None;
                    }
                }
                Err(error) => {
                    break Some(Ending { why: error.to_string().into(), code: CloseCode::Protocol.into() });
                }
            }
        };
        (said.freeze(), ending)
    }

    /// Answers what could not be answered while other bytes waited, once they do not.
    pub(super) fn go_on(&mut self) {
        if self.pipe.is_held_up && self.pipe.wire.is_empty() {
            self.pipe.is_held_up = false;
            self.answer();
        }
    }

    /// Says that nothing follows. After a Close of the client's the answer to it is all that is left to be said.
    pub(super) fn close(&mut self, code: u16) {
        self.pipe.is_closing = true;
        self.answer();
        _ = self.library.close(&mut self.pipe, Some(CloseFrame { code: code.into(), reason: "".into() }));
    }

    fn answer(&mut self) {
        _ = self.library.flush(&mut self.pipe); // what is held up waits in the library
    }
}

impl Head {
    /// The head that `bytes` begin with, once it is whole.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, second, ..] = *bytes else { return None };
        let (length, payload) = match second & 0x7F {
            126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?).into()),
            127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).unwrap_or(usize::MAX)),
            payload => (2, payload.into()),
        };
        if second & 0x80 == 0 {
            return Some(Self { first, mask: None, length, payload });
        }
        let mask = *bytes.get(length..)?.first_chunk()?;
        Some(Self { first, mask: Some(mask), length: length + mask.len(), payload })
    }

    fn is_final(&self) -> bool {
        self.first & 0x80 != 0
    }

    fn is_of_data(&self) -> bool {
        self.first & 0x08 == 0
    }

    /// Takes the frame out of `bytes`, and adds its payload to `said`, if it is a whole message of bytes.
    fn take(&self, bytes: &mut Bytes, said: &mut BytesMut) -> bool {
        let Some(mask) = self.mask.filter(|_| self.first == BINARY) else { return false };
        let Some(payload) = bytes[self.length..].get(..self.payload) else { return false };
        if said.capacity() == 0 {
            said.reserve(bytes.len());
        }
        let from = said.len();
        said.extend_from_slice(payload);
        unmask(&mut said[from..], mask);
        bytes.advance(self.length + self.payload);
        true
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.unread.len().min(into.len()).min(self.left);
        if length == 0 && !self.is_over {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.unread.copy_to_slice(&mut into[..length]);
        self.left -= length;
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closing || self.wire.is_empty() {
            self.wire.post_answer(bytes);
            return Ok(bytes.len());
        }
        self.is_held_up = true;
        Err(ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The head of a binary message of so many bytes, at most [`WRITE`], that a server sends; and its own length.
pub(super) fn head(length: usize) -> ([u8; 4], usize) {
    let [.., high, low] = length.to_be_bytes();
    if length < 126 { ([BINARY, low, 0, 0], 2) } else { ([BINARY, 126, high, low], 4) }
}

fn library(largest: usize) -> WebSocketContext {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        // Else the answers to pings of a client that does not read would grow without end.
        .max_write_buffer_size(MOST_ANSWERS)
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest));
    WebSocketContext::new(Role::Server, Some(config))
}

fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let (fours, rest) = bytes.as_chunks_mut();
    for four in fours {
        *four = (u32::from_ne_bytes(*four) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    rest.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

fn end(why: &'static str, code: CloseCode) -> Option<Ending> {
    Some(Ending { why: why.into(), code: code.into() })
}

/// The largest message that is sent; larger packets are split.
pub(super) const WRITE: usize = u16::MAX as usize;
/// What the library takes at a time.
const READ: usize = 1 << 10;
const MOST_ANSWERS: usize = 64 << 10;
/// The first byte of a message of bytes that is one frame.
const BINARY: u8 = 0x82;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    const LARGEST: usize = 100_000;

    /// A frame as a client sends it, or should not.
    fn frame(first: u8, mask: Option<[u8; 4]>, length: usize) -> Vec<u8> {
        let flag = if mask.is_some() { 0x80 } else { 0 };
        let mut bytes = match length {
            0..126 => vec![first, flag | length as u8],
            126..65_536 => [&[first, flag | 126][..], &(length as u16).to_be_bytes()].concat(),
            _ => [&[first, flag | 127][..], &(length as u64).to_be_bytes()].concat(),
        };
        bytes.extend(mask.into_iter().flatten());
        let mask = mask.unwrap_or_default();
        bytes.extend((0..length).map(|index| (b'a' + (index % 23) as u8) ^ mask[index % 4]));
        bytes
    }

    /// What the library alone makes of it: what is said, and the reason of the end.
    fn by_library(bytes: &[u8]) -> (Vec<u8>, String) {
        struct All<'bytes>(&'bytes [u8]);
        impl Read for All<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0.read(into)
            }
        }
        impl Write for All<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let (mut library, mut all) = (WebSocketContext::new(Role::Server, Some(config)), All(bytes));
        let mut said = Vec::new();
        loop {
            match library.read(&mut all) {
                Ok(Message::Binary(bytes)) => said.extend(bytes),
                Ok(Message::Text(_)) => return (said, "a text message came; MQTT is sent in binary ones".into()),
                Ok(Message::Close(_)) => {
                    return (said, "the client closed the WebSocket without a DISCONNECT".into());
                }
                Ok(_) => {}
                Err(Error::Capacity(_)) => return (said, "a WebSocket message is too large".into()),
                Err(Error::Utf8(_)) => return (said, "a text message is no UTF-8".into()),
                Err(error) => return (said, error.to_string()),
            }
        }
    }

    /// What we make of it when it comes in pieces of these sizes, in turn.
    fn in_pieces(mut bytes: &[u8], sizes: &[usize]) -> (Vec<u8>, String) {
        let wire = Arc::<Wire>::default();
        let mut frames = Frames::new(Vec::new(), wire, LARGEST);
        let mut all = Vec::new();
        for size in sizes.iter().cycle() {
            let (said, ending) = frames.messages();
            all.extend(said);
            if let Some(ending) = ending {
                return (all, ending.why.into_owned());
            }
            let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
            frames.push(Bytes::copy_from_slice(piece));
            bytes = rest;
        }
        unreachable!("without an end")
    }

    proptest! {
        #[test]
        fn it_is_what_the_library_says_however_it_comes(
            kinds in vec(
                (select(vec![0x82, 0x82, 0x82, 0x82, 0x82, 0x02, 0x00, 0x80, 0x89, 0x8A]),
                 prop_oneof![8 => any::<[u8; 4]>().prop_map(Some), 1 => Just(Some([0; 4]))],
                 prop_oneof![8 => 0_usize..125, 2 => 120_usize..140, 1 => 65_530_usize..65_550]),
                0..12,
            ),
            last in prop_oneof![
                4 => Just(vec![]),
                1 => Just(frame(0x82, None, 5)),
                1 => Just(frame(0x81, Some([1; 4]), 5)),
                1 => Just(frame(0xC2, Some([1; 4]), 5)),
                1 => Just(frame(0x83, Some([1; 4]), 5)),
                1 => Just(frame(0x88, Some([1; 4]), 0)),
                1 => Just(frame(0x09, Some([1; 4]), 3)),
                1 => Just(frame(0x89, Some([1; 4]), 126)),
                1 => Just(frame(0x82, Some([1; 4]), LARGEST + 1)),
                1 => Just(vec![0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4]),
            ],
            cut in 0_usize..20,
            sizes in vec(1_usize..70_000, 1..8),
        ) {
            let mut bytes: Vec<u8> =
                kinds.iter().flat_map(|(first, mask, length)| frame(*first, *mask, *length)).collect();
            bytes.extend(last);
            bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(10)));
            prop_assert_eq!(in_pieces(&bytes, &sizes), by_library(&bytes));
            prop_assert_eq!(in_pieces(&bytes, &[1, 2, 3]), by_library(&bytes));
        }
    }
}
