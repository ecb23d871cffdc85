//! The history as a table in SQLite: in a file that all kernels of a person share, or in memory.

use crate::evaluator::ShellId;
use crate::wire::{Access, HistoryEntry, HistoryRequest};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Params, Row, params};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait while another kernel writes.
const BUSY: Duration = Duration::from_secs(5);

/// A session is one shell of one kernel; it exists from its first entry on. `id` counts up in the order of time.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, start TEXT DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY, session INTEGER NOT NULL, line INTEGER NOT NULL, input TEXT NOT NULL, output TEXT
    );
    CREATE INDEX IF NOT EXISTS entries_by_session ON entries (session, line);
";

/// Remembers, whatever happens to the file: a damaged one is renamed and a new one begun, one that cannot be used is
/// replaced by memory, and a line in the log says so.
pub(super) struct Keeper {
    store: Store,
    file: Option<PathBuf>,
}

/// An open table.
struct Store {
    connection: Connection,
    sessions: BTreeMap<ShellId, i64>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Keeper {
    /// Remembers as long as it lives.
    pub(super) fn in_memory() -> Self {
        Self { store: Store::in_memory(), file: None }
    }

    /// Remembers in this file; makes it if there is none.
    pub(super) fn open(file: PathBuf) -> Self {
        match Store::open(&file) {
            Ok(store) => Self { store, file: Some(file) },
            Err(error) => {
                let mut keeper = Self { store: Store::in_memory(), file: Some(file) };
                keeper.recover(&error);
                keeper
            }
        }
    }

    pub(super) fn record(&mut self, shell: ShellId, line: u32, input: &str) {
        self.attempt(|store| store.record(shell, line, input));
    }

    pub(super) fn set_output(&mut self, shell: ShellId, line: u32, output: &str) {
        self.attempt(|store| store.set_output(shell, line, output));
    }

    /// What the client asks for, oldest first.
    pub(super) fn find(&mut self, shell: ShellId, request: &HistoryRequest) -> Vec<HistoryEntry> {
        let mut found = self.attempt(|store| store.find(shell, &request.access)).unwrap_or_default();
        if !request.output {
            found.iter_mut().for_each(|entry| entry.output = None);
        }
        found
    }

    /// Does this; if the file is at fault, once more with what takes its place.
    fn attempt<T>(&mut self, work: impl Fn(&mut Store) -> rusqlite::Result<T>) -> Option<T> {
        let error = match work(&mut self.store) {
            Ok(done) => return Some(done),
            Err(error) => error,
        };
        if is_busy(&error) {
            tracing::warn!("an entry of the history is lost: another program keeps its file locked");
            return None;
        }
        self.recover(&error.into());
        work(&mut self.store).inspect_err(|error| tracing::warn!("the history: {error}")).ok()
    }

    /// Takes something else in place of the file.
    fn recover(&mut self, error: &StoreError) {
        let Some(file) = self.file.take() else { return };
        let shown = file.display();
        if is_damaged(error) {
            let aside = file.with_extension(format!("damaged-{}", chrono::Utc::now().format("%Y%m%d-%H%M%S")));
            tracing::warn!(
                "the history in {shown} is damaged ({error}); it is now {}, and a new one begins",
                aside.display()
            );
            let reopened = fs::rename(&file, &aside).map_err(StoreError::from).and_then(|()| Store::open(&file));
            match reopened {
                Ok(store) => {
                    *self = Self { store, file: Some(file) };
                    return;
                }
                Err(error) => tracing::warn!("the history cannot begin anew: {error}"),
            }
        }
        tracing::warn!("the history in {shown} cannot be used ({error}); it is kept only as long as this kernel lives");
        self.store = Store::in_memory();
    }
}

impl Store {
    fn in_memory() -> Self {
        let connection = Connection::open_in_memory().and_then(Self::with);
        connection.expect("a new database in memory takes any valid schema")
    }

    fn open(file: &Path) -> Result<Self, StoreError> {
        if let Some(directory) = file.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        // What people execute is nobody else's business, and SQLite would let everybody read it.
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
        if opened.metadata()?.permissions().mode() & 0o077 != 0 {
            // Made by hand, or by an earlier version: in a directory of others it may stay as it is.
            let _is_somebody_elses = opened.set_permissions(Permissions::from_mode(0o600));
        }
        let connection = Connection::open(file)?;
        connection.busy_timeout(BUSY)?;
        Ok(Self::with(connection)?)
    }

