//! Standard input and named pipes, read by a thread of their own: a run can be stopped while they are silent.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use mimelake_write::store::UnitKey;

use crate::interrupt;

/// Bytes handed over at a time.
const BLOCK: usize = 256 << 10;
/// Blocks that may wait to be taken.
const WAITING: usize = 4;
/// How often a silent pipe is left to see whether the run is to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// A stream that can be read once. Its clones share it.
#[derive(Clone, Debug)]
pub struct Pipe(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    /// How much of the block was read.
    at: usize,
    hasher: blake3::Hasher,
}

impl Pipe {
    /// Standard input, or the named pipe of this path.
    pub fn open(path: Option<&Path>) -> Self {
        let (sender, blocks) = sync_channel(WAITING);
        let path = path.map(Path::to_owned);
        // It ends with its pipe or with the program: a read that waits cannot be called off.
        thread::spawn(move || forward(path.as_deref(), &sender));
        let state = State { blocks, block: Vec::new(), at: 0, hasher: blake3::Hasher::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The key of all its bytes, what was not read yet included.
    ///
    /// # Errors
    /// If the run is to stop, or the pipe cannot be read to its end.
    pub fn key(&self) -> io::Result<UnitKey> {
        let mut state = self.lock();
        while state.next()? {}
        Ok(UnitKey::whole(state.hasher.count(), state.hasher.finalize().into()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Pipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if state.at == state.block.len() && !state.next()? {
            return Ok(0);
        }
        let read = (&state.block[state.at..]).read(out)?;
        state.at += read;
        Ok(read)
    }
}

impl State {
    /// Waits for the next block; false at the end.
    fn next(&mut self) -> io::Result<bool> {
        loop {
            interrupt::check().map_err(io::Error::other)?;
            match self.blocks.recv_timeout(PATIENCE) {
                Ok(block) => {
                    (self.block, self.at) = (block?, 0);
                    self.hasher.update(&self.block);
                    return Ok(true);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
    }
}

/// Sends what the pipe gives, block by block, until its end or an error.
fn forward(path: Option<&Path>, blocks: &SyncSender<io::Result<Vec<u8>>>) {
    let opened: io::Result<Box<dyn Read>> = match path {
        None => Ok(Box::new(io::stdin())),
        // Opening waits for a writer, as reading does.
        Some(path) => File::open(path).map(|file| Box::new(file) as _),
    };
    let mut pipe = match opened {
        Ok(pipe) => pipe,
        Err(error) => {
            // Where sending fails, nobody listens any more.
            _ = blocks.send(Err(error));
            return;
        }
    };
    let mut buffer = vec![0; BLOCK];
    loop {
        let block = match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => Ok(buffer[..read].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = block.is_err();
        if blocks.send(block).is_err() || is_over {
            return;
        }
    }
}
