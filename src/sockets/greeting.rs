//! What a ZeroMQ client says when it connects, up to the name by which a ROUTER knows it (ZMTP 3.0, RFC 23).
//!
//! A greeting of 64 bytes, then a READY command: `4 size "\x05READY"` and properties, each
//! `size name size-in-four-bytes value`. The property `Identity` is the name.

use std::io;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes of a greeting.
const GREETING: usize = 64;

/// Flags of a frame: a command, and one whose size has eight bytes.
const COMMAND: u8 = 4;
const LONG_COMMAND: u8 = 6;

/// Bytes of the longest READY that is read; it holds a type of socket and a name of 255 bytes at most.
const LONGEST: usize = 4096;

const READY: &[u8] = b"\x05READY";
const IDENTITY: &[u8] = b"identity";

/// Hands on what a client says first, with the name that `rename` gives it in the place of its own. The client's own name
/// is empty if it has none.
///
/// # Errors
/// If the connection ends, or the client does not speak ZMTP 3 or asks for encryption.
pub(super) async fn introduce(
    client: &mut (impl AsyncRead + Unpin),
    socket: &mut (impl AsyncWrite + Unpin),
    rename: impl FnOnce(&[u8]) -> Vec<u8>,
) -> io::Result<()> {
    let mut left = GREETING;
    let mut buffer = [0; GREETING];
    while left > 0 {
        // Each piece at once: a client sends the second part of its greeting when it has seen the first of ours.
        let read = client.read(&mut buffer[..left]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        socket.write_all(&buffer[..read]).await?;
        left -= read;
    }
    let ready = read_command(client).await?;
    let renamed = replace_identity(&ready, rename).ok_or_else(|| invalid("it does not begin with READY"))?;
    socket.write_all(&frame(&renamed)).await?;
    socket.flush().await
}

async fn read_command(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut flags = [0];
    client.read_exact(&mut flags).await?;
    let size = match flags[0] {
        COMMAND => {
            let mut size = [0];
            client.read_exact(&mut size).await?;
            u64::from(size[0])
        }
        LONG_COMMAND => {
            let mut size = [0; 8];
            client.read_exact(&mut size).await?;
            u64::from_be_bytes(size)
        }
        _ => return Err(invalid("no command follows its greeting")),
    };
    let size =
        usize::try_from(size).ok().filter(|size| *size <= LONGEST).ok_or_else(|| invalid("its READY is long"))?;
    let mut body = vec![0; size];
    client.read_exact(&mut body).await?;
    Ok(body)
}

/// A READY with another identity; `None` if it is none.
fn replace_identity(ready: &[u8], rename: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    let mut rest = ready.strip_prefix(READY)?;
    let mut renamed = READY.to_vec();
    let mut identity: &[u8] = &[];
    while let Some((size, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*size))?;
        let (size, after) = after.split_first_chunk::<4>()?;
        let (value, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*size)).ok()?)?;
        if name.eq_ignore_ascii_case(IDENTITY) {
            identity = value;
        } else {
            renamed.extend_from_slice(&rest[..rest.len() - after.len()]);
        }
        rest = after;
    }
    let identity = rename(identity);
    renamed.extend_from_slice(b"\x08Identity");
    renamed.extend_from_slice(&u32::try_from(identity.len()).ok()?.to_be_bytes());
    renamed.extend_from_slice(&identity);
    Some(renamed)
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = match u8::try_from(body.len()) {
        Ok(size) => vec![COMMAND, size],
        Err(_) => [&[LONG_COMMAND][..], &(body.len() as u64).to_be_bytes()].concat(),
    };
    frame.extend_from_slice(body);
    frame
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEALER: &[u8] = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER";

    fn with_identity(identity: &[u8]) -> Vec<u8> {
        let size = u32::try_from(identity.len()).unwrap().to_be_bytes();
        [DEALER, b"\x08Identity", &size, identity].concat()
    }

    #[test]
    fn the_name_is_replaced_and_all_else_stays() {
        let renamed = replace_identity(&with_identity(b"me"), |own| [own, b"-1"].concat()).unwrap();
        assert_eq!(renamed, with_identity(b"me-1"));
        assert_eq!(replace_identity(DEALER, |own| [own, b"7"].concat()).unwrap(), with_identity(b"7"));
        let lower = [DEALER, b"\x08identity\x00\x00\x00\x01x"].concat();
        assert_eq!(replace_identity(&lower, <[u8]>::to_vec).unwrap(), with_identity(b"x"));
    }

    #[test]
    fn what_is_no_ready_is_refused() {
        for broken in [&b""[..], b"\x05HELLO", b"\x05READY\x08Ident", b"\x05READY\x01a\xff\xff\xff\xff"] {
            assert!(replace_identity(broken, <[u8]>::to_vec).is_none(), "{broken:?}");
        }
    }

    #[async_std::test]
    async fn a_greeting_goes_through_and_a_long_name_gets_a_long_frame() {
        let greeting = [0xff; GREETING];
        let name = [b'n'; 255];
        let sent = [&greeting[..], &frame(&with_identity(&name)), b"more"].concat();
        let mut client = futures::io::Cursor::new(sent.clone());
        let mut socket = Vec::new();
        introduce(&mut client, &mut socket, <[u8]>::to_vec).await.unwrap();
        assert_eq!(socket, &sent[..sent.len() - 4]);
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"more");
    }

    #[async_std::test]
    async fn whoever_asks_for_something_else_is_refused() {
        let greeting = [0xff; GREETING];
        for command in [&[0, 1, 7][..], &[LONG_COMMAND, 0xff, 0, 0, 0, 0, 0, 0, 0], b"\x04\x03abc", b""] {
            let mut client = futures::io::Cursor::new([&greeting[..], command].concat());
            assert!(introduce(&mut client, &mut Vec::new(), <[u8]>::to_vec).await.is_err(), "{command:?}");
        }
    }
}
