//! Frames: how messages lie on the socket.
//!
//! `length (u32, little endian, of what follows) · kind (u8) · body`. Kind 0 is JSON; kinds 1 and 2 are what was printed
//! to stdout and stderr: `cell (u64, little endian) · bytes`.

use crate::{CellId, Stream};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read, Write};

/// The largest frame that is sent, in bytes; longer output is split by the sender.
pub const MAX_FRAME: usize = 64 * 1024 * 1024;

const JSON: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;

/// One frame, with messages of type `M`.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame<M> {
    /// A message.
    Message(M),
    /// Something printed.
    Output {
        /// The cell that caused it.
        cell: CellId,
        /// Where it was printed.
        stream: Stream,
        /// What.
        bytes: Vec<u8>,
    },
}

/// Why a frame could not be read or written.
#[derive(Debug)]
pub enum FrameError {
    /// The other side is gone.
    Closed,
    /// The socket failed.
    Io(io::Error),
    /// The bytes are no frame of this version; the text says what is wrong.
    Malformed(String),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("the other side has closed the channel"),
            Self::Io(error) => write!(f, "the channel failed: {error}"),
            Self::Malformed(what) => write!(f, "the channel carries something that is not ours: {what}"),
        }
    }
}

impl std::error::Error for FrameError {}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes one frame with a single `write_all`, so that a frame is never torn by a signal or a dying process's neighbour.
///
/// # Errors
/// [`FrameError::Io`] if the socket fails, [`FrameError::Malformed`] if the frame is larger than [`MAX_FRAME`].
pub fn write_frame<M: Serialize>(writer: &mut impl Write, frame: &Frame<M>) -> Result<(), FrameError> {
    let mut buffer = vec![0; 4];
    match frame {
        Frame::Message(message) => {
            buffer.push(JSON);
            serde_json::to_writer(&mut buffer, message).map_err(|e| FrameError::Malformed(e.to_string()))?;
        }
        Frame::Output { cell, stream, bytes } => {
            buffer.push(if *stream == Stream::Stdout { STDOUT } else { STDERR });
            buffer.extend_from_slice(&cell.to_le_bytes());
            buffer.extend_from_slice(bytes);
        }
    }
    let length = buffer.len() - 4;
    if length > MAX_FRAME {
        return Err(FrameError::Malformed(format!("a frame of {length} bytes is larger than {MAX_FRAME}")));
    }
    buffer[..4].copy_from_slice(&(length as u32).to_le_bytes());
    writer.write_all(&buffer)?;
    Ok(())
}

/// Reads one frame. Give it a buffered reader: it reads in small pieces.
///
/// ```
/// use loopbook_channel::{Frame, Stream, ToKernel, read_frame, write_frame};
/// let mut socket = Vec::new();
/// let sent: Frame<ToKernel> = Frame::Output { cell: 7, stream: Stream::Stderr, bytes: vec![0xff, b'x'] };
/// write_frame(&mut socket, &sent).unwrap();
/// assert_eq!(read_frame::<ToKernel>(&mut socket.as_slice()).unwrap(), sent);
/// ```
///
/// # Errors
/// [`FrameError::Closed`] at the end of the stream, otherwise as the variants say.
pub fn read_frame<M: DeserializeOwned>(reader: &mut impl Read) -> Result<Frame<M>, FrameError> {
    let mut length = [0; 4];
    reader.read_exact(&mut length).map_err(closed)?;
    let length = u32::from_le_bytes(length) as usize;
    if length == 0 || length > MAX_FRAME {
        return Err(FrameError::Malformed(format!("a frame of {length} bytes")));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).map_err(closed)?;
    let kind = body.remove(0);
    match kind {
        JSON => serde_json::from_slice(&body).map(Frame::Message).map_err(|e| FrameError::Malformed(e.to_string())),
        STDOUT | STDERR if body.len() >= 8 => {
            let bytes = body.split_off(8);
            let cell = CellId::from_le_bytes(body.try_into().map_err(|_| FrameError::Malformed("cell".into()))?);
            let stream = if kind == STDOUT { Stream::Stdout } else { Stream::Stderr };
            Ok(Frame::Output { cell, stream, bytes })
        }
        _ => Err(FrameError::Malformed(format!("a frame of kind {kind} with {} bytes", body.len()))),
    }
}

fn closed(error: io::Error) -> FrameError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => FrameError::Closed,
        _ => FrameError::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToKernel;

    #[test]
    fn a_frame_that_is_cut_off_is_a_closed_channel() {
        let mut socket = Vec::new();
        write_frame(&mut socket, &Frame::Message(ToKernel::MayBegin)).expect("writing to memory");
        socket.pop();
        assert!(matches!(read_frame::<ToKernel>(&mut socket.as_slice()), Err(FrameError::Closed)));
    }

    #[test]
    fn rubbish_is_refused_with_a_reason() {
        let bytes = [2, 0, 0, 0, 9, 9];
        let Err(FrameError::Malformed(what)) = read_frame::<ToKernel>(&mut bytes.as_slice()) else {
            panic!("kind 9 was accepted");
        };
        assert!(what.contains("kind 9"), "{what}");
    }
}
