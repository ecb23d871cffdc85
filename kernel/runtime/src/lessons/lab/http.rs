//! Just enough of HTTP/1.1 for lessons: one request for each connection, bodies of a known length.

/// The longest head that is read.
pub(super) const LONGEST_HEAD: usize = 16 << 10;
/// The longest body of a request that is read.
pub(super) const LONGEST_BODY: usize = 1 << 20;

/// What stands before the body, of a request or of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Method, path and version of a request; version, status and its words of an answer.
    pub(super) first: [String; 3],
    /// Names and values, in order.
    pub(super) headers: Vec<(String, String)>,
    /// How many bytes it has, with the empty line at its end.
    pub(super) len: usize,
}

impl Head {
    /// The head that `bytes` begin with; `None` as long as its end has not arrived. The error is what is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, &'static str> {
        let Some(len) = end(bytes) else {
            return if bytes.len() > LONGEST_HEAD { Err("the head is longer than 16 KiB") } else { Ok(None) };
        };
        let text = str::from_utf8(&bytes[..len]).map_err(|_| "the head is not text")?;
        let mut lines = text.lines();
        let mut words = lines.next().unwrap_or_default().splitn(3, ' ').map(str::to_owned);
        let (Some(one), Some(two)) = (words.next(), words.next()) else {
            return Err("the first line has no two words");
        };
        let headers = lines.take_while(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':').ok_or("a header has no colon")?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        let headers = headers.collect::<Result<_, &'static str>>()?;
        Ok(Some(Self { first: [one, two, words.next().unwrap_or_default()], headers, len }))
    }

    /// The value of the first header of this name, in whatever case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the body is, if that is said. The error is what is wrong with it.
    pub(super) fn body_length(&self) -> Result<Option<usize>, &'static str> {
        let length = self.header("content-length").map(str::parse::<usize>).transpose();
        length.map_err(|_| "content-length is no number")
    }
}

/// Where the body begins: behind the first empty line, whichever way the lines end.
fn end(bytes: &[u8]) -> Option<usize> {
    let after = |pattern: &[u8]| {
        bytes.windows(pattern.len()).position(|window| window == pattern).map(|position| position + pattern.len())
    };
    [after(b"\r\n\r\n"), after(b"\n\n")].into_iter().flatten().min()
}

/// The head of an answer.
pub(super) fn answer(status: u16, body_length: usize) -> String {
    format!(
        "HTTP/1.1 {status} {}\r\nserver: loopbook-lab\r\ncontent-type: text/plain; charset=utf-8\r\n\
         content-length: {body_length}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        reason(status)
    )
}

/// A request for one answer.
pub(super) fn request(method: &str, host: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: loopbook\r\naccept: */*\r\n");
    if !body.is_empty() {
        request += &format!("content-length: {}\r\n", body.len());
    }
    request += "connection: close\r\n\r\n";
    [request.as_bytes(), body].concat()
}

/// The words of a status.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_all_of_it_is_there() {
        let bytes = request("GET", "127.0.0.1:80", "/delay/5", b"");
        for short in 0..bytes.len() {
            assert_eq!(Head::parse(&bytes[..short]), Ok(None));
        }
        let head = Head::parse(&bytes).expect("well formed").expect("whole");
        assert_eq!(head.first, ["GET", "/delay/5", "HTTP/1.1"]);
        assert_eq!((head.header("Host"), head.len), (Some("127.0.0.1:80"), bytes.len()));
        assert_eq!(head.body_length(), Ok(None));
    }

    #[test]
    fn lines_may_end_in_either_way() {
        let head = Head::parse(b"POST /echo HTTP/1.0\nContent-Length: 3\n\nabc").expect("well formed").expect("whole");
        assert_eq!((head.body_length(), head.len), (Ok(Some(3)), 39));
        assert_eq!(Head::parse(b"GET / HTTP/1.1\r\n\r\nbody\n\n").expect("well formed").expect("whole").len, 18);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Head::parse(b"nonsense\r\n\r\n").is_err());
        assert!(Head::parse(b"GET / HTTP/1.1\r\nno colon\r\n\r\n").is_err());
        assert!(Head::parse(b"\xff\xfe / HTTP/1.1\r\n\r\n").is_err());
        assert!(Head::parse(&vec![b'x'; LONGEST_HEAD + 1]).is_err());
        let head = Head::parse(b"GET / HTTP/1.1\r\ncontent-length: many\r\n\r\n").expect("well formed").expect("whole");
        assert!(head.body_length().is_err());
    }
}
