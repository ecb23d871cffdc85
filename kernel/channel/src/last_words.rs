//! What the child says when a signal ends it. The signal's handler writes it into a pipe that the kernel reads afterwards.
//!
//! A handler may neither allocate nor lock, so this is a line of text per fact, written by [`Words`]; a process that is
//! ended while it writes leaves the lines before.

use crate::TaskId;
use std::fmt::{self, Write};

/// How a process was ended by a signal, as far as it could say so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastWords {
    /// The signal's number.
    pub signal: i32,
    /// What the system says about it: positive if an instruction caused it, else another process sent it.
    pub code: i32,
    /// The address that caused it; means nothing if it was sent.
    pub address: u64,
    /// The size in bytes of the stack that was used up, if one was.
    pub overflow: Option<u64>,
    /// The name of the thread that caused it.
    pub thread: Option<String>,
    /// The task that ran on that thread.
    pub task: Option<LastTask>,
    /// What the code said just before.
    pub cause: Option<String>,
}

/// The task that was at work when a process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastTask {
    /// Its number.
    pub id: TaskId,
    /// The execution count of the cell that caused it.
    pub cell: Option<u32>,
    /// The line of that cell that started it.
    pub line: Option<u32>,
    /// Its name. That of a cell's own task is the cell's.
    pub name: Option<String>,
}

impl LastWords {
    /// Reads what a process has left; `None` if it has left nothing.
    ///
    /// ```
    /// use loopbook_channel::{LastWords, Words};
    /// use std::fmt::Write;
    /// let mut words = Words::new([0; 64]);
    /// words.signal(11, 1, 0);
    /// words.overflow(65536);
    /// words.task(7, Some(3), None, Some("fetch"));
    /// let read = LastWords::parse(words.as_bytes()).unwrap();
    /// assert_eq!((read.signal, read.overflow), (11, Some(65536)));
    /// assert_eq!(read.task.unwrap().name.as_deref(), Some("fetch"));
    /// ```
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut words = Self::default();
        for line in String::from_utf8_lossy(bytes).lines() {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            let mut parts = rest.splitn(4, ' ');
            let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
            match what {
                "signal" => {
                    let signed = |number: Option<u64>| number.and_then(|n| u32::try_from(n).ok()).map(u32::cast_signed);
                    words.signal = signed(number())?;
                    words.code = signed(number())?;
                    words.address = number()?;
                }
                "overflow" => words.overflow = number(),
                "task" => {
                    let id = number()?;
                    let mut count = || number().and_then(|n| u32::try_from(n).ok()).filter(|n| *n != 0);
                    let (cell, line) = (count(), count());
                    let name = parts.next().filter(|name| !name.is_empty()).map(str::to_owned);
                    words.task = Some(LastTask { id, cell, line, name });
                }
                "thread" => words.thread = Some(rest.to_owned()),
                "cause" => words.cause = Some(rest.to_owned()),
                _ => {}
            }
        }
        (words.signal != 0).then_some(words)
    }
}

/// Text in a buffer of fixed size; what does not fit is left out.
#[derive(Debug)]
pub struct Words<B> {
    buffer: B,
    len: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Words<B> {
    /// Nothing yet.
    pub fn new(buffer: B) -> Self {
        Self { buffer, len: 0 }
    }

    /// See [`LastWords::signal`], [`LastWords::code`] and [`LastWords::address`].
    pub fn signal(&mut self, signal: i32, code: i32, address: u64) {
        let _it_fits = writeln!(self, "signal {} {} {address}", signal.cast_unsigned(), code.cast_unsigned());
    }

    /// See [`LastWords::overflow`].
    pub fn overflow(&mut self, size: usize) {
        let _it_fits = writeln!(self, "overflow {size}");
    }

    /// See [`LastWords::thread`].
    pub fn thread(&mut self, name: &str) {
        let _what_fits = self.write_str("thread ");
        self.line(name);
    }

    /// See [`LastWords::task`].
    pub fn task(&mut self, id: TaskId, cell: Option<u32>, line: Option<u32>, name: Option<&str>) {
        let _it_fits = write!(self, "task {id} {} {} ", cell.unwrap_or(0), line.unwrap_or(0));
        self.line(name.unwrap_or_default());
    }

    /// See [`LastWords::cause`].
    pub fn cause(&mut self, cause: &str) {
        let _what_fits = self.write_str("cause ");
        self.line(cause);
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer.as_ref()[..self.len]
    }

    /// A text without its line breaks, and the end of the line.
    fn line(&mut self, text: &str) {
        for (index, part) in text.split(['\n', '\r']).enumerate() {
            let _what_fits = self.write_str(if index == 0 { "" } else { " " });
            let _what_fits = self.write_str(part);
        }
        let _what_fits = self.write_str("\n");
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Write for Words<B> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = &mut self.buffer.as_mut()[self.len..];
        let count = text.len().min(rest.len());
        rest[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_says_nothing_leaves_nothing() {
        assert_eq!(LastWords::parse(b""), None);
        assert_eq!(LastWords::parse(b"task 1 2 3 x\n"), None);
    }

    #[test]
    fn all_facts_survive() {
        let mut words = Words::new([0; 256]);
        words.signal(6, -6, 0);
        words.task(3, None, Some(9), Some("two\nlines"));
        words.cause("x y");
        let read = LastWords::parse(words.as_bytes()).expect("words");
        assert_eq!((read.signal, read.code, read.overflow), (6, -6, None));
        let task = LastTask { id: 3, cell: None, line: Some(9), name: Some("two lines".into()) };
        assert_eq!((read.task, read.cause.as_deref()), (Some(task), Some("x y")));
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut words = Words::new([0; 20]);
        words.signal(11, 1, 4096);
        words.cause("a long story");
        assert_eq!(LastWords::parse(words.as_bytes()).map(|words| words.address), Some(4096));
    }
}
