//! What can stand behind a command: declared once, for those who read it, show it and complete it.

use loopbook_channel::{TaskId, TaskOrder};
use std::str::FromStr;

/// What `:tasks --sort` takes.
const ORDERS: [(&str, TaskOrder); 9] = [
    ("id", TaskOrder::Id),
    ("name", TaskOrder::Name),
    ("state", TaskOrder::State),
    ("cell", TaskOrder::Cell),
    ("busy", TaskOrder::Busy),
    ("scheduled", TaskOrder::Scheduled),
    ("idle", TaskOrder::Idle),
    ("polls", TaskOrder::Polls),
    ("wakes", TaskOrder::Wakes),
];

/// What a command takes.
#[derive(Debug, Clone, Copy)]
pub enum Arguments {
    /// Nothing.
    Nothing,
    /// Any of these, in any order; if one is given twice, the last counts.
    Options(&'static [Argument]),
    /// One of these.
    One(&'static [Argument]),
    /// One of these, or nothing.
    AtMostOne(&'static [Argument]),
    /// All that follows, as typed.
    Text {
        /// How the usage shows it.
        usage: &'static str,
        /// What it begins with.
        value: Value,
        /// Where something must follow: what to type, for those who typed nothing.
        example: Option<&'static str>,
    },
}

/// One argument: a word of its own, such as `--all`, a value, or a word with a value behind it.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// The word; empty if the value stands alone.
    pub word: &'static str,
    /// The value, if there is one.
    pub value: Option<Value>,
    /// What to add to the command's sentence if the value is wrong.
    pub remark: &'static str,
}

/// What stands for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The number of a cell.
    Cell,
    /// A column of `:tasks`.
    Column,
    /// A crate, and which.
    Crate,
    /// A level of optimisation.
    Level,
    /// A number of lines.
    Lines,
    /// A name of the notebook or of a crate.
    Name,
    /// The number of a task.
    Task,
    /// Words that mean something to the command alone.
    Text,
    /// A number of threads.
    Threads,
    /// A time, such as `5s`.
    Time,
    /// A command or a name.
    Topic,
}

/// What was given: each argument's word, and its value.
#[derive(Debug, Default)]
pub(super) struct Given<'a>(Vec<(&'static str, &'a str)>);

/// What is wrong with what was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong<'a> {
    /// There should be nothing.
    TooMany,
    /// There should be something, such as this.
    Missing(&'static str),
    /// The words as a whole.
    Words,
    /// There is no such option.
    Unknown(&'a str),
    /// The value of an option, on which there is this remark.
    Value(&'static str),
}

impl Argument {
    /// A word without a value.
    pub(super) const fn word(word: &'static str) -> Self {
        Self { word, value: None, remark: "" }
    }

    /// A value without a word.
    pub(super) const fn value(value: Value) -> Self {
        Self { word: "", value: Some(value), remark: "" }
    }

    /// A word and its value.
    pub(super) const fn with(word: &'static str, value: Value) -> Self {
        Self { word, value: Some(value), remark: "" }
    }

    fn usage(&self) -> String {
        [self.word, self.value.map_or("", Value::placeholder)].join(" ").trim().to_owned()
    }

    /// Reads words that are to be this argument and nothing else.
    fn read<'a>(&self, words: &[&'a str]) -> Option<Given<'a>> {
        let value = match (words, self.value) {
            ([word], None) if *word == self.word => "",
            ([value], Some(kind)) if self.word.is_empty() && kind.accepts(value) => value,
            ([word, value], Some(kind)) if *word == self.word && kind.accepts(value) => value,
            _ => return None,
        };
        Some(Given(vec![(self.word, value)]))
    }
}

impl Arguments {
    /// As they stand in a usage, behind the command's name.
    pub(super) fn usage(&self) -> String {
        let all = |arguments: &[Argument]| arguments.iter().map(Argument::usage).collect::<Vec<_>>();
        match self {
            Self::Nothing => String::new(),
            Self::Options(options) => format!("[{}]", all(options).join("] [")),
            Self::One(choices) => all(choices).join(" | "),
            Self::AtMostOne(choices) => format!("[{}]", all(choices).join(" | ")),
            Self::Text { usage, .. } => (*usage).to_owned(),
        }
    }

