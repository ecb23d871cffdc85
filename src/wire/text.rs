//! Cursor positions: Jupyter counts code points, Rust counts bytes.

/// The byte offset of a position in code points; the end of the text if it lies behind it.
///
/// ```
/// use loopbook_kernel::wire::{byte_offset, code_point_offset};
/// assert_eq!(byte_offset("né🦀x", 3), 7);
/// assert_eq!(byte_offset("x", 9), 1);
/// assert_eq!(code_point_offset("né🦀x", 7), 3);
/// ```
pub fn byte_offset(text: &str, code_points: usize) -> usize {
    text.char_indices().nth(code_points).map_or(text.len(), |(offset, _)| offset)
}

/// The position in code points of a byte offset; of the character in which it lies, if it lies within one.
pub fn code_point_offset(text: &str, bytes: usize) -> usize {
    text.char_indices().take_while(|(offset, c)| offset + c.len_utf8() <= bytes).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_the_way_there_and_back() {
        let text = "let é = \"🦀e\u{301}\";\r\n";
        for position in 0..=text.chars().count() {
            assert_eq!(code_point_offset(text, byte_offset(text, position)), position);
        }
    }

    #[test]
    fn an_offset_within_a_character_is_before_it() {
        assert_eq!(code_point_offset("🦀", 2), 0);
        assert_eq!(code_point_offset("a🦀", 400), 2);
    }
}
