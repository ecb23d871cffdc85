//! A table, as aligned text and as HTML.

use loopbook_channel::Escaped;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// A column.
pub(super) struct Column {
    pub(super) title: &'static str,
    /// Numbers stand to the right.
    pub(super) right: bool,
    /// Sentences, which go on in the next line. In HTML only.
    pub(super) wraps: bool,
}

/// One field. The colour and the hint appear in HTML only.
#[derive(Default)]
pub(super) struct Field {
    pub(super) text: String,
    pub(super) color: Option<&'static str>,
    pub(super) hint: Option<String>,
}

impl<T: Into<String>> From<T> for Field {
    fn from(text: T) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// A table with lines above and below it.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Field>>,
    pub(super) footer: Option<String>,
}

impl Table {
    /// Aligned text, without a newline at the end.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![self.caption.clone()];
        if !self.rows.is_empty() {
            let widths = self.widths();
            let titles: Vec<&str> = self.columns.iter().map(|column| column.title).collect();
            lines.push(self.line(&titles, &widths));
            for row in &self.rows {
                let fields: Vec<&str> = row.iter().map(|field| field.text.as_str()).collect();
                lines.push(self.line(&fields, &widths));
            }
        }
        lines.extend(self.footer.clone());
        lines.join("\n")
    }

    /// HTML that carries its own style: readable on light and dark backgrounds and in an exported page.
    pub(super) fn html(&self) -> String {
        let mut html = format!("<div style=\"font-size:90%;opacity:.8\">{}</div>", Escaped(&self.caption));
        if !self.rows.is_empty() {
            html += "<table style=\"border-collapse:collapse;font-size:90%\"><thead><tr>";
            for column in &self.columns {
                let _ = write!(html, "<th style=\"{}\">{}</th>", style(column, true), Escaped(column.title));
            }
            html += "</tr></thead><tbody>";
            for row in &self.rows {
                html += "<tr>";
                for (column, field) in self.columns.iter().zip(row) {
                    html_field(&mut html, column, field);
                }
                html += "</tr>";
            }
            html += "</tbody></table>";
        }
        if let Some(footer) = &self.footer {
            let _ = write!(html, "<div style=\"font-size:90%;opacity:.8\">{}</div>", Escaped(footer));
        }
        html
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |(at, column): (usize, &Column)| {
            self.rows.iter().map(|row| row[at].text.width()).chain([column.title.width()]).max().unwrap_or(0)
        };
        self.columns.iter().enumerate().map(widest).collect()
    }

    fn line(&self, fields: &[&str], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((column, field), &width) in self.columns.iter().zip(fields).zip(widths) {
            let padding = " ".repeat(width.saturating_sub(field.width()));
            let (before, after) = if column.right { (padding.as_str(), "") } else { ("", padding.as_str()) };
            let _ = write!(line, "{before}{field}{after}  ");
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn html_field(html: &mut String, column: &Column, field: &Field) {
    let hint = field.hint.as_ref().map(|hint| format!(" title=\"{}\"", Escaped(hint))).unwrap_or_default();
    let _ = write!(html, "<td style=\"{}\"{hint}>", style(column, false));
    let _ = match field.color {
        // A mark, because no colour of words can be read on light and on dark pages.
        Some(color) => write!(html, "<b><span style=\"color:{color}\">●</span> {}</b>", Escaped(&field.text)),
        None => write!(html, "{}", Escaped(&field.text)),
    };
    html.push_str("</td>");
}

fn style(column: &Column, heading: bool) -> String {
    let align = if column.right { "right" } else { "left" };
    let line = if heading { ";border-bottom:1px solid rgba(128,128,128,.5)" } else { "" };
    let wrap = if column.wraps { "normal" } else { "nowrap" };
    format!("text-align:{align};padding:2px 8px;white-space:{wrap}{line}")
}
