//! Decoding UTF-8 that comes in pieces.

/// Decodes a stream of bytes that may be cut anywhere. What is not UTF-8 becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The beginning of a character whose end has not come: at most three bytes.
    unfinished: Vec<u8>,
}

impl Decoder {
    /// The text of these bytes, with what was unfinished before them and without what is unfinished at their end.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        let joined = [std::mem::take(&mut self.unfinished).as_slice(), bytes].concat();
        let mut rest = joined.as_slice();
        let mut text = String::with_capacity(rest.len());
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    return text;
                }
                Err(error) => error,
            };
            let (valid, invalid) = rest.split_at(error.valid_up_to());
            text.push_str(&String::from_utf8_lossy(valid));
            let Some(length) = error.error_len() else {
                self.unfinished = invalid.to_vec();
                return text;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            rest = &invalid[length..];
        }
    }

    /// What is left when nothing more comes.
    pub(super) fn finish(&mut self) -> &'static str {
        if std::mem::take(&mut self.unfinished).is_empty() { "" } else { "\u{fffd}" }
    }
}

#[cfg(test)]
mod tests {
    use super::Decoder;

    #[test]
    fn text_may_be_cut_between_any_two_bytes() {
        let text = "né🦀\u{fffd}x\n";
        for cut in 0..=text.len() {
            let mut decoder = Decoder::default();
            let (before, after) = text.as_bytes().split_at(cut);
            assert_eq!(decoder.push(before) + &decoder.push(after) + decoder.finish(), text);
        }
    }

    #[test]
    fn text_decodes_byte_by_byte_as_it_does_at_once() {
        let bytes = b"\xff\xc3(\xe2\x82\xf0\x9f\xa6\x80ok\xed\xa0\x80\xe2";
        let mut decoder = Decoder::default();
        let mut pieces: String = bytes.iter().map(|byte| decoder.push(&[*byte])).collect();
        pieces += decoder.finish();
        assert_eq!(pieces, String::from_utf8_lossy(bytes));
    }
}
