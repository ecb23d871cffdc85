//! The beginning of a ZeroMQ connection (ZMTP 3), as far as it says who connects.
//!
//! After a greeting of fixed length comes the command `READY` with properties. Nothing else is looked at here, and what
//! is not understood is somebody without a name: the socket behind judges it.

/// Bytes of the greeting.
pub(super) const GREETING: usize = 64;

/// Longer handshakes are not looked at. An identity has at most 255 bytes.
const LONGEST: usize = 4096;

/// Bits of a frame's first byte.
const LONG: u8 = 2;
const COMMAND: u8 = 4;

const READY: &[u8] = b"READY";

/// Who connects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// More has to be read.
    Unknown,
    /// Nobody in particular; the socket will make up an identity.
    Anonymous,
    /// A client with this identity.
    Identity(Vec<u8>),
}

/// Who has sent this behind its greeting.
pub(super) fn name(sent: &[u8]) -> Name {
    let Some((&flags, rest)) = sent.split_first() else { return Name::Unknown };
    if flags & COMMAND == 0 {
        return Name::Anonymous;
    }
    let size = if flags & LONG == 0 { 1 } else { 8 };
    let Some((length, body)) = rest.split_at_checked(size) else { return Name::Unknown };
    let length = length.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
    match usize::try_from(length) {
        Ok(length) if length <= LONGEST => {
            let Some(body) = body.get(..length) else { return Name::Unknown };
            identity(body).filter(|identity| !identity.is_empty()).map_or(Name::Anonymous, Name::Identity)
        }
        _ => Name::Anonymous,
    }
}

fn identity(command: &[u8]) -> Option<Vec<u8>> {
    let (name, mut properties) = prefixed(command, 1)?;
    if name != READY {
        return None;
    }
    while !properties.is_empty() {
        let (key, rest) = prefixed(properties, 1)?;
        let (value, rest) = prefixed(rest, 4)?;
        if key.eq_ignore_ascii_case(b"Identity") {
            return Some(value.to_vec());
        }
        properties = rest;
    }
    None
}

/// Bytes behind their length, which itself has `size` bytes, and what comes after them.
fn prefixed(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(size)?;
    rest.split_at_checked(length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &[u8] = b"\x0bSocket-Type\0\0\0\x06DEALER";

    fn ready(properties: &[u8]) -> Vec<u8> {
        let body = [b"\x05READY", properties].concat();
        [&[COMMAND, u8::try_from(body.len()).unwrap()], &body[..]].concat()
    }

    #[test]
    fn who_says_so_has_an_identity_and_messages_may_follow() {
        let sent = ready(&[TYPE, b"\x08Identity\0\0\0\x03abc"].concat());
        assert_eq!(name(&sent), Name::Identity(b"abc".to_vec()));
        assert_eq!(name(&[&sent[..], b"\0\x05hello"].concat()), Name::Identity(b"abc".to_vec()));
        for part in 0..sent.len() {
            assert_eq!(name(&sent[..part]), Name::Unknown, "{part} bytes");
        }
    }

    #[test]
    fn a_long_frame_says_the_same() {
        let short = ready(b"\x08identity\0\0\0\x01x");
        let long = [&[COMMAND | LONG, 0, 0, 0, 0, 0, 0, 0][..], &short[1..]].concat();
        assert_eq!(name(&long), Name::Identity(b"x".to_vec()));
    }

    #[test]
    fn whoever_else_comes_is_anonymous() {
        let empty = ready(&[TYPE, b"\x08Identity\0\0\0\0"].concat());
        let endless = [COMMAND | LONG, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        for sent in [&ready(TYPE)[..], &empty, b"\0\x05hello", b"\x04\x05\x09READ", &endless, &ready(b"\x08Iden")] {
            assert_eq!(name(sent), Name::Anonymous, "{sent:?}");
        }
    }
}
