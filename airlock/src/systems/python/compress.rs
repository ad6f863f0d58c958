//! Compression as Python's `gzip` and `zlib` do it.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The default of both.
const LEVEL: Compression = Compression::new(6);

/// As Python's `gzip.compress`.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 2 + 64), LEVEL);
    // Writing into memory doesn't fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// As Python's `zlib.compress`.
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 2 + 64), LEVEL);
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
