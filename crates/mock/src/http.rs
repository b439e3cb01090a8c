//! One HTTP/1.1 request off a socket, and what an answer is made of.

use std::io::{self, Read};
use std::net::TcpStream;

/// What one request may take: its head, and its body.
const HEAD: usize = 64 * 1024;
const BODY: usize = 4 * 1024 * 1024;

/// A request as it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The first header of this name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The value of a query parameter, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        form(self.target.split_once('?')?.1, name)
    }
}

/// The first header of this name, in any case.
pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The value of `name` in form-encoded text, decoded.
pub(crate) fn form(text: &str, name: &str) -> Option<String> {
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, escape) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer before any fault of the wire.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Sent in chunks rather than with a length.
    pub(crate) chunked: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), chunked: false }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The status line and headers, up to and with the blank line.
    pub(crate) fn head(&self, close: bool) -> Vec<u8> {
        let mut head = self.top();
        if self.chunked {
            head.push_str("Transfer-Encoding: chunked\r\n");
        } else {
            head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        head.push_str(if close { "Connection: close\r\n\r\n" } else { "Connection: Keep-Alive\r\n\r\n" });
        head.into_bytes()
    }

    /// The same of a body that ends where the connection does.
    pub(crate) fn open_head(&self) -> Vec<u8> {
        (self.top() + "Connection: close\r\n\r\n").into_bytes()
    }

    fn top(&self) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        418 => "Binding Expired",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        509 => "Bandwidth Limit Exceeded",
        _ => "Status",
    }
}

/// Reads the next request of a connection; bytes beyond it stay in `buffer`. `None` at the connection's end.
///
/// # Errors
/// The socket's, and `InvalidData` for what is no request or too large for one.
pub(crate) fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Message>> {
    loop {
        if let Some((message, head, body)) = parsed(buffer)? {
            while buffer.len() < head + body {
                if more(stream, buffer)? == 0 {
                    return Ok(None);
                }
            }
            let rest = buffer.split_off(head + body);
            let body = buffer.split_off(head);
            *buffer = rest;
            return Ok(Some(Message { body, ..message }));
        }
        if buffer.len() > HEAD {
            return Err(invalid("the head of a request is too long"));
        }
        if more(stream, buffer)? == 0 {
            return Ok(None);
        }
    }
}

fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut block = [0; 8192];
    let read = stream.read(&mut block)?;
    buffer.extend_from_slice(&block[..read]);
    Ok(read)
}

/// The request whose head is whole in `bytes`, with the lengths of its head and body.
fn parsed(bytes: &[u8]) -> io::Result<Option<(Message, usize, usize)>> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut slots);
    let head = match request.parse(bytes).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let text = |h: &httparse::Header<'_>| (h.name.to_owned(), String::from_utf8_lossy(h.value).into_owned());
    let message = Message {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers: request.headers.iter().map(text).collect(),
        body: Vec::new(),
    };
    if message.header("transfer-encoding").is_some() {
        return Err(invalid("the body of a request needs a length"));
    }
    let length = message.header("content-length").map_or(Ok(0), str::parse);
    match length {
        Ok(length) if length <= BODY => Ok(Some((message, head, length))),
        _ => Err(invalid("the length of a request's body is too large or no number")),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}
