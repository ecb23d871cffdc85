//! The routes of a lab server: its answer to each path.

use super::database;
use super::http::Head;
use std::time::Duration;

/// What `/` and an unknown path say.
const PATHS: &str = "\
/delay/MS          answers after so many milliseconds
/headers           answers with the headers of the request
/echo              answers with the body of the request
/slow/COUNT/MS     sends so many lines, each after so many milliseconds
/flaky/N           fails with status 503 every N-th time
/drop              closes the connection without an answer
/books /books/ID   a small table
";

/// The most lines of `/slow`.
const MOST_LINES: u32 = 100_000;

/// What is to be done about a request.
#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    /// To answer after a while.
    Answer { after: Duration, status: u16, body: Vec<u8> },
    /// To answer with so many lines, each after a while.
    Drip { lines: u32, each: Duration },
    /// To close the connection.
    Drop,
}

impl Plan {
    /// An answer at once.
    pub(super) fn now(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { after: Duration::ZERO, status, body: body.into() }
    }
}

/// What to do about a request, and how often `/flaky` of this number was asked before comes from `asked`. `delay` is what a
/// database takes for each answer.
pub(super) fn plan(head: &Head, body: Vec<u8>, delay: Duration, asked: impl FnOnce(u32) -> u32) -> Plan {
    let path = head.first[1].split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] => Plan::now(200, PATHS),
        ["delay", time] => match milliseconds(time) {
            Some(after) => Plan::Answer { after, status: 200, body: format!("Waited {time} ms.\n").into() },
            None => Plan::now(400, format!("/delay/{time}: a number of milliseconds is wanted, as in /delay/200\n")),
        },
        ["headers"] => {
            let lines = head.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
            Plan::now(200, lines.collect::<String>())
        }
        ["echo"] => Plan::now(200, body),
        ["slow", lines, each] => match (lines.parse(), milliseconds(each)) {
            (Ok(lines), Some(each)) if lines <= MOST_LINES => Plan::Drip { lines, each },
            _ => {
                Plan::now(400, "a number of lines (at most 100000) and of milliseconds is wanted, as in /slow/5/100\n")
            }
        },
        ["flaky", number] => match number.parse() {
            Ok(every) if every > 0 => flaky(every, asked(every)),
            _ => Plan::now(400, "a number from 1 up is wanted, as in /flaky/3\n"),
        },
        ["drop"] => Plan::Drop,
        ["books"] => Plan::Answer { after: delay, status: 200, body: database::all().into() },
        ["books", id] => match database::one(id) {
            Some(book) => Plan::Answer { after: delay, status: 200, body: book.into() },
            None => Plan::Answer { after: delay, status: 404, body: format!("no book has the id {id}\n").into() },
        },
        _ => Plan::now(404, format!("There is nothing at {path}. There is:\n{PATHS}")),
    }
}

fn flaky(every: u32, before: u32) -> Plan {
    let number = before + 1;
    if number.is_multiple_of(every) {
        Plan::now(503, format!("Request {number} fails, as every {every}. does.\n"))
    } else {
        Plan::now(200, format!("Request {number} is answered.\n"))
    }
}

/// Line `number` of `/slow`, from 1: all are equally long.
pub(super) fn drip(number: u32) -> String {
    format!("line {number:>6}\n")
}

/// A number of milliseconds, also with a fraction.
fn milliseconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse::<f64>().ok()? / 1e3).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Plan {
        let head = Head::parse(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).expect("well formed");
        plan(&head.expect("whole"), b"body".to_vec(), Duration::from_millis(7), |_| 2)
    }

    #[test]
    fn each_path_has_its_plan() {
        let answer = |after, body: &str| Plan::Answer {
            after: Duration::from_micros(after),
            status: 200,
            body: body.as_bytes().to_vec(),
        };
        assert_eq!(of("/delay/200"), answer(200_000, "Waited 200 ms.\n"));
        assert_eq!(of("/delay/0.5?a=b"), answer(500, "Waited 0.5 ms.\n"));
        assert_eq!(of("/headers"), answer(0, "host: x\n"));
        assert_eq!(of("/echo"), answer(0, "body"));
        assert_eq!(of("/slow/3/10"), Plan::Drip { lines: 3, each: Duration::from_millis(10) });
        assert_eq!(of("/drop"), Plan::Drop);
        assert!(matches!(of("/books"), Plan::Answer { after, status: 200, .. } if after.as_millis() == 7));
        assert!(matches!(of("/flaky/3"), Plan::Answer { status: 503, .. }));
        assert!(matches!(of("/flaky/4"), Plan::Answer { status: 200, .. }));
        assert!(drip(1).len() == drip(MOST_LINES).len());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        for path in ["/delay/soon", "/delay/-1", "/delay/inf", "/slow/x/1", "/slow/9999999999/1", "/flaky/0"] {
            assert!(matches!(of(path), Plan::Answer { status: 400, .. }), "{path}: {:?}", of(path));
        }
        for path in ["/nothing", "/books/99", "/delay"] {
            assert!(matches!(of(path), Plan::Answer { status: 404, .. }), "{path}: {:?}", of(path));
        }
    }
}
