//! Pages of documentation: what an author wrote for rustdoc, as a front end can show it. Lines that rustdoc hides are left
//! out, code is coloured, and links that only rustdoc could follow are plain words.

use super::colour;
use loopbook_channel::{Escaped, MimeBundle};
use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html};
use std::ops::Range;

/// The page of an item: where it is, what it looks like, what is said of it, and what else has its name.
pub(in crate::evaluator) fn of_item(path: &str, signature: &str, docs: &str, others: &[&str]) -> MimeBundle {
    let also = others.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    let also = if also.is_empty() { also } else { format!("\n\nOf the same name: {also}.") };
    of_markdown(&format!("`{path}`\n\n```rust\n{signature}\n```\n\n{}{also}", clean(docs).trim()))
}

/// A page of Markdown whose code blocks say their language, in every format.
pub(super) fn of_markdown(text: &str) -> MimeBundle {
    let text = text.trim();
    let bundle = [("text/plain", plain(text)), ("text/markdown", text.to_owned()), ("text/html", to_html(text))];
    bundle.into_iter().map(|(mime, text)| (mime.to_owned(), text.into())).collect()
}

/// What rust-analyzer says of a name, as text and as HTML: without the lines that rustdoc hides, and with coloured code.
#[cfg(any(feature = "rust", test))]
pub(in crate::evaluator) fn of_hover(text: &str, html: &str) -> MimeBundle {
    let mut hidden = Vec::new();
    let mut shown = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, block, after)) = next_block(rest) {
        let (language, code) = block;
        let code = unescape(code);
        let (visible, left_out) = if is_rust(language) { visible(&code) } else { (code, Vec::new()) };
        hidden.extend(left_out);
        shown.push_str(before);
        shown.push_str(&block_of(&visible, is_rust(language)));
        rest = after;
    }
    shown.push_str(rest);
    // In the text nothing says where code begins, so each hidden line is looked for.
    let mut hidden = hidden.into_iter().peekable();
    let lines = text.lines().filter(|line| hidden.next_if(|hidden| hidden.trim() == line.trim()).is_none());
    let text = lines.collect::<Vec<_>>().join("\n");
    let bundle = [("text/plain", text), ("text/html", shown)];
    bundle.into_iter().map(|(mime, text)| (mime.to_owned(), text.into())).collect()
}

/// Text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Documentation as Markdown that means the same outside of rustdoc.
fn clean(docs: &str) -> String {
    let link = &mut |link: BrokenLink<'_>| is_path(&link.reference).then(|| (CowStr::from(""), CowStr::from("")));
    let parser = Parser::new_with_broken_link_callback(docs, Options::ENABLE_TABLES, Some(link));
    let definitions = parser.reference_definitions().iter();
    let mut edits: Vec<(Range<usize>, String)> = definitions
        .filter(|(_, definition)| !is_address(&definition.dest))
        .map(|(_, definition)| (with_line_end(docs, definition.span.clone()), String::new()))
        .collect();
    let mut open: Option<(Range<usize>, Option<Range<usize>>)> = None;
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) if !is_address(&dest_url) => open = Some((range, None)),
            Event::End(TagEnd::Link) => {
                if let Some((whole, Some(inner))) = open.take() {
                    edits.push((whole, docs[inner].to_owned()));
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) if is_rust(&language) => {
                edits.push((range.clone(), fenced(&docs[range])));
            }
            _ => {
                if let Some((_, inner)) = &mut open {
                    let start = inner.as_ref().map_or(range.start, |inner| inner.start.min(range.start));
                    *inner = Some(start..inner.as_ref().map_or(range.end, |inner| inner.end.max(range.end)));
                }
            }
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut text = docs.to_owned();
    for (range, new) in edits.into_iter().rev() {
        text.replace_range(range, &new);
    }
    text
}

/// A stretch with the end of its line, so that no blank line is left of it.
fn with_line_end(text: &str, range: Range<usize>) -> Range<usize> {
    let end = range.end + usize::from(text[range.end..].starts_with('\n'));
    range.start..end
}

