//! One connection that never waits: bytes out when the socket takes them, packets in when they are whole.

use crate::{
    options::Options,
    packet::{self, Packet},
    web,
};
use mio::net::TcpStream;
use std::io::{self, ErrorKind, Read, Write};

pub struct Connection {
    pub stream: TcpStream,
    pub out: Outbox,
    web: Option<web::Incoming>,
    /// The beginning of a packet that is not whole.
    begun: Vec<u8>,
    version: u8,
}

/// What waits to be written.
#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    written: usize,
    is_framed: bool,
}

impl Connection {
    pub fn open(options: &Options) -> io::Result<Self> {
        let stream = TcpStream::connect(options.address)?;
        stream.set_nodelay(true)?;
        let mut out = Outbox::default();
        if options.web {
            out.bytes.extend_from_slice(web::request(options.address).as_bytes());
            out.is_framed = true;
        }
        let web = options.web.then(web::Incoming::default);
        Ok(Self { stream, out, web, begun: Vec::new(), version: options.version })
    }

    /// Reads all there is, and hands out each packet.
    pub fn read(
        &mut self,
        scratch: &mut [u8],
        handle: &mut impl FnMut(Packet<'_>, &mut Outbox) -> Result<(), String>,
    ) -> Result<(), String> {
        loop {
            match self.stream.read(scratch) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(count) => {
                    self.take(&scratch[..count], handle)?;
                    // Less than there was room for: the kernel has no more, and will say when it has.
                    if count < scratch.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("a connection failed: {error}")),
            }
        }
    }

    /// Writes as much as the socket takes.
    pub fn flush(&mut self) -> Result<(), String> {
        let out = &mut self.out;
        while out.written < out.bytes.len() {
            match self.stream.write(&out.bytes[out.written..]) {
                Ok(count) => out.written += count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("a connection failed: {error}")),
            }
        }
        out.bytes.clear();
        out.written = 0;
        Ok(())
    }

    fn take(
        &mut self,
        bytes: &[u8],
        handle: &mut impl FnMut(Packet<'_>, &mut Outbox) -> Result<(), String>,
    ) -> Result<(), String> {
        if let Some(web) = &mut self.web {
            if web.take(bytes, &mut self.begun)? {
                handle(Packet::Opened, &mut self.out)?;
            }
        } else if self.begun.is_empty() {
            let used = parse(self.version, bytes, &mut self.out, handle)?;
            self.begun.extend_from_slice(&bytes[used..]);
            return Ok(());
        } else {
            self.begun.extend_from_slice(bytes);
        }
        let used = parse(self.version, &self.begun, &mut self.out, handle)?;
        self.begun.drain(..used);
        Ok(())
    }
}

impl Outbox {
    /// Adds the packet that `write` writes; over WebSocket each is a message of its own, as most clients send it.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        if self.is_framed {
            web::frame(&mut self.bytes, start);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Hands out all whole packets; resolves to the bytes that they take.
fn parse(
    version: u8,
    bytes: &[u8],
    out: &mut Outbox,
    handle: &mut impl FnMut(Packet<'_>, &mut Outbox) -> Result<(), String>,
) -> Result<usize, String> {
    let mut at = 0;
    while let Some((packet, length)) = packet::next(version, &bytes[at..])? {
        handle(packet, out)?;
        at += length;
    }
    Ok(at)
}
