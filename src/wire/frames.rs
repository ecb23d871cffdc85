//! Multipart messages on the wire: `identities… · <IDS|MSG> · signature · header · parent header · metadata · content ·
//! buffers…`, signed with HMAC-SHA256.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::{HashSet, VecDeque};

/// Stands between the routing identities and the message.
pub const DELIMITER: &[u8] = b"<IDS|MSG>";

/// How many signatures are remembered so that a recorded message cannot be sent again: 65,536 of 32 bytes each, like
/// Jupyter's own `Session`.
const REMEMBERED: usize = 1 << 16;

/// The frames of one message, still as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    /// Routing identities; on iopub, the topic.
    pub identities: Vec<Vec<u8>>,
    /// JSON of the header.
    pub header: Vec<u8>,
    /// JSON of the parent's header, `{}` if there is none.
    pub parent: Vec<u8>,
    /// JSON of the metadata.
    pub metadata: Vec<u8>,
    /// JSON of the content.
    pub content: Vec<u8>,
    /// Binary attachments. Not signed: that is how Jupyter has it.
    pub buffers: Vec<Vec<u8>>,
}

/// Why frames are no message that the kernel will look at. None of these gets a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No [`DELIMITER`].
    #[error("a message without a delimiter, in {0} frames; it does not come from a Jupyter client")]
    NoDelimiter(usize),
    /// Cut off.
    #[error("a message with {0} frames behind its delimiter, where five are the least")]
    TooShort(usize),
    /// Not signed with our key.
    #[error("a message with a wrong signature; it comes from someone who does not have this kernel's connection file")]
    WrongSignature,
    /// Seen before.
    #[error("a message that was received before; somebody plays back what they recorded")]
    Replayed,
}