/// A block of Rust, from fence to fence, without its hidden lines.
fn fenced(block: &str) -> String {
    let lines = block.lines().enumerate().filter_map(|(index, line)| match index {
        0 => {
            let fence = line.trim_end_matches(|c| c != '`' && c != '~');
            Some(format!("{fence}rust"))
        }
        _ => shown(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line of an example, unless rustdoc hides it.
fn shown(line: &str) -> Option<String> {
    let text = line.trim_start();
    if text == "#" || text.starts_with("# ") {
        return None;
    }
    Some(if text.starts_with("##") { line.replacen("##", "#", 1) } else { line.to_owned() })
}

/// An example without its hidden lines, and those.
#[cfg(any(feature = "rust", test))]
fn visible(code: &str) -> (String, Vec<String>) {
    let hidden = code.lines().filter(|line| shown(line).is_none()).map(str::to_owned).collect();
    let lines: Vec<String> = code.lines().filter_map(shown).collect();
    (lines.join("\n") + "\n", hidden)
}

/// Whether rustdoc takes a block of this language for Rust.
fn is_rust(language: &str) -> bool {
    let is_rusts = |word: &str| {
        matches!(word, "rust" | "ignore" | "no_run" | "should_panic" | "compile_fail" | "standalone" | "language-rust")
            || word.starts_with("edition")
            || word.starts_with("ignore-")
            || (word.len() == 5 && word.starts_with('E'))
    };
    language.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()).all(is_rusts)
}

fn is_address(link: &str) -> bool {
    link.starts_with("http://") || link.starts_with("https://")
}

/// Whether the words in brackets name an item, rather than being brackets of a sentence.
fn is_path(reference: &str) -> bool {
    let name = reference.trim_matches('`');
    let is_in_path = |c: char| c.is_alphanumeric() || "_:!()<>&@, ".contains(c);
    name.len() < reference.len()
        || (name.starts_with(|c: char| c.is_alphabetic()) && name.chars().all(is_in_path) && !name.contains(' '))
}

/// Code is indented instead of fenced.
fn plain(text: &str) -> String {
    let mut in_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            lines.push(format!("    {line}").trim_end().to_owned());
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}

fn to_html(text: &str) -> String {
    let mut code: Option<(bool, String)> = None;
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    let events = parser.filter_map(|event| match event {
        Event::Start(Tag::CodeBlock(kind)) => {
            let is_rusts = matches!(&kind, CodeBlockKind::Fenced(language) if &**language == "rust");
            code = Some((is_rusts, String::new()));
            None
        }
        Event::Text(text) if code.is_some() => {
            code.as_mut()?.1.push_str(&text);
            None
        }
        Event::End(TagEnd::CodeBlock) => {
            let (is_rusts, text) = code.take()?;
            Some(Event::Html(block_of(&text, is_rusts).into()))
        }
        other => Some(other),
    });
    let mut html = String::new();
    push_html(&mut html, events);
    html
}

fn block_of(code: &str, is_rusts: bool) -> String {
    let (class, code) =
        if is_rusts { (" class=\"language-rust\"", colour::rust(code)) } else { ("", Escaped(code).to_string()) };
    format!("<pre><code{class}>{code}</code></pre>\n")
}

/// What comes before the first block of code, its language and its text, and what follows.
#[cfg(any(feature = "rust", test))]
fn next_block(html: &str) -> Option<(&str, (&str, &str), &str)> {
    let (before, rest) = html.split_once("<pre><code")?;
    let (class, rest) = rest.split_once('>')?;
    let (code, after) = rest.split_once("</code></pre>\n").or_else(|| rest.split_once("</code></pre>"))?;
    let language = class.trim().trim_start_matches("class=").trim_matches('"');
    Some((before, (language, code), after))
}

#[cfg(any(feature = "rust", test))]
fn unescape(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCS: &str = "Runs [`a`](crate::a), [both][`b`], see [the book](https://doc.rust-lang.org) and v[0].

```no_run
# use x;
#[derive(Debug)]
#
struct S;
## kept
```

```text
# a heading
```

[`b`]: crate::b";

    #[test]
    fn what_only_rustdoc_understands_is_made_plain() {
        let text = clean(DOCS);
        assert!(text.starts_with("Runs `a`, both, see [the book](https://doc.rust-lang.org) and v[0]."), "{text}");
        assert!(text.contains("```rust\n#[derive(Debug)]\nstruct S;\n# kept\n```"), "{text}");
        assert!(text.contains("```text\n# a heading\n```"), "{text}");
        assert!(!text.contains("crate::b"), "{text}");
    }

    #[test]
    fn a_page_says_the_same_in_every_format() {
        let page = of_item("a::f", "pub fn f(s: &str)", DOCS, &["b::f"]);
        assert!(page.keys().eq(["text/html", "text/markdown", "text/plain"]), "{page:?}");
        let text = |mime: &str| page[mime].as_str().unwrap().to_owned();
        for mime in ["text/html", "text/markdown", "text/plain"] {
            assert!(text(mime).contains("b::f") && text(mime).contains("Runs"), "{mime}: {}", text(mime));
            assert!(!text(mime).contains("use x"), "{mime}: {}", text(mime));
        }
        assert!(text("text/markdown").contains("```rust\npub fn f(s: &str)\n```"));
        assert!(text("text/plain").contains("    struct S;") && !text("text/plain").contains("```"));
        assert!(text("text/html").contains("<pre><code class=\"language-rust\"><span style=\"color:"));
    }

    #[test]
    fn what_rust_analyzer_says_loses_its_hidden_lines_and_gets_colours() {
        let text = "a\n\nfn f()\n\nDoes it.\n\n# use x;\nlet y = \"<\";";
        let html = "<pre><code>a\n</code></pre>\n<p>Does it.</p>\n<pre><code># use x;\nlet y = &quot;&lt;&quot;;\n</code></pre>\n";
        let page = of_hover(text, html);
        assert_eq!(page["text/plain"], "a\n\nfn f()\n\nDoes it.\n\nlet y = \"<\";");
        let html = page["text/html"].as_str().unwrap();
        assert!(!html.contains("use x") && html.contains(">let</span>") && html.contains("&lt;"), "{html}");
    }
}
