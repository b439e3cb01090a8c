//! The smallest client that can talk to the stand-in, made of a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use mimelake_mock::credentials::{ACCESS_KEY, APP_ID, APP_KEY, CLIENT_ID, CLIENT_SECRET, SECRET_KEY};
use mimelake_mock::{Mock, signature};
use serde_json::{Value, json};

/// What came back: `body` as far as it came, `whole` whether it came to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub whole: bool,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The first error's code, in any shape.
    pub fn code(&self) -> String {
        let body = self.json();
        let shapes =
            [&body["fail"][0]["errors"][0]["code"], &body["fail"][0]["code"], &body["error"]["code"]];
        shapes.iter().find_map(|code| code.as_str()).unwrap_or_default().to_owned()
    }

    pub fn file_name(&self) -> &str {
        self.header("content-disposition").unwrap().split('"').nth(1).unwrap()
    }
}

/// Sends a request, asks for the connection to be closed after it, and returns all bytes that came.
pub fn raw(mock: &Mock, request: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(mock.base_url().strip_prefix("http://").unwrap()).unwrap();
    let length = body.len();
    write!(stream, "{request}Host: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => bytes,
    }
}

/// `None` where not even a whole head came.
pub fn send(mock: &Mock, request: &str, body: &str) -> Option<Reply> {
    let bytes = raw(mock, request, body);
    let mut slots = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut slots);
    let Ok(httparse::Status::Complete(head)) = response.parse(&bytes) else { return None };
    let headers: Vec<_> = response
        .headers
        .iter()
        .map(|h| (h.name.to_owned(), String::from_utf8(h.value.to_vec()).unwrap()))
        .collect();
    let mut reply =
        Reply { status: response.code.unwrap(), headers, body: bytes[head..].to_vec(), whole: true };
    match reply.header("content-length").map(|length| length.parse::<usize>().unwrap()) {
        Some(length) => reply.whole = reply.body.len() == length,
        None => (reply.body, reply.whole) = unchunked(&reply.body),
    }
    Some(reply)
}

fn unchunked(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return (out, true);
        }
        out.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 2 + length + 2..];
    }
    (out, false)
}

/// A UUID of version 4 that no other call gave.
pub fn new_id() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("00000000-0000-4000-8000-{:012x}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// The headers of a signed request, each with its line end.
pub fn signed_headers(path: &str, date: &str, id: &str, access: &str, secret: &str) -> String {
    let signature = signature(secret, date, id, path, APP_KEY).unwrap();
    format!(
        "Authorization: MC {access}:{signature}\r\nx-mc-app-id: {APP_ID}\r\nx-mc-date: {date}\r\n\
         x-mc-req-id: {id}\r\nContent-Type: application/json\r\n"
    )
}

pub fn now() -> String {
    jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
}

/// A signed call of API 1.0.
pub fn signed(mock: &Mock, path: &str, body: &Value) -> Option<Reply> {
    let headers = signed_headers(path, &now(), &new_id(), ACCESS_KEY, SECRET_KEY);
    send(mock, &format!("POST {path} HTTP/1.1\r\n{headers}"), &body.to_string())
}

/// A compressed call of `get-siem-logs`.
pub fn siem(mock: &Mock, token: Option<&str>) -> Option<Reply> {
    let mut datum = json!({"type": "MTA", "fileFormat": "key_value", "compress": true});
    if let Some(token) = token {
        datum["token"] = token.into();
    }
    signed(mock, "/api/audit/get-siem-logs", &json!({"data": [datum]}))
}

/// All compressed files from `token` on, with their names, until there are no more.
pub fn all_zips(mock: &Mock) -> Vec<(String, Vec<u8>)> {
    let (mut files, mut token) = (Vec::new(), None);
    loop {
        let reply = siem(mock, token.as_deref()).unwrap();
        assert_eq!(reply.status, 200);
        if reply.header("content-type") == Some("application/json") {
            assert_eq!(reply.json()["meta"]["isLastToken"], true);
            return files;
        }
        token = reply.header("mc-siem-token").map(str::to_owned);
        files.push((reply.file_name().to_owned(), reply.body));
    }
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |out, b| format!("{out}%{b:02X}"))
}

pub fn token_call(mock: &Mock, secret: &str) -> Reply {
    let body = format!(
        "client_id={}&client_secret={}&grant_type=client_credentials",
        escaped(CLIENT_ID),
        escaped(secret)
    );
    let head = "POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    send(mock, head, &body).unwrap()
}

pub fn token(mock: &Mock) -> String {
    token_call(mock, CLIENT_SECRET).json()["access_token"].as_str().unwrap().to_owned()
}

/// A GET with this bearer token.
pub fn get(mock: &Mock, token: &str, target: &str) -> Option<Reply> {
    send(mock, &format!("GET {target} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"), "")
}

pub const RANGE: &str = "dateRangeStartsAt=2026-03-01&dateRangeEndsAt=2026-03-08";

pub fn batch(mock: &Mock, token: &str, kind: &str, cursor: Option<&str>) -> Option<Reply> {
    let rest = cursor.map_or(RANGE.to_owned(), |cursor| format!("nextPage={}", escaped(cursor)));
    get(mock, token, &format!("/siem/v1/batch/events/cg?type={}&pageSize=2&{rest}", escaped(kind)))
}

/// A download of a presigned URL.
pub fn download(mock: &Mock, url: &str) -> Option<Reply> {
    let target = url.strip_prefix(mock.base_url()).unwrap();
    send(mock, &format!("GET {target} HTTP/1.1\r\n"), "")
}