    fn with(connection: Connection) -> rusqlite::Result<Self> {
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, sessions: BTreeMap::new() })
    }

    fn record(&mut self, shell: ShellId, line: u32, input: &str) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let session = match self.sessions.get(&shell) {
            Some(session) => *session,
            None => {
                transaction.execute("INSERT INTO sessions DEFAULT VALUES", [])?;
                transaction.last_insert_rowid()
            }
        };
        let entry = "INSERT INTO entries (session, line, input) VALUES (?1, ?2, ?3)";
        transaction.execute(entry, params![session, line, input])?;
        transaction.commit()?;
        self.sessions.insert(shell, session);
        Ok(())
    }

    fn set_output(&mut self, shell: ShellId, line: u32, output: &str) -> rusqlite::Result<()> {
        let Some(session) = self.sessions.get(&shell) else { return Ok(()) };
        let update = "UPDATE entries SET output = ?3 WHERE session = ?1 AND line = ?2";
        self.connection.execute(update, params![session, line, output])?;
        Ok(())
    }

    fn find(&mut self, shell: ShellId, access: &Access) -> rusqlite::Result<Vec<HistoryEntry>> {
        match access {
            Access::Tail { n } => self.tail(shell, *n),
            Access::Range { session, start, stop } => {
                let Some(session) = self.session(shell, *session)? else { return Ok(Vec::new()) };
                let stop = stop.map_or(i64::MAX, i64::from);
                self.entries("session = ?1 AND line >= ?2 AND line < ?3 ORDER BY id", params![session, start, stop])
            }
            Access::Search { pattern, n, unique } => {
                let limit = n.map_or(-1, limit);
                let wanted = if *unique {
                    "id IN (SELECT max(id) FROM entries WHERE input GLOB ?1 GROUP BY input) ORDER BY id DESC LIMIT ?2"
                } else {
                    "input GLOB ?1 ORDER BY id DESC LIMIT ?2"
                };
                let mut newest_first = self.entries(wanted, params![pattern, limit])?;
                newest_first.reverse();
                Ok(newest_first)
            }
        }
    }

    /// The end of this session, and before it that of all others.
    fn tail(&self, shell: ShellId, n: usize) -> rusqlite::Result<Vec<HistoryEntry>> {
        let session = self.sessions.get(&shell).copied().unwrap_or(0);
        let mut found = self.entries("session = ?1 ORDER BY id DESC LIMIT ?2", params![session, limit(n)])?;
        let rest = limit(n - found.len());
        found.extend(self.entries("session != ?1 ORDER BY id DESC LIMIT ?2", params![session, rest])?);
        found.reverse();
        Ok(found)
    }

    /// The session that a request means: 0 is the shell's own, -1 the one before it.
    fn session(&self, shell: ShellId, asked: i64) -> rusqlite::Result<Option<i64>> {
        let own = self.sessions.get(&shell).copied();
        match asked {
            1.. => Ok(Some(asked)),
            0 => Ok(own),
            _ => {
                let earlier = "SELECT id FROM sessions WHERE id < ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2";
                let nth = asked.saturating_neg() - 1;
                let id = |row: &Row<'_>| row.get(0);
                self.connection.query_row(earlier, params![own.unwrap_or(i64::MAX), nth], id).optional()
            }
        }
    }

    fn entries(&self, wanted: &str, params: impl Params) -> rusqlite::Result<Vec<HistoryEntry>> {
        let query = format!("SELECT session, line, input, output FROM entries WHERE {wanted}");
        let entry = |row: &Row<'_>| {
            let output = row.get::<_, Option<String>>(3)?;
            Ok(HistoryEntry { session: row.get(0)?, line: row.get(1)?, input: row.get(2)?, output: Some(output) })
        };
        self.connection.prepare(&query)?.query_map(params, entry)?.collect()
    }
}

fn limit(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether the file holds something that is no history, or no longer one.
fn is_damaged(error: &StoreError) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, SqliteFailure};
    let StoreError::Sqlite(error) = error else { return false };
    match error {
        InvalidColumnType(..) | FromSqlConversionFailure(..) => true,
        // An unknown error is what SQLite says when tables are missing or have other columns.
        SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
        }
        rusqlite::Error::SqlInputError { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "history_store_tests.rs"]
mod tests;
