//! The versions of the layout of values, and how each becomes the next. Connections do not outlive a change of it.

use bytes::{Buf, Bytes};

/// The version that is written.
pub(super) const VERSION: u8 = 3;

/// How values of each older version, from 1 on, become values of the next.
const UPGRADES: [Upgrade; VERSION as usize - 1] = [from_1, from_2];

/// From the kind of a record, as its key has it, and the value behind its version.
type Upgrade = fn(u8, Bytes) -> Result<Bytes, &'static str>;

/// What this version would have written behind its number, had the value been its own.
pub(super) fn upgraded(kind: u8, mut value: Bytes) -> Result<Bytes, &'static str> {
    let version = value.try_get_u8().map_err(|_| "the value is empty")?;
    let steps = usize::from(version).checked_sub(1).and_then(|known| UPGRADES.get(known..)).ok_or(UNKNOWN)?;
    steps.iter().try_fold(value, |value, step| step(kind, value))
}

/// Version 2 knows of what was received which connection brought it.
fn from_1(kind: u8, value: Bytes) -> Result<Bytes, &'static str> {
    match kind {
        b'i' => Ok([&value[..], &[0; 8]].concat().into()),
        _ => Ok(value),
    }
}

/// Version 3 knows of connections when they were let in, and until when.
fn from_2(kind: u8, value: Bytes) -> Result<Bytes, &'static str> {
    match kind {
        b'c' => Err("the connection is of an older version of the broker"),
        _ => Ok(value),
    }
}

const UNKNOWN: &str = "the value is of a version that this broker does not know: a later one has written it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_one_of_this_version_or_is_of_none_that_is_known() {
        let upgraded = |kind, value: &'static [u8]| upgraded(kind, Bytes::from_static(value));
        assert_eq!(upgraded(b'm', b"\x01x"), Ok(Bytes::from_static(b"x")));
        assert_eq!(upgraded(b'i', b"\x01"), Ok(Bytes::from_static(&[0; 8])));
        assert_eq!(upgraded(b'i', b"\x02x"), Ok(Bytes::from_static(b"x")));
        assert_eq!(upgraded(b'i', b"\x03x"), Ok(Bytes::from_static(b"x")));
        assert!(upgraded(b'c', b"\x01x").is_err() && upgraded(b'c', b"\x02x").is_err());
        for value in [&b"\x00x"[..], b"\x04x", b"\xFFx"] {
            assert_eq!(upgraded(b'm', value), Err(UNKNOWN));
        }
        assert!(upgraded(b'm', b"").is_err());
    }
}
