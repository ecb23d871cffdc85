//! Escaping text for HTML.

/// Text in which nothing is taken for HTML.
pub(in crate::evaluator) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
