//! A client's side of WebSocket, as far as a load needs it. Its mask is zero: the server has the same work with it, and we have none.

use std::net::SocketAddr;

pub fn request(address: SocketAddr) -> String {
    format!(
        "GET /mqtt HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: bXFsaXRlLWxvYWQtMDAwMQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
}

/// Makes what stands in `out` from `start` on one message.
pub fn frame(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    let mut head = [0; 14];
    head[0] = 0x82;
    let size = match length {
        0..126 => {
            head[1] = 0x80 | length as u8;
            6
        }
        126..65_536 => {
            head[1] = 0x80 | 126;
            head[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            8
        }
        _ => {
            head[1] = 0x80 | 127;
            head[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            14
        }
    };
    out.splice(start..start, head[..size].iter().copied());
}

/// Takes a server's bytes apart.
#[derive(Debug, Default)]
pub struct Incoming {
    raw: Vec<u8>,
    is_open: bool,
}

impl Incoming {
    /// Adds what messages have in `bytes` to `into`. Says whether this opened the connection.
    pub fn take(&mut self, bytes: &[u8], into: &mut Vec<u8>) -> Result<bool, String> {
        self.raw.extend_from_slice(bytes);
        let mut at = 0;
        let mut opened = false;
        if !self.is_open {
            let Some(end) = self.raw.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(false) };
            if !self.raw.starts_with(b"HTTP/1.1 101") {
                let line = self.raw.split(|byte| *byte == b'\r').next().unwrap_or(&[]);
                return Err(format!("no WebSocket: {}", String::from_utf8_lossy(line)));
            }
            (at, opened, self.is_open) = (end + 4, true, true);
        }
        while let Some((opcode, head, length)) = frame_head(&self.raw[at..]) {
            let Some(payload) = self.raw.get(at + head..at + head + length) else { break };
            match opcode {
                0..=2 => into.extend_from_slice(payload),
                8 => return Err("the server closed the WebSocket".into()),
                _ => {}
            }
            at += head + length;
        }
        self.raw.drain(..at);
        Ok(opened)
    }
}

/// Opcode, bytes of the head, and bytes of the payload.
fn frame_head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (head, length) = match second & 0x7F {
        126 => (4, u16::from_be_bytes(*rest.first_chunk()?).into()),
        127 => (10, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
        short => (2, short.into()),
    };
    Some((first & 0x0F, head, length))
}
