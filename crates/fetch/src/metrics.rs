//! A page for Prometheus.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::ConfigError;
use crate::status::Status;

/// Serves `GET /metrics` at `address` from a thread of its own, until the program ends; returns the address that it
/// listens on, which matters for port 0.
///
/// # Errors
/// The address cannot be listened on.
pub fn serve(address: SocketAddr, status: Status, clock: Clock) -> Result<SocketAddr, ConfigError> {
    let failed = |error: std::io::Error| {
        ConfigError::new(format!("cannot serve metrics at {address}: {error}"), "choose another port")
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            match connection {
                // Whoever goes away asks again.
                Ok(connection) => _ = answer(connection, &status.metrics(clock.now())),
                // Without a file to be opened the next one fails at once, too.
                Err(_) => std::thread::sleep(Duration::from_secs(1)),
            }
        }
    });
    Ok(bound)
}

fn answer(mut connection: TcpStream, metrics: &str) -> std::io::Result<()> {
    let patience = Some(Duration::from_secs(5));
    connection.set_read_timeout(patience)?;
    connection.set_write_timeout(patience)?;
    let mut head = Vec::new();
    let mut block = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 16 << 10 {
        match connection.read(&mut block)? {
            0 => break,
            n => head.extend_from_slice(block.get(..n).unwrap_or_default()),
        }
    }
    let found = head.starts_with(b"GET /metrics ") || head.starts_with(b"GET / ");
    let (status, body) = if found { ("200 OK", metrics) } else { ("404 Not Found", "see /metrics\n") };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(head.as_bytes())?;
    connection.write_all(body.as_bytes())
}
