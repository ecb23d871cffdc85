//! Where the time of a cell went, as `:timing` shows it.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

/// A part of a cell's way through the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The compiler with all around it: what evcxr waits for.
    Build,
    /// The same for a look at what is wrong with a cell, which makes nothing that could be run.
    Check,
    /// cargo, which finds out what is to be compiled, and has it compiled.
    Cargo,
    /// rustc alone, with the linker.
    Rustc,
    /// The linker, if it was not the C compiler that called it.
    Link,
    /// The library was there already: nothing was compiled.
    Cache,
}

const RUSTC: &str = "of it rustc";

/// The compiler gets a cell without the variables that it does not name, and with them if it fails.
const RUSTC_AGAIN: &str = "of it rustc, once more: with variables that the cell did not seem to use";

/// One step, and from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What was done.
    pub step: Step,
    /// When it began.
    pub begin: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// The code of rustc's first error, if the step has failed by one.
    pub error: Option<String>,
}

/// What is known of a cell that has ended.
#[derive(Debug, Clone)]
pub struct Timing {
    /// When the cell was taken up.
    pub begin: SystemTime,
    /// When evcxr got it.
    pub given: Option<SystemTime>,
    /// What the compiler did.
    pub spans: Vec<Span>,
    /// When its library was loaded and it might run.
    pub loaded: Option<SystemTime>,
    /// When the process of the cells said that it has ended.
    pub done: Option<SystemTime>,
    /// When the kernel was through with it.
    pub end: SystemTime,
}

/// One row of the table: what, how long, and whether it is part of the row above.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: String,
    time: Duration,
    is_part: bool,
}

impl Timing {
    /// All of it.
    pub fn total(&self) -> Duration {
        between(self.begin, self.end)
    }

    /// As plain text.
    pub fn text(&self) -> String {
        let mut text = format!("Took {:.3} s.", self.total().as_secs_f64());
        for Row { name, time, is_part } in self.rows() {
            let indent = if is_part { "    " } else { "" };
            let _infallible = write!(text, "\n{indent}{:>7.3} s  {name}", time.as_secs_f64());
        }
        text
    }

    /// As a table, in whatever colours the page has.
    pub fn html(&self) -> String {
        let total = self.total().as_secs_f64();
        let mut html = format!("<table><caption>Took {total:.3} s</caption><thead><tr><th scope=\"col\">Step</th>");
        html += "<th scope=\"col\">Seconds</th></tr></thead><tbody>";
        for Row { name, time, is_part } in self.rows() {
            let style = if is_part { "padding-left: 2.5em" } else { "font-weight: 600" };
            let name = name.replace('&', "&amp;").replace('<', "&lt;");
            let _infallible = write!(
                html,
                "<tr><td style=\"text-align: left; {style}\">{name}</td><td>{:.3}</td></tr>",
                time.as_secs_f64()
            );
        }
        html + "</tbody></table>"
    }

    fn rows(&self) -> Vec<Row> {
        let Some(given) = self.given else { return vec![row("commands and preparation", self.begin, self.end)] };
        let mut rows = vec![row("preparation", self.begin, given)];
        let rounds: Vec<_> = self.spans.iter().filter(|span| matches!(span.step, Step::Build | Step::Check)).collect();
        let Some(last) = rounds.last() else {
            rows.push(row("evcxr", given, self.end));
            return rows;
        };
        rows.push(row("evcxr, before the compiler", given, rounds[0].begin));
        for (place, span) in rounds.iter().enumerate() {
            if let Some(before) = place.checked_sub(1).map(|before| rounds[before]) {
                rows.push(row("evcxr, between two rounds of the compiler", before.end, span.begin));
            }
            rows.push(row(&self.round(&rounds, place), span.begin, span.end));
            let is_round = |part: &&Span| matches!(part.step, Step::Build | Step::Check);
            let parts: Vec<_> =
                self.spans.iter().filter(|part| !is_round(part) && inside(part, span)).map(part).collect();
            let is_again = |place: usize| place > 0 && parts[..place].iter().any(|before| before.name == RUSTC);
            rows.extend(parts.iter().enumerate().map(|(place, part)| match part.name == RUSTC && is_again(place) {
                true => Row { name: RUSTC_AGAIN.to_owned(), ..part.clone() },
                false => part.clone(),
            }));
        }
        let Some(loaded) = self.loaded.filter(|loaded| *loaded >= last.end) else {
            rows.push(row("evcxr, after the compiler", last.end, self.end));
            return rows;
        };
        let done = self.done.filter(|done| *done >= loaded).unwrap_or(self.end);
        rows.push(row("loading", last.end, loaded));
        rows.push(row("running", loaded, done));
        rows.push(row("evcxr and the kernel, afterwards", done, self.end));
        rows
    }

