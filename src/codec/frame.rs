//! Cuts a stream of bytes, however it is chunked, into whole packets.
//! Knows the fixed header (2.1) and nothing behind it.
use super::{
    DecodeError, PacketTooLarge, ReasonCode,
    publish::Flags,
    wire::{Sink, Variable},
};
use bytes::{Bytes, BytesMut};

/// The largest packet that the fixed header can describe: 5 bytes of header and 268,435,455 of content.
pub const MAXIMUM_PACKET_SIZE: u32 = 268_435_460;

/// Collects chunks and returns whole packets.
///
/// A packet that lies whole in one chunk is a slice of it; only one that spans chunks is copied, and memory grows with
/// the bytes that came, never with the length that a header claims.
#[derive(Debug)]
pub struct Framer {
    maximum_packet_size: usize,
    /// Bytes collected from earlier chunks. They come before those of `chunk`.
    collected: BytesMut,
    /// What is left of the last chunk.
    chunk: Bytes,
}

impl Framer {
    /// A framer that refuses packets longer than `maximum_packet_size` bytes with 0x95, once their header is known.
    pub fn new(maximum_packet_size: u32) -> Self {
        Self { maximum_packet_size: maximum_packet_size as usize, collected: BytesMut::new(), chunk: Bytes::new() }
    }

    /// Refuses from now on packets longer than `maximum_packet_size` bytes.
    pub fn set_maximum_packet_size(&mut self, maximum_packet_size: u32) {
        self.maximum_packet_size = maximum_packet_size as usize;
    }

    /// Takes the next chunk; empty ones are fine.
    pub fn push(&mut self, chunk: Bytes) {
        let unread = core::mem::replace(&mut self.chunk, chunk);
        if !unread.is_empty() {
            self.collected.extend_from_slice(&unread);
            self.collected.extend_from_slice(&self.chunk);
            self.chunk.clear();
        }
    }

    /// The next whole packet (fixed header included), or `None` until more bytes come.
    ///
    /// # Errors
    /// 0x81 for a header that can never become a packet, 0x95 for one beyond the maximum. The framer is of no use then.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Bytes>, DecodeError> {
        if self.collected.is_empty()
            && let Some(size) = self.packet_size(&self.chunk)?
            && size <= self.chunk.len()
        {
            return Ok(Some(self.chunk.split_to(size)));
        }
        loop {
            let missing = match self.packet_size(&self.collected)? {
                Some(size) if size < self.collected.len() => return Ok(Some(self.collected.split_to(size).freeze())),
                // Taken whole, so that an idle connection keeps no buffer.
                Some(size) if size == self.collected.len() => {
                    return Ok(Some(core::mem::take(&mut self.collected).freeze()));
                }
                Some(size) => size - self.collected.len(),
                None => 1,
            };
            if self.chunk.is_empty() {
                return Ok(None);
            }
            let taken = self.chunk.split_to(missing.min(self.chunk.len()));
            self.collected.extend_from_slice(&taken);
        }
    }

    /// The bytes of the packet that has begun but is not whole yet, once [`Framer::next`] has returned `None`.
    pub fn partial(&self) -> &[u8] {
        &self.collected
    }

    /// How large a packet may be.
    pub const fn maximum_packet_size(&self) -> usize {
        self.maximum_packet_size
    }

    /// What was pushed and not returned, but for its first `skipped` bytes.
    pub fn unread_behind(&self, skipped: usize) -> Bytes {
        let collected = self.collected.get(skipped..).unwrap_or_default();
        if collected.is_empty() {
            let skipped = skipped.saturating_sub(self.collected.len());
            return self.chunk.slice(skipped.min(self.chunk.len())..);
        }
        Bytes::from([collected, &self.chunk].concat())
    }

    /// How many bytes were pushed and not returned.
    pub fn unread(&self) -> usize {
        self.collected.len() + self.chunk.len()
    }

    /// The size of the packet that starts `bytes`, once its header is whole.
    fn packet_size(&self, bytes: &[u8]) -> Result<Option<usize>, DecodeError> {
        match Header::parse(bytes)? {
            Some(header) if header.size > self.maximum_packet_size => Err(TOO_LARGE),
            header => Ok(header.map(|header| header.size)),
        }
    }
}

/// MQTT Control Packet types (2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum PacketType {
    Connect = 1,
    ConnAck,
    Publish,
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    PingReq,
    PingResp,
    Disconnect,
    Auth,
}

/// A fixed header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub packet_type: PacketType,
    /// The lower half of the first byte.
    pub flags: u8,
    /// Bytes of the header itself.
    pub length: usize,
    /// Bytes of the whole packet.
    pub size: usize,
}

impl Header {
    /// The header at the start of `bytes`, or `None` while it is not whole.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let flags = first & 0x0F;
        let packet_type = PacketType::from_u8(first >> 4).ok_or(DecodeError::malformed("packet type 0 is reserved"))?;
        match packet_type {
            PacketType::Publish => _ = Flags::from_u8(flags)?,
            _ if flags == packet_type.flags() => {}
            _ => return Err(DecodeError::malformed("reserved bits of the fixed header are not as they must be")),
        }
        Ok(Variable::parse(rest)?.map(|(remaining, length)| {
            let length = length + 1;
            Self { packet_type, flags, length, size: length + remaining }
        }))
    }

    /// The header of a packet with `remaining` bytes behind it.
    pub fn new(packet_type: PacketType, flags: u8, remaining: usize) -> Self {
        let length = 1 + Sink::count(|sink| sink.write::<Variable>(&remaining));
        Self { packet_type, flags, length, size: remaining.saturating_add(length) }
    }

    /// Writes the header and makes room for the `behind` bytes that follow, or does nothing when the packet is longer than a
    /// header can say.
    pub fn encode(&self, behind: usize, out: &mut BytesMut) -> Result<(), PacketTooLarge> {
        if self.size > MAXIMUM_PACKET_SIZE as usize {
            return Err(PacketTooLarge);
        }
        out.reserve(self.length + behind);
        let mut sink = Sink::to(out);
        sink.write::<u8>(&((self.packet_type as u8) << 4 | self.flags));
        sink.write::<Variable>(&(self.size - self.length));
        Ok(())
    }
}

