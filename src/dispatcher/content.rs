//! Finds evcxr's rich content in what a cell prints:
//!
//! ```text
//! EVCXR_BEGIN_CONTENT image/svg+xml
//! <svg …
//! EVCXR_END_CONTENT
//! ```
//!
//! Crates with an `evcxr_display` method print such blocks. Everything else is text, also evcxr's other markers and
//! blocks that never end.

use crate::wire::mime_value;
use loopbook_channel::MimeBundle;

const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "\nEVCXR_END_CONTENT\n";

/// A block that is longer than this many bytes is text after all.
const MAX_BLOCK: usize = 64 * 1024 * 1024;

/// No MIME type is as long as this, in bytes.
const MAX_MIME: usize = 256;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Plain text.
    Text(String),
    /// Something to show. Blocks that follow each other with different MIME types are one thing in several forms.
    Show(MimeBundle),
}

/// Scans text that comes in pieces, and holds back what may be (part of) a block.
#[derive(Debug)]
pub(super) struct Scanner {
    /// Begins with what may be a marker, or is empty.
    held: String,
    /// Whether `held` begins a line.
    at_line_start: bool,
    /// How much of `held` is known not to hold the end of the block.
    searched: usize,
    bundle: MimeBundle,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { held: String::new(), at_line_start: true, searched: 0, bundle: MimeBundle::new() }
    }
}

impl Scanner {
    /// Takes more text; gives what is certain.
    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.held.push_str(text);
        loop {
            let begin = self.find_begin();
            self.emit_text(begin, &mut pieces);
            if !self.take_block(&mut pieces) {
                break;
            }
        }
        if self.held.len() > MAX_BLOCK {
            self.emit_text(self.held.len(), &mut pieces);
        }
        pieces
    }

    /// Whether something is held back that is not a block that has begun.
    pub(super) fn holds_briefly(&self) -> bool {
        !self.bundle.is_empty() || (!self.held.is_empty() && !self.in_block())
    }

    /// Whether anything is held back.
    pub(super) fn holds(&self) -> bool {
        !self.bundle.is_empty() || !self.held.is_empty()
    }

    /// Gives what is held back, except a block that has begun.
    pub(super) fn release_brief(&mut self) -> Vec<Piece> {
        if self.in_block() {
            let mut pieces = Vec::new();
            self.emit_bundle(&mut pieces);
            return pieces;
        }
        self.release()
    }

    /// Gives everything that is held back.
    pub(super) fn release(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.emit_text(self.held.len(), &mut pieces);
        self.emit_bundle(&mut pieces);
        pieces
    }

    fn in_block(&self) -> bool {
        self.held.starts_with(BEGIN)
    }

    /// Offset of the first place where a block begins or may begin; the length of the held text if there is none.
    fn find_begin(&self) -> usize {
        if self.at_line_start && may_begin(&self.held) {
            return 0;
        }
        let mut lines = self.held.match_indices('\n').map(|(newline, _)| newline + 1);
        lines.find(|&start| start < self.held.len() && may_begin(&self.held[start..])).unwrap_or(self.held.len())
    }

    /// Takes the block with which the held text begins. False if there is none, or not all of it.
    fn take_block(&mut self, pieces: &mut Vec<Piece>) -> bool {
        let Some(rest) = self.held.strip_prefix(BEGIN) else { return false };
        let Some(mime_end) = rest.bytes().take(MAX_MIME).position(|byte| byte == b'\n') else {
            if rest.len() < MAX_MIME {
                return false;
            }
            self.emit_text(BEGIN.len(), pieces);
            return true;
        };
        let mime = rest[..mime_end].to_owned();
        let body_start = BEGIN.len() + mime_end;
        if !is_mime_type(&mime) {
            self.emit_text(body_start + 1, pieces);
            return true;
        }
        // The newline behind the MIME type may be the one before the end marker: the block is empty then.
        let from = self.searched.max(body_start);
        let Some(length) = self.held[from..].find(END) else {
            let tail = self.held.len().saturating_sub(END.len());
            self.searched = self.held.floor_char_boundary(tail).max(body_start);
            return false;
        };
        let body_end = from + length;
        let body = self.held.get(body_start + 1..body_end).unwrap_or_default().to_owned();
        self.held.drain(..body_end + END.len());
        (self.searched, self.at_line_start) = (0, true);
        if self.bundle.contains_key(&mime) {
            self.emit_bundle(pieces);
        }
        let value = mime_value(&mime, body);
        self.bundle.insert(mime, value);
        true
    }

    fn emit_text(&mut self, length: usize, pieces: &mut Vec<Piece>) {
        if length == 0 {
            return;
        }
        self.emit_bundle(pieces);
        let text: String = self.held.drain(..length).collect();
        (self.searched, self.at_line_start) = (0, text.ends_with('\n'));
        match pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(&text),
            _ => pieces.push(Piece::Text(text)),
        }
    }

    fn emit_bundle(&mut self, pieces: &mut Vec<Piece>) {
        if !self.bundle.is_empty() {
            pieces.push(Piece::Show(std::mem::take(&mut self.bundle)));
        }
    }
}

/// Whether a line that begins like this begins a block, or would with more text behind it.
fn may_begin(line: &str) -> bool {
    line.starts_with(BEGIN) || (!line.is_empty() && BEGIN.starts_with(line))
}

fn is_mime_type(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+.".contains(&b));
    text.split_once('/').is_some_and(|(kind, name)| part(kind) && part(name))
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