    /// What to call a round of the compiler: the first, or why there is one more.
    fn round(&self, rounds: &[&Span], place: usize) -> String {
        let span = rounds[place];
        let is_from_cache = self.spans.iter().any(|part| part.step == Step::Cache && inside(part, span));
        let what = match span.step {
            _ if is_from_cache => "from the cache",
            Step::Check => "compiler, to see what is wrong",
            _ => "compiler",
        };
        let Some(before) = place.checked_sub(1).map(|before| rounds[before]) else { return what.to_owned() };
        format!("{what}, once more: {}", why_again(before.error.as_deref()))
    }
}

/// Why a build is followed by another one.
fn why_again(error: Option<&str>) -> String {
    match error {
        Some(code @ ("E0382" | "E0505" | "E0507" | "E0381")) => format!("a variable was moved ({code})"),
        Some("E0277") => "`?`, or a value that cannot be shown or kept (E0277)".to_owned(),
        Some(code @ ("E0308" | "E0282" | "E0283")) => format!("the type of a variable was not known ({code})"),
        Some(code) => format!("the compiler found {code}"),
        None => "what it gave could not be taken over as it was".to_owned(),
    }
}

fn row(name: &str, from: SystemTime, to: SystemTime) -> Row {
    Row { name: name.to_owned(), time: between(from, to), is_part: false }
}

fn part(span: &Span) -> Row {
    let name = match span.step {
        Step::Link => "of it the linker",
        Step::Cargo => "of it cargo",
        Step::Cache => "of it the cache",
        _ => RUSTC,
    };
    Row { name: name.to_owned(), time: between(span.begin, span.end), is_part: true }
}

fn inside(part: &Span, whole: &Span) -> bool {
    part.begin >= whole.begin && part.end <= whole.end
}

fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis)
    }

    fn span(step: Step, begin: u64, end: u64) -> Span {
        Span { step, begin: at(begin), end: at(end), error: None }
    }

    fn timing(spans: Vec<Span>) -> Timing {
        Timing { begin: at(0), given: Some(at(3)), spans, loaded: Some(at(250)), done: Some(at(280)), end: at(300) }
    }

    fn spans_of(times: &[(u64, u64)]) -> Vec<String> {
        let rustc = times.iter().map(|&(begin, end)| span(Step::Rustc, begin, end));
        let rows = timing(rustc.chain([span(Step::Build, 10, 100)]).collect()).rows();
        rows.into_iter().filter(|row| row.is_part).map(|row| row.name).collect()
    }

    #[test]
    fn every_millisecond_is_in_one_row_and_parts_are_in_the_row_above() {
        let first = Span { error: Some("E0382".into()), ..span(Step::Build, 10, 100) };
        let spans = vec![span(Step::Rustc, 12, 95), first, span(Step::Link, 200, 220)];
        let spans = spans.into_iter().chain([span(Step::Rustc, 115, 230), span(Step::Build, 110, 240)]).collect();
        let timing = timing(spans);
        assert_eq!(spans_of(&[(12, 50), (51, 95)]), [RUSTC, RUSTC_AGAIN]);
        let expected = "Took 0.300 s.\n  0.003 s  preparation\n  0.007 s  evcxr, before the compiler\n  0.090 s  compiler\n      \
            0.083 s  of it rustc\n  0.010 s  evcxr, between two rounds of the compiler\n  0.130 s  compiler, once more: a \
            variable was moved (E0382)\n      0.020 s  of it the linker\n      0.115 s  of it rustc\n  0.010 s  loading\n  \
            0.030 s  running\n  0.020 s  evcxr and the kernel, afterwards";
        assert_eq!(timing.text(), expected);
        let whole: Duration = timing.rows().iter().filter(|row| !row.is_part).map(|row| row.time).sum();
        assert_eq!(whole, timing.total());
        assert_eq!(timing.html().matches("<tr>").count(), timing.rows().len() + 1);
    }

    #[test]
    fn a_cell_from_the_cache_says_so() {
        let text = timing(vec![span(Step::Cache, 11, 12), span(Step::Build, 10, 13)]).text();
        assert!(text.contains("0.003 s  from the cache\n      0.001 s  of it the cache"), "{text}");
    }

    #[test]
    fn what_has_not_run_has_fewer_rows() {
        let failed = Timing { loaded: None, done: None, ..timing(vec![span(Step::Build, 10, 100)]) };
        assert!(failed.text().ends_with("0.200 s  evcxr, after the compiler"), "{}", failed.text());
        let commands = Timing { given: None, ..failed };
        assert_eq!(commands.text(), "Took 0.300 s.\n  0.300 s  commands and preparation");
    }
}