/// Signs and verifies. With an empty key nothing is signed and everything is believed, as Jupyter demands.
#[derive(Debug)]
pub struct Signer {
    mac: Option<Hmac<Sha256>>,
    seen: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl Signer {
    /// A signer with the key of the connection file.
    pub fn new(key: &[u8]) -> Self {
        let mac = (!key.is_empty()).then(|| Hmac::new_from_slice(key).expect("HMAC takes keys of any length"));
        Self { mac, seen: HashSet::new(), order: VecDeque::new() }
    }

    /// Makes the frames to send.
    pub fn seal(&self, frames: Frames) -> Vec<Vec<u8>> {
        let parts = [frames.header, frames.parent, frames.metadata, frames.content];
        let signature = self.digest(&parts).map(hex::encode).unwrap_or_default();
        let mut sealed = frames.identities;
        sealed.push(DELIMITER.to_vec());
        sealed.push(signature.into_bytes());
        sealed.extend(parts);
        sealed.extend(frames.buffers);
        sealed
    }

    /// Takes received frames apart if they are signed with the key and were not seen before.
    ///
    /// ```
    /// use loopbook_kernel::wire::{FrameError, Frames, Signer};
    /// let mut signer = Signer::new(b"secret");
    /// let sealed = signer.seal(Frames { content: b"{}".to_vec(), ..Frames::default() });
    /// assert_eq!(signer.open(sealed.clone()).unwrap().content, b"{}");
    /// assert_eq!(signer.open(sealed), Err(FrameError::Replayed));
    /// ```
    ///
    /// # Errors
    /// As the variants of [`FrameError`] say.
    pub fn open(&mut self, mut frames: Vec<Vec<u8>>) -> Result<Frames, FrameError> {
        let Some(delimiter) = frames.iter().position(|frame| frame == DELIMITER) else {
            return Err(FrameError::NoDelimiter(frames.len()));
        };
        let mut rest = frames.split_off(delimiter).into_iter().skip(1);
        let (count, mut next) = (rest.len(), || rest.next());
        let (Some(signature), Some(header), Some(parent), Some(metadata), Some(content)) =
            (next(), next(), next(), next(), next())
        else {
            return Err(FrameError::TooShort(count));
        };
        let parts = [header, parent, metadata, content];
        self.verify(&signature, &parts)?;
        let [header, parent, metadata, content] = parts;
        Ok(Frames { identities: frames, header, parent, metadata, content, buffers: rest.collect() })
    }

    fn verify(&mut self, signature: &[u8], parts: &[Vec<u8>; 4]) -> Result<(), FrameError> {
        let Some(mut mac) = self.mac.clone() else { return Ok(()) };
        parts.iter().for_each(|part| mac.update(part));
        // The protocol writes digits from `a` to `f`; any other spelling comes from someone who changed the message.
        if signature.iter().any(u8::is_ascii_uppercase) {
            return Err(FrameError::WrongSignature);
        }
        let mut claimed = [0; 32];
        hex::decode_to_slice(signature, &mut claimed).map_err(|_| FrameError::WrongSignature)?;
        // Compares in constant time.
        mac.verify_slice(&claimed).map_err(|_| FrameError::WrongSignature)?;
        if !self.seen.insert(claimed) {
            return Err(FrameError::Replayed);
        }
        self.order.push_back(claimed);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        Ok(())
    }

    fn digest(&self, parts: &[Vec<u8>; 4]) -> Option<[u8; 32]> {
        let mut mac = self.mac.clone()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(content: &str) -> Frames {
        Frames {
            identities: vec![b"client".to_vec()],
            header: b"{\"msg_id\":\"1\"}".to_vec(),
            parent: b"{}".to_vec(),
            metadata: b"{}".to_vec(),
            content: content.as_bytes().to_vec(),
            buffers: vec![vec![0xff, 0]],
        }
    }

    #[test]
    fn the_signature_is_the_one_that_jupyter_client_computes() {
        // python3 -c "import hmac; print(hmac.new(b'secret', b'{\"msg_id\":\"1\"}{}{}{}', 'sha256').hexdigest())"
        let sealed = Signer::new(b"secret").seal(frames("{}"));
        assert_eq!(sealed[2], b"f6f00555a98e51dc0a7993a211211b64710b098200d21577542d73a6d7b8a667");
    }

    #[test]
    fn what_is_sealed_opens_as_it_was() {
        let mut signer = Signer::new(b"secret");
        assert_eq!(signer.open(signer.seal(frames("{}"))), Ok(frames("{}")));
    }

    #[test]
    fn a_changed_byte_or_another_key_is_refused() {
        let mut signer = Signer::new(b"secret");
        for index in 3..7 {
            let mut sealed = signer.seal(frames("{}"));
            sealed[index].push(b' ');
            assert_eq!(signer.open(sealed), Err(FrameError::WrongSignature), "frame {index}");
        }
        assert_eq!(signer.open(Signer::new(b"other").seal(frames("{}"))), Err(FrameError::WrongSignature));
        assert_eq!(signer.open(Signer::new(b"").seal(frames("{}"))), Err(FrameError::WrongSignature));
    }

    #[test]
    fn a_signature_in_other_letters_is_refused() {
        let mut signer = Signer::new(b"secret");
        let mut sealed = signer.seal(frames("{}"));
        sealed[2].make_ascii_uppercase();
        assert_eq!(signer.open(sealed), Err(FrameError::WrongSignature));
    }

    #[test]
    fn without_a_key_nothing_is_signed_and_everything_is_believed() {
        let mut signer = Signer::new(b"");
        let sealed = signer.seal(frames("{}"));
        assert_eq!(sealed[2], b"");
        assert_eq!(signer.open(sealed.clone()), Ok(frames("{}")));
        assert_eq!(signer.open(sealed), Ok(frames("{}")));
    }

    #[test]
    fn truncated_messages_are_refused_at_every_length() {
        let mut signer = Signer::new(b"secret");
        let sealed = signer.seal(frames("{}"));
        assert_eq!(signer.open(Vec::new()), Err(FrameError::NoDelimiter(0)));
        assert_eq!(signer.open(sealed[..1].to_vec()), Err(FrameError::NoDelimiter(1)));
        for length in 2..7 {
            assert_eq!(signer.open(sealed[..length].to_vec()), Err(FrameError::TooShort(length - 2)));
        }
    }

    #[test]
    fn the_memory_of_signatures_is_bounded() {
        let mut signer = Signer::new(b"secret");
        for number in 0..REMEMBERED + 10 {
            signer.open(signer.seal(frames(&number.to_string()))).expect("signed by ourselves");
        }
        assert_eq!((signer.seen.len(), signer.order.len()), (REMEMBERED, REMEMBERED));
    }
}
