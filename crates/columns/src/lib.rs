//! Events to Arrow record batches.