impl PacketType {
    const fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// The reserved flags of every type but PUBLISH. [MQTT-2.1.3-1]
    pub const fn flags(self) -> u8 {
        match self {
            // [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            _ => 0,
        }
    }
}

const TOO_LARGE: DecodeError = DecodeError::new(ReasonCode::PacketTooLarge, "the packet is beyond Maximum Packet Size");

#[cfg(test)]
mod tests {
    use super::*;

    fn framer(chunk: &'static [u8]) -> Framer {
        let mut framer = Framer::new(MAXIMUM_PACKET_SIZE);
        framer.push(Bytes::from_static(chunk));
        framer
    }

    #[test]
    fn packets_of_one_chunk_are_slices_of_it() {
        for tail in [0, 1] {
            let chunk = Bytes::from_static(b"\xC0\x00\x40\x02\x00\x01\xC0").slice(..6 + tail);
            let mut framer = Framer::new(100);
            framer.push(chunk.clone());
            for range in [0..2, 2..6] {
                let packet = framer.next().unwrap().unwrap();
                assert_eq!(packet.as_ptr(), chunk[range.clone()].as_ptr());
                assert_eq!(packet, chunk[range]);
            }
            assert_eq!(framer.next(), Ok(None));
            assert_eq!(framer.partial(), &chunk[6..]);
        }
    }

    #[test]
    fn chunks_may_be_pushed_before_packets_are_taken() {
        let mut framer = framer(b"\xC0");
        framer.push(Bytes::new());
        for chunk in [&b"\x00\xC0"[..], b"\x00\x40\x02", b"\x00\x01\xD0\x00"] {
            framer.push(Bytes::from_static(chunk));
        }
        for packet in [&b"\xC0\x00"[..], b"\xC0\x00", b"\x40\x02\x00\x01", b"\xD0\x00"] {
            assert_eq!(framer.next().unwrap().unwrap(), packet);
        }
        assert_eq!(framer.next(), Ok(None));
        assert!(framer.partial().is_empty());
    }

    #[test]
    fn what_is_unread_can_be_had_from_any_byte_on() {
        let bytes = b"\x30\x09123456";
        for collected in 0..bytes.len() {
            let mut framer = framer(&bytes[..collected]);
            assert_eq!(framer.next(), Ok(None));
            framer.push(Bytes::from_static(&bytes[collected..]));
            for skipped in 0..=bytes.len() {
                assert_eq!(framer.unread_behind(skipped), bytes[skipped..]);
            }
            assert!(framer.unread_behind(bytes.len() + 1).is_empty());
        }
    }

    #[test]
    fn a_huge_length_reserves_no_memory() {
        let mut framer = framer(b"\x30\xFF\xFF\xFF\x7F0123456789");
        assert_eq!(framer.next(), Ok(None));
        assert_eq!(framer.partial().len(), 15);
        assert!(framer.collected.capacity() < 1024);
    }

    #[test]
    fn nothing_is_held_between_packets() {
        let mut framer = framer(b"\x40\x02\x00");
        assert_eq!(framer.next(), Ok(None));
        framer.push(Bytes::from_static(b"\x01"));
        assert!(framer.next().unwrap().is_some());
        assert_eq!(framer.collected.capacity(), 0);
    }

    #[test]
    fn a_packet_beyond_the_maximum_is_refused_once_its_header_is_known() {
        let mut framer = Framer::new(128);
        framer.push(Bytes::from_static(b"\x30\x7F"));
        assert_eq!(framer.next(), Err(TOO_LARGE));
        assert_eq!(framer.next(), Err(TOO_LARGE));

        let mut framer = Framer::new(129);
        framer.push(Bytes::from_static(b"\x30\x7F"));
        assert_eq!(framer.next(), Ok(None));
    }

    #[test]
    fn a_first_byte_that_starts_no_packet_is_refused_at_once() {
        for first in 0..=255 {
            let valid = match first >> 4 {
                3 => !matches!(first & 0x0F, 0x6 | 0x7 | 0xE | 0xF | 0x8 | 0x9),
                6 | 8 | 10 => first & 0x0F == 2,
                0 => false,
                _ => first & 0x0F == 0,
            };
            let mut framer = Framer::new(100);
            framer.push(Bytes::copy_from_slice(&[first]));
            assert_eq!(framer.next().is_ok(), valid, "{first:#x}");
        }
    }

    #[test]
    fn a_length_of_five_bytes_is_refused_at_the_fourth() {
        let mut framer = framer(b"\x30\xFF\xFF\xFF");
        assert_eq!(framer.next(), Ok(None));
        framer.push(Bytes::from_static(b"\xFF"));
        assert_eq!(framer.next().unwrap_err().reason, ReasonCode::MalformedPacket);
    }
}
