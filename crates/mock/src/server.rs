//! Sockets: taking connections, and sending answers the way a fault wants it.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::SignedDuration;

use crate::audit::AuditEvent;
use crate::content::{File, Sequence};
use crate::fault::{At, Fault};
use crate::http::{self, Answer};
use crate::options::Options;
use crate::script::{Running, Script};
use crate::state::{Request, State, lock};

/// A stand-in for both APIs on 127.0.0.1, until it is dropped.
#[derive(Debug)]
pub struct Mock {
    state: Arc<State>,
    open: Arc<Open>,
    port: u16,
    listener: Option<JoinHandle<()>>,
}

/// The connections that are open.
#[derive(Debug, Default)]
struct Open {
    stopped: AtomicBool,
    streams: Mutex<HashMap<u64, TcpStream>>,
}

impl Mock {
    /// Starts to serve and returns at once.
    ///
    /// ```
    /// let mock = mimelake_mock::Mock::start(mimelake_mock::Options::default())?;
    /// assert!(mock.base_url().starts_with("http://127.0.0.1:"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// The port is taken, or no thread can be had.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State::new(options, format!("http://127.0.0.1:{port}")));
        let open = Arc::new(Open::default());
        let (shared, connections) = (Arc::clone(&state), Arc::clone(&open));
        let thread = thread::Builder::new()
            .name("mock".to_owned())
            .spawn(move || accept(&listener, &shared, &connections))?;
        Ok(Self { state, open, port, listener: Some(thread) })
    }

    /// Returns `http://127.0.0.1:PORT`, for both APIs.
    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    /// Returns every request so far, in the order in which they were answered.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state.requests).clone()
    }

    /// Returns every request so far and forgets it.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.state.requests))
    }

    /// Returns a configuration for `mimelake fetch` with one source for each API, `first` and `second`.
    ///
    /// It holds this server's keys as text, so only its owner may read the file that it is written to.
    pub fn config(&self) -> String {
        crate::credentials::config(self.base_url())
    }

    /// Returns, one by one, the files that a client must hold in the end if it asks for this sequence: those that are
    /// out now.
    ///
    /// # Panics
    /// Never; a file of a folder that cannot be read any more is left out.
    pub fn expected(&self, sequence: Sequence) -> impl Iterator<Item = File> + '_ {
        let content = &self.state.options.content;
        (0..self.state.count(sequence)).filter_map(move |index| content.file(sequence, index).ok().flatten())
    }

    /// Returns the zips that faults ([`Fault::EmptyZip`], [`Fault::HostileMembers`]) put beside the content.
    pub fn extra(&self) -> Vec<File> {
        lock(&self.state.extra).clone()
    }

    /// Returns the audit events, in no order.
    pub fn audit_events(&self) -> Vec<AuditEvent> {
        lock(&self.state.audit).clone()
    }

    /// Adds an audit event; one with an old time has come late.
    pub fn add_audit_event(&self, event: AuditEvent) {
        lock(&self.state.audit).push(event);
    }

    /// Makes the first `count` files of each sequence be out from now on.
    pub fn publish(&self, count: usize) {
        self.state.out.store(count, Ordering::SeqCst);
    }

    /// Replaces what is left of the script; counts begin anew.
    pub fn set_script(&self, script: Script) {
        *lock(&self.state.script) = Running::new(script);
    }

    /// Makes the server's clock jump ahead by this.
    pub fn pass(&self, time: SignedDuration) {
        *lock(&self.state.passed) += time;
    }

    /// Makes every key pair given so far expire.
    pub fn expire_bindings(&self) {
        lock(&self.state.bindings).clear();
    }

    /// Makes every OAuth token given so far invalid.
    pub fn revoke_tokens(&self) {
        lock(&self.state.tokens).clear();
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.open.stopped.store(true, Ordering::SeqCst);
        self.state.stop();
        // Wakes the listener; where that fails it is gone already.
        if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
            && let Some(thread) = self.listener.take()
        {
            _ = thread.join();
        }
        for stream in lock(&self.open.streams).values() {
            _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>, open: &Arc<Open>) {
    let mut number = 0;
    for stream in listener.incoming() {
        if open.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let Ok(handle) = stream.try_clone() else { continue };
        number += 1;
        lock(&open.streams).insert(number, handle);
        let (state, connections, this) = (Arc::clone(state), Arc::clone(open), number);
        let started = thread::Builder::new().name("mock connection".to_owned()).spawn(move || {
            // A client that goes away is no event here.
            _ = serve(stream, &state);
            if let Some(stream) = lock(&connections.streams).remove(&this) {
                _ = stream.shutdown(Shutdown::Both);
            }
        });
        if started.is_err() {
            lock(&open.streams).remove(&number);
        }
    }
}

fn serve(mut stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let message = match http::read(&mut stream, &mut buffer) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return send(&mut stream, &Answer::new(400, "text/plain", error.to_string()), true);
            }
            Err(error) => return Err(error),
        };
        let close = message.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let (answer, fault) = state.answer(&message);
        match fault {
            Some(Fault::Close { at, chunked }) => {
                let chunked = chunked.unwrap_or(answer.chunked);
                return send_until(&mut stream, &Answer { chunked, ..answer }, at);
            }
            Some(Fault::Open { bytes }) => {
                stream.write_all(&answer.open_head())?;
                return stream.write_all(&answer.body[..bytes.min(answer.body.len())]);
            }
            Some(Fault::Stall { at }) => {
                send_until(&mut stream, &answer, at)?;
                // Until the client has had enough, or the server is dropped.
                while stream.read(&mut [0; 1024])? > 0 {}
                return Ok(());
            }
            Some(Fault::Trickle { at }) => {
                send_until(&mut stream, &Answer { chunked: true, ..answer }, at)?;
                return trickle(&mut stream);
            }
            Some(Fault::Gather { requests }) => {
                state.gather(requests);
                send(&mut stream, &answer, close)?;
            }
            _ => send(&mut stream, &answer, close)?,
        }
        if close {
            return Ok(());
        }
    }
}

/// Sends a byte whenever the client has said nothing for a moment, until it closes the connection.
fn trickle(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(10)))?;
    loop {
        match stream.read(&mut [0; 1024]) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                chunk(stream, b"x")?;
            }
            Err(error) => return Err(error),
        }
    }
}

const CHUNK: usize = 32 * 1024;

fn send(stream: &mut TcpStream, answer: &Answer, close: bool) -> io::Result<()> {
    stream.write_all(&answer.head(close))?;
    if !answer.chunked {
        return stream.write_all(&answer.body);
    }
    for piece in answer.body.chunks(CHUNK) {
        chunk(stream, piece)?;
    }
    stream.write_all(b"0\r\n\r\n")
}

fn chunk(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    write!(stream, "{:x}\r\n", piece.len())?;
    stream.write_all(piece)?;
    stream.write_all(b"\r\n")
}

/// Sends the answer up to a point that is never its end.
fn send_until(stream: &mut TcpStream, answer: &Answer, at: At) -> io::Result<()> {
    let head = answer.head(false);
    match at {
        At::Start => Ok(()),
        At::Head => stream.write_all(&head[..12]),
        At::Body(bytes) => {
            stream.write_all(&head)?;
            let last = answer.body.len().saturating_sub(1);
            if !answer.chunked {
                return stream.write_all(&answer.body[..bytes.min(last)]);
            }
            for piece in answer.body[..bytes.min(answer.body.len())].chunks(CHUNK) {
                chunk(stream, piece)?;
            }
            Ok(())
        }
    }
}
