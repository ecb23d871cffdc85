//! Questions to rust-analyzer between two cells: completions, and pages about names.

use super::session::Session;
use crate::evaluator::Completions;
use crate::evaluator::cell::without_commands;
use crate::evaluator::completion::cursor::word_at;
use crate::evaluator::completion::rust_analyzer::{Offer, readable};
use crate::evaluator::reference::page;
use loopbook_channel::MimeBundle;

impl Session {
    /// Completions from rust-analyzer.
    pub(super) fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        let Ok(found) = self.context.completions(&without_commands(code), cursor) else {
            return Completions::default();
        };
        let offers =
            found.completions.into_iter().map(|offer| Offer { code: offer.code, kind: offer.kind, label: offer.label });
        let items = readable(offers, code.get(found.start_offset..cursor).unwrap_or_default());
        Completions { start: found.start_offset, end: found.end_offset, items }
    }

    /// What is known of a name, by rust-analyzer if that finds it, else by the names of the crates that every cell sees.
    pub(super) fn look_up(&mut self, name: &str) -> Option<MimeBundle> {
        let name = name.trim().trim_end_matches("()");
        self.inspect(name, name.len()).or_else(|| self.names.look_up(name, true))
    }

    /// Documentation from rust-analyzer.
    pub(super) fn inspect(&mut self, code: &str, cursor: usize) -> Option<MimeBundle> {
        let code = without_commands(code);
        let word = word_at(&code, cursor)?;
        let end = word.as_ptr() as usize - code.as_ptr() as usize + word.len();
        let (text, html) = self.context.hover_at(&code, end).ok()?;
        if text == "No documentation found" {
            return None;
        }
        // The crate that evcxr compiles cells in is nobody's business.
        let text = text.strip_prefix("ctx\n").unwrap_or(&text).trim_start();
        let html = html.replacen("<pre><code class=\"language-rust\">ctx\n</code></pre>\n", "", 1);
        // It begins with where the item is defined.
        let place = text.lines().next().unwrap_or_default();
        let known = self.names.reference().describe_canonical(&format!("{place}::{word}"));
        Some(known.unwrap_or_else(|| page::of_hover(text, &html)))
    }
}
