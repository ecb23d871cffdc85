//! `loopbook inspect`: the loop of a kernel that runs, seen from a terminal. It asks on a comm, so it is answered whatever
//! the kernel's cells do.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use async_std::future::timeout;
use async_std::task;
use clap::Args;
use loopbook_channel::Query;

use crate::evaluator::commands::{self, Command, Look};
use crate::sockets::{Client, ConnectionFile};
use crate::transport::Channel;
use crate::wire::{InspectComm, Session, Told};

/// How long a kernel may take to answer.
const ANSWERING: Duration = Duration::from_secs(10);

/// How long the kernel's first word is waited for: before it, what it publishes may not reach us yet.
const WELCOMING: Duration = Duration::from_secs(1);

/// Whom to ask, and how to show the answer.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(super) struct Options {
    /// The kernel's connection file; without it, the kernel is asked that was started last
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,
    /// Print the data as JSON
    #[arg(long)]
    json: bool,
}

/// Asks the kernel with this connection file, or the one that was started last, and prints what it says: what the command
/// of the same name says in a cell, or its data as JSON.
pub(super) fn inspect(mut options: Options, question: Vec<String>) -> anyhow::Result<()> {
    let question = take_options(question, &mut options)?;
    let query = query(&question)?;
    let told = match &options.kernel {
        Some(file) => task::block_on(ask(file, &query))?,
        None => ask_the_latest(&query)?,
    };
    println!("{}", if options.json { told.json } else { told.text });
    Ok(())
}

/// Takes our options out of a question. Whatever else begins with a hyphen there belongs to the command.
fn take_options(question: Vec<String>, options: &mut Options) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = question.into_iter();
    while let Some(word) = rest.next() {
        match word.split_once('=') {
            _ if word == "--json" => options.json = true,
            _ if word == "--kernel" => options.kernel = Some(rest.next().context("`--kernel` wants a file")?.into()),
            Some(("--kernel", file)) => options.kernel = Some(file.into()),
            _ => words.push(word),
        }
    }
    Ok(words)
}

fn query(question: &[String]) -> anyhow::Result<Query> {
    let (name, arguments) = question.split_first().map_or(("tasks", &[][..]), |(name, rest)| (name.as_str(), rest));
    let name = format!(":{}", name.trim_start_matches(':'));
    match commands::parse(&name, &arguments.join(" ")) {
        Ok(Command::Look(Look::Ask(query))) => Ok(query),
        Ok(_) => anyhow::bail!("`{name}` does not ask the loop anything; ask `tasks`, `loop` or `pstree`, for example"),
        Err(why) => anyhow::bail!("{why}"),
    }
}

async fn ask(file: &Path, query: &Query) -> anyhow::Result<Told> {
    let connection = ConnectionFile::read(file)?;
    let mut client = Client::connect(&connection).await.with_context(|| format!("cannot ask {}", file.display()))?;
    let _its_word_is_enough = timeout(WELCOMING, client.hear()).await;
    let mut session = Session::new(connection.key().as_bytes());
    let comm = InspectComm::new(query);
    client.send(session.request(Channel::Shell, &comm).frames).await?;
    let answer = async {
        loop {
            // A comm's messages are the same in both directions, and a kernel hears them on shell.
            let Ok(message) = session.open(Channel::Shell, client.hear().await?) else { continue };
            if let Some(answer) = message.request.ok().and_then(|heard| comm.answer_in(heard)) {
                return anyhow::Ok(answer);
            }
        }
    };
    let answer = timeout(ANSWERING, answer).await.context("the kernel does not answer; is it one of Loopbook's?")??;
    answer.map_err(anyhow::Error::msg)
}

fn ask_the_latest(query: &Query) -> anyhow::Result<Told> {
    let directory = runtime_directory().context("HOME is not set; name a connection file with `--kernel`")?;
    let files = connection_files(&directory);
    let tried = files.len();
    let told = files.iter().find_map(|file| task::block_on(ask(file, query)).ok());
    told.with_context(|| {
        format!(
            "none of the {tried} connection files in {} is that of a Loopbook kernel which runs and answers; start one, or \
             name its file with `--kernel`",
            directory.display()
        )
    })
}

/// Where Jupyter writes connection files: `jupyter --runtime-dir`.
fn runtime_directory() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = || {
        let shared = named("XDG_DATA_HOME").or_else(|| Some(named("HOME")?.join(".local/share")))?;
        named("JUPYTER_DATA_DIR").or(Some(shared.join("jupyter")))
    };
    named("JUPYTER_RUNTIME_DIR").or_else(|| Some(data()?.join("runtime")))
}

/// The connection files in a directory, the newest first.
fn connection_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_connection = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("kernel-") && name.ends_with(".json")
    };
    let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(is_connection).collect();
    let age = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    files.sort_by_key(|path| std::cmp::Reverse(age(path)));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_command_with_or_without_its_colon() {
        let asked = |words: &[&str]| query(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(asked(&[]).unwrap(), Query::Tasks { all: false, cell: None, sort: None });
        assert_eq!(asked(&["tasks", "--cell", "3"]).unwrap(), Query::Tasks { all: false, cell: Some(3), sort: None });
        assert_eq!(asked(&[":loop"]).unwrap(), Query::Loop);
        assert!(asked(&["vars"]).unwrap_err().to_string().contains("does not ask the loop"));
        assert!(asked(&["tsks"]).unwrap_err().to_string().contains("there is no command"));
    }

    #[test]
    fn options_may_stand_behind_the_question() {
        let taken = |words: &[&str]| {
            let mut options = Options::default();
            let words = words.iter().map(ToString::to_string).collect();
            take_options(words, &mut options).map(|words| (words.join(" "), options))
        };
        let both = || Options { kernel: Some("a b.json".into()), json: true };
        assert_eq!(taken(&["tasks", "--kernel", "a b.json", "--json"]).unwrap(), ("tasks".into(), both()));
        assert_eq!(taken(&["--json", "tasks", "--kernel=a b.json", "--all"]).unwrap(), ("tasks --all".into(), both()));
        assert_eq!(taken(&["tasks", "--cell", "3"]).unwrap(), ("tasks --cell 3".into(), Options::default()));
        assert!(taken(&["tasks", "--kernel"]).is_err());
    }

    #[test]
    fn the_newest_connection_file_comes_first() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, seconds: u64| {
            let path = directory.path().join(name);
            let file = std::fs::File::create(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            path
        };
        let (old, new) = (file("kernel-1.json", 1), file("kernel-2.json", 2));
        file("nbserver-3.json", 3);
        assert_eq!(connection_files(directory.path()), [new, old]);
        assert!(connection_files(&directory.path().join("none")).is_empty());
    }
}
