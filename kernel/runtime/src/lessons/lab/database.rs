//! A "database": a table of a few rows, each query of which takes its time.

use super::client;
use super::server::{Kind, Server};
use serde::Serialize;
use std::io;
use std::time::Duration;

/// Id, title and year. The first column of what goes over the wire is the id, and tabs are between columns.
const BOOKS: [(u32, &str, u16); 6] = [
    (1, "A Discipline of Programming", 1976),
    (2, "Communicating Sequential Processes", 1985),
    (3, "Structure and Interpretation of Computer Programs", 1985),
    (4, "The Art of Multiprocessor Programming", 2008),
    (5, "The Rust Programming Language", 2018),
    (6, "Python Concurrency with asyncio", 2022),
];

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Book {
    /// From 1.
    pub id: u32,
    /// What it is called.
    pub title: String,
    /// When it was published.
    pub year: u16,
}

/// A database with one table, `books`, that takes its time for each answer; see [`database`].
#[derive(Debug)]
pub struct Database {
    server: Server,
}

/// Starts a database each query of which takes as long as `delay`. It has six books, and stops when it is dropped.
///
/// ```
/// use loopbook::{gather, lab};
/// use std::time::Duration;
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let database = lab::database(Duration::from_millis(50));
/// let (one, all) = gather!(database.book(5), database.books());
/// assert_eq!(one?.map(|book| book.year), Some(2018));
/// assert_eq!(all?.len(), 6);
/// assert_eq!(database.server().max_in_flight(), 2);
/// # Ok::<(), std::io::Error>(()) }).unwrap();
/// ```
///
/// # Panics
/// As [`server`](super::server()).
pub fn database(delay: Duration) -> Database {
    Database { server: Server::start(Kind::Http { delay }) }
}

impl Database {
    /// The book with this id, if there is one.
    ///
    /// ```
    /// # use loopbook::facade as async_std;
    /// # async_std::task::block_on(async {
    /// let database = loopbook::lab::database(std::time::Duration::ZERO);
    /// assert_eq!(database.book(1).await?.map(|book| book.id), Some(1));
    /// assert_eq!(database.book(100).await?, None);
    /// # Ok::<(), std::io::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn book(&self, id: u32) -> io::Result<Option<Book>> {
        let response = client::get(self.server.url(&format!("/books/{id}"))).await?;
        Ok(response.text().lines().next().filter(|_| response.is_success()).and_then(read))
    }

    /// All books, in the order of their ids.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn books(&self) -> io::Result<Vec<Book>> {
        let response = client::get(self.server.url("/books")).await?;
        Ok(response.text().lines().filter_map(read).collect())
    }

    /// The server behind it, which counts the queries.
    pub fn server(&self) -> &Server {
        &self.server
    }
}

/// All rows, a line for each.
pub(super) fn all() -> String {
    BOOKS.iter().map(line).collect()
}

/// The row with this id.
pub(super) fn one(id: &str) -> Option<String> {
    let id: u32 = id.parse().ok()?;
    BOOKS.iter().find(|book| book.0 == id).map(line)
}

fn line((id, title, year): &(u32, &str, u16)) -> String {
    format!("{id}\t{title}\t{year}\n")
}

fn read(line: &str) -> Option<Book> {
    let mut columns = line.split('\t');
    let (id, title, year) = (columns.next()?, columns.next()?, columns.next()?);
    Some(Book { id: id.parse().ok()?, title: title.to_owned(), year: year.parse().ok()? })
}
