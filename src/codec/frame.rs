//! Cuts a stream of bytes, however it is chunked, into whole packets.
use super::DecodeError;
use bytes::Bytes;

/// The largest packet that the fixed header can describe: 5 bytes of header and 268,435,455 of content.
pub const MAXIMUM_PACKET_SIZE: u32 = 268_435_460;

/// Collects chunks and returns whole packets.
#[derive(Debug)]
pub struct Framer {}

impl Framer {
    /// A framer that refuses packets longer than `maximum_packet_size` bytes with 0x95, as soon as their header is known.
    pub fn new(maximum_packet_size: u32) -> Self {
        unimplemented!("{maximum_packet_size}")
    }

    /// Takes the next chunk; empty ones are fine.
    pub fn push(&mut self, chunk: Bytes) {
        unimplemented!("{chunk:?}")
    }

    /// The next whole packet (fixed header included), or `None` until more bytes come.
    ///
    /// # Errors
    /// 0x81 for a header that can never become a packet, 0x95 for one beyond the maximum. The framer is of no use then.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Bytes>, DecodeError> {
        unimplemented!()
    }

    /// The bytes of the packet that has begun but is not whole yet.
    pub fn partial(&self) -> &[u8] {
        unimplemented!()
    }
}
