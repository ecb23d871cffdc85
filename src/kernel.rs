//! One kernel process from start to end: sockets, evaluator and dispatcher put together, and the three ways to end (a
//! client asks for it, a signal asks for it, the client has died).

use std::io::{self, IsTerminal as _};
use std::path::{self, Path};
use std::sync::Arc;

use anyhow::Context as _;
use async_std::channel::{Receiver, Sender};
use async_std::task;
use tracing_subscriber::EnvFilter;

use crate::dispatcher::{Kernel, Settings, Signal};
use crate::evaluator::toy::Toy;
use crate::evaluator::{Evaluator, Event};
use crate::sockets::{self, ConnectionFile};
use crate::watch::{Parent, Signals};

/// Environment variable with the level of the log on stderr: `error`, `warn` (the default), `info`, `debug`, or a
/// filter as `tracing` knows it.
pub const LOG_ENV: &str = "LOOPBOOK_LOG";

/// Events that may wait for the dispatcher. A cell that prints faster than clients read has to wait.
#[cfg(feature = "rust")]
const EVENTS: usize = 256;

/// What the kernel speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust, by evcxr.
    Rust,
    /// The toy language of the protocol's tests.
    Toy,
}

/// Runs a kernel until it is told to end. Must be called while the process has one thread only.
///
/// # Errors
/// If the connection file is wrong, an address is taken, or the evaluator cannot start.
pub fn run(connection_file: &Path, language: Language) -> anyhow::Result<()> {
    log();
    let parent = Parent::from_environment();
    // The evaluator changes the current directory: the path must not depend on it from here on.
    let connection = ConnectionFile::read(&path::absolute(connection_file)?)?;
    match language {
        Language::Rust => rust(&connection, parent),
        Language::Toy => serve(&connection, parent, Settings::default(), || {
            let (toy, events) = Toy::new();
            Ok((toy, events))
        }),
    }
}

#[cfg(feature = "rust")]
fn rust(connection: &ConnectionFile, parent: Parent) -> anyhow::Result<()> {
    use crate::evaluator::rust::{Refusing, RustEvaluator, prepare};
    // Found here because the evaluator changes the current directory.
    let history = crate::home::history_file().and_then(|file| path::absolute(file).ok());
    let prepared = crate::home::Home::find().map_err(anyhow::Error::from).and_then(|home| prepare(&home));
    let rust_version = prepared.as_ref().map(|prepared| prepared.rust_version().to_owned()).unwrap_or_default();
    let settings = Settings { rust_version, history, ..Settings::default() };
    serve(connection, parent, settings, || {
        let (sender, events) = async_std::channel::bounded(EVENTS);
        let evaluator = match prepared {
            Ok(prepared) => RustEvaluator::start(prepared, sender)?,
            Err(error) => {
                tracing::error!("{error:#}");
                Refusing::start(&error, sender)
            }
        };
        Ok((evaluator, events))
    })
}

#[cfg(not(feature = "rust"))]
fn rust(_connection: &ConnectionFile, _parent: Parent) -> anyhow::Result<()> {
    anyhow::bail!("this program was built without the feature `rust`; build it with `cargo build --release --locked`")
}

fn serve(
    connection: &ConnectionFile,
    parent: Parent,
    settings: Settings,
    start: impl FnOnce() -> anyhow::Result<(Arc<dyn Evaluator>, Receiver<Event>)>,
) -> anyhow::Result<()> {
    let signals = Signals::install().context("cannot handle signals")?;
    task::block_on(async {
        let (transport, sockets) = sockets::bind(connection).await?;
        let (evaluator, events) = start()?;
        let settings = Settings {
            key: connection.key().into(),
            late_output: crate::dispatcher::LateOutputSwitch::from_env(),
            ..settings
        };
        let kernel = Kernel::new(transport, evaluator.clone(), events, settings);
        task::spawn(pass_signals(signals, kernel.signals()));
        task::spawn(watch(parent, kernel.signals()));
        let exit = kernel.run().await;
        tracing::info!("the kernel ends: {exit:?}");
        sockets.close().await;
        evaluator.shutdown();
        Ok(())
    })
}

async fn pass_signals(mut signals: Signals, kernel: Sender<Signal>) {
    // Sending fails only when the kernel has ended.
    while kernel.send(signals.next().await).await.is_ok() {}
}

async fn watch(parent: Parent, kernel: Sender<Signal>) {
    parent.gone().await;
    // Fails only when the kernel has ended already.
    let _ = kernel.send(Signal::Terminate).await;
    tracing::warn!("the process that started the kernel has died");
}

fn log() {
    // The ZeroMQ crate takes a client that leaves for an error.
    let filter = filter();
    let stderr = io::stderr();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(stderr.is_terminal()).with_writer(io::stderr);
    // A terminal that is gone must not make the log panic. Initialising fails only if there is a log already, which is
    // as good.
    let _ = log.try_init();
}

/// A bare level is meant for the kernel's own messages: rust-analyzer's would fill the log.
fn filter() -> EnvFilter {
    let asked = std::env::var(LOG_ENV).unwrap_or_else(|_| "warn".into());
    let directives = if asked.contains('=') { asked } else { format!("off,loopbook_kernel={asked}") };
    EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("off,loopbook_kernel=warn"))
}
