//! A stream put into a temporary file, for what must be read at any position.

use std::io::Write as _;
use std::sync::Arc;

use crate::Limits;
use crate::bytes::Bytes;
use crate::error::{Fault, Reason};
use crate::stream::Stream;

/// Returns the bytes of `stream` in a nameless temporary file, and the fault that cut it short, if one did.
///
/// The same stream and limits give the same bytes each time.
pub(crate) fn spool(stream: &mut dyn Stream, limits: &Limits) -> Result<(Bytes, Option<Fault>), Fault> {
    let at = stream.position(0);
    let mut file = tempfile::tempfile().map_err(|error| Fault::new(at, error))?;
    let mut buffer = vec![0; 256 << 10];
    let mut left = limits.max_spool;
    let fault = loop {
        let n = match stream.read(&mut buffer) {
            Ok(0) => break None,
            Ok(n) => n,
            Err(fault) => break Some(fault),
        };
        let kept = (n as u64).min(left);
        let bytes = buffer.get(..kept as usize).unwrap_or_default();
        file.write_all(bytes).map_err(|error| Fault::new(stream.position(0), error))?;
        left -= kept;
        if kept < n as u64 {
            break Some(Fault::new(stream.position(0), Reason::Spool(limits.max_spool)));
        }
    };
    Ok((Bytes::File(Arc::new(file)), fault))
}
