//! Asking lab servers, from a task or from a thread that may block.

use super::http::{self, Head};
use super::server::common;
use async_std::io::{ReadExt, WriteExt};
use loopbook_channel::{counted, grouped};
use serde::{Serialize, Serializer};
use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Asks a lab server, and waits for all of the answer without occupying a thread.
///
/// What it takes is an address, as [`Server::url`](super::Server::url) gives it, or a time: then [`common`] is asked for an
/// answer after that time.
///
/// ```
/// use loopbook::lab;
/// use std::time::Duration;
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let server = lab::server();
/// assert_eq!(lab::get(server.url("/headers")).await?.status, 200);
/// assert_eq!(lab::get(Duration::from_millis(20)).await?.text(), "Waited 20 ms.\n");
/// # Ok::<(), std::io::Error>(()) }).unwrap();
/// ```
///
/// # Errors
/// When awaited: if the address is none of a lab server, if nobody listens there, or if the connection is closed before the
/// answer is complete. A status like 503 is an answer.
pub fn get(target: impl Into<Target>) -> Get {
    ask("GET", target.into(), Vec::new())
}

/// As [`get`], with a body, for `/echo`.
///
/// ```
/// use loopbook::lab;
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let server = lab::server();
/// assert_eq!(lab::post(server.url("/echo"), "hello").await?.text(), "hello");
/// # Ok::<(), std::io::Error>(()) }).unwrap();
/// ```
///
/// # Errors
/// As [`get`].
pub fn post(target: impl Into<Target>, body: impl Into<Vec<u8>>) -> Get {
    ask("POST", target.into(), body.into())
}

/// As [`get`], but blocks its thread until the answer is there. Inside a task it keeps all others from that thread, which
/// is what it is here to show.
///
/// ```
/// use loopbook::lab;
/// let server = lab::server();
/// assert_eq!(lab::get_blocking(server.url("/echo")).expect("it answers").status, 200);
/// ```
///
/// # Errors
/// As [`get`].
pub fn get_blocking(target: impl Into<Target>) -> io::Result<Response> {
    let (address, path) = target.into().resolve()?;
    let mut stream = std::net::TcpStream::connect(address).map_err(|error| nobody(address, &error))?;
    stream.write_all(&http::request("GET", &address.to_string(), &path, b""))?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Response::parse(&bytes)
}

/// What is asked for: an address or a time. See [`get`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Wanted);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Delay(Duration),
    Url(String),
}

impl From<Duration> for Target {
    fn from(delay: Duration) -> Self {
        Self(Wanted::Delay(delay))
    }
}

impl From<String> for Target {
    fn from(url: String) -> Self {
        Self(Wanted::Url(url))
    }
}

impl From<&String> for Target {
    fn from(url: &String) -> Self {
        Self(Wanted::Url(url.clone()))
    }
}

impl From<&str> for Target {
    fn from(url: &str) -> Self {
        Self(Wanted::Url(url.to_owned()))
    }
}

impl Target {
    /// Where to connect, and the path to ask for.
    fn resolve(self) -> io::Result<(SocketAddr, String)> {
        let url = match self.0 {
            Wanted::Delay(delay) => return Ok((common().addr(), format!("/delay/{}", delay.as_secs_f64() * 1e3))),
            Wanted::Url(url) => url,
        };
        let rest = url.strip_prefix("http://").unwrap_or(&url);
        let (host, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        let address = host.replace("localhost:", "127.0.0.1:").parse().map_err(|_| {
            let why = format!(
                "`{url}` is no address of a lab server: write `server.url(\"/delay/200\")`, or a time for a delay"
            );
            io::Error::new(ErrorKind::InvalidInput, why)
        })?;
        Ok((address, path.to_owned()))
    }
}

/// The future of [`get`] and [`post`]: nothing is sent before it is awaited. It can be kept in a variable.
#[must_use = "futures do nothing unless you `.await` them"]
pub struct Get(Pin<Box<dyn Future<Output = io::Result<Response>> + Send>>);

impl Future for Get {
    type Output = io::Result<Response>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Get {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Get: nothing is sent before it is awaited")
    }
}

fn ask(method: &'static str, target: Target, body: Vec<u8>) -> Get {
    Get(Box::pin(async move {
        let (address, path) = target.resolve()?;
        let stream = async_std::net::TcpStream::connect(address).await;
        let mut stream = stream.map_err(|error| nobody(address, &error))?;
        stream.write_all(&http::request(method, &address.to_string(), &path, &body)).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Response::parse(&bytes)
    }))
}

fn nobody(address: SocketAddr, error: &io::Error) -> io::Error {
    let why =
        format!("no connection with {address}: {error}. A server ends when its variable is dropped or defined anew");
    io::Error::new(error.kind(), why)
}

/// What a server has answered.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Response {
    /// 200 if all went well.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// What it is about. A text in JSON.
    #[serde(serialize_with = "text")]
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text.
    ///
    /// ```
    /// let response = loopbook::lab::get_blocking(std::time::Duration::from_millis(5)).expect("it answers");
    /// assert!(response.is_success());
    /// assert_eq!(response.text(), "Waited 5 ms.\n");
    /// ```
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header, whose name may be written in any case.
    ///
    /// ```
    /// let response = loopbook::lab::get_blocking(std::time::Duration::ZERO).expect("it answers");
    /// assert_eq!(response.header("Content-Length"), Some("13"));
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let wrong = |why: String| io::Error::new(ErrorKind::InvalidData, why);
        let early = |why: String| io::Error::new(ErrorKind::UnexpectedEof, why);
        if bytes.is_empty() {
            return Err(early("the server has closed the connection without an answer".to_owned()));
        }
        let head = Head::parse(bytes).map_err(|why| wrong(format!("this is no answer of HTTP: {why}")))?;
        let head =
            head.ok_or_else(|| early("the server has closed the connection before the answer began".to_owned()))?;
        let status = head.first[1].parse().map_err(|_| wrong(format!("`{}` is no status", head.first[1])))?;
        let body = &bytes[head.len..];
        let length = head.body_length().map_err(|why| wrong(why.to_owned()))?.unwrap_or(body.len());
        if body.len() < length {
            let (came, all) = (grouped(body.len() as u64), counted(length, "byte"));
            let why = format!("the server has closed the connection after {came} of {all}");
            return Err(early(why));
        }
        Ok(Self { status, body: body[..length].to_vec(), headers: head.headers })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("body", &self.text()).finish_non_exhaustive()
    }
}

fn text<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_cut_off_is_an_error_that_says_where() {
        let whole = [http::answer(200, 4).as_bytes(), b"body"].concat();
        assert_eq!(Response::parse(&whole).expect("whole").text(), "body");
        let cut = Response::parse(&whole[..whole.len() - 1]).expect_err("cut off");
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
        assert!(cut.to_string().contains("3 of 4 bytes"), "{cut}");
        assert_eq!(Response::parse(b"").expect_err("nothing").kind(), ErrorKind::UnexpectedEof);
        assert_eq!(Response::parse(b"nonsense\r\n\r\n").expect_err("nonsense").kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn addresses_are_those_of_this_machine() {
        let of = |url: &str| Target::from(url).resolve();
        let address: SocketAddr = ([127, 0, 0, 1], 80).into();
        assert_eq!(of("http://127.0.0.1:80/delay/5").expect("an address"), (address, "/delay/5".to_owned()));
        assert_eq!(of("localhost:80").expect("an address"), (address, "/".to_owned()));
        assert!(of("https://example.com/").expect_err("elsewhere").to_string().contains("server.url"));
    }
}