    /// Reads what stands behind the command, trimmed.
    pub(super) fn read<'a>(&self, args: &'a str) -> Result<Given<'a>, Wrong<'a>> {
        let words: Vec<&str> = args.split_whitespace().collect();
        match self {
            Self::Nothing | Self::AtMostOne(_) if words.is_empty() => Ok(Given::default()),
            Self::Nothing => Err(Wrong::TooMany),
            Self::Options(options) => options_of(options, &words),
            Self::One(choices) | Self::AtMostOne(choices) => {
                choices.iter().find_map(|choice| choice.read(&words)).ok_or(Wrong::Words)
            }
            Self::Text { example: Some(example), .. } if args.is_empty() => Err(Wrong::Missing(example)),
            Self::Text { .. } => Ok(Given(vec![("", args)])),
        }
    }

    /// What can be given in single words.
    pub fn all(&self) -> &'static [Argument] {
        match self {
            Self::Options(arguments) | Self::One(arguments) | Self::AtMostOne(arguments) => arguments,
            Self::Nothing | Self::Text { .. } => &[],
        }
    }
}

fn options_of<'a>(options: &[Argument], words: &[&'a str]) -> Result<Given<'a>, Wrong<'a>> {
    let mut given = Given::default();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let option = options.iter().find(|option| option.word == word).ok_or(Wrong::Unknown(word))?;
        let value = match option.value {
            None => "",
            Some(kind) => words.next().filter(|value| kind.accepts(value)).ok_or(Wrong::Value(option.remark))?,
        };
        given.0.push((option.word, value));
    }
    Ok(given)
}

impl<'a> Given<'a> {
    /// Whether this word was given.
    pub(super) fn has(&self, word: &str) -> bool {
        self.text_of(word).is_some()
    }

    /// The value behind this word, as typed; behind the empty word, that which stands alone.
    pub(super) fn text_of(&self, word: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }

    /// The number behind this word.
    pub(super) fn number<T: FromStr>(&self, word: &str) -> Option<T> {
        self.text_of(word)?.parse().ok()
    }

    /// All that follows the command, as typed.
    pub(super) fn text(&self) -> &'a str {
        self.text_of("").unwrap_or_default()
    }
}

impl Value {
    /// How it stands in a usage.
    fn placeholder(self) -> &'static str {
        match self {
            Self::Cell | Self::Threads => "N",
            Self::Column => "COLUMN",
            Self::Crate | Self::Name | Self::Text | Self::Topic => "NAME",
            Self::Level => "0|1|2|3",
            Self::Lines => "LINES",
            Self::Task => "ID",
            Self::Time => "5s",
        }
    }

    /// The words to choose from, if there are so few.
    pub fn choices(self) -> Vec<&'static str> {
        match self {
            Self::Level => vec!["0", "1", "2", "3"],
            Self::Column => ORDERS.iter().map(|(name, _)| *name).collect(),
            _ => Vec::new(),
        }
    }

    fn accepts(self, word: &str) -> bool {
        match self {
            Self::Cell => word.parse::<u32>().is_ok(),
            Self::Lines => word.parse::<u64>().is_ok(),
            Self::Task => word.parse::<TaskId>().is_ok(),
            Self::Threads => word.parse::<usize>().is_ok_and(|count| count > 0),
            Self::Time => seconds(word).is_some(),
            Self::Column | Self::Level => self.choices().contains(&word),
            Self::Crate | Self::Name | Self::Text | Self::Topic => true,
        }
    }
}

/// The order that a column's name stands for.
pub(super) fn order(name: &str) -> Option<TaskOrder> {
    ORDERS.iter().find(|(known, _)| *known == name).map(|(_, order)| *order)
}

/// A time as people write it: `5s`, `300ms`, `2m`, or a number of seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("", 1.0)];
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number * unit)
}
