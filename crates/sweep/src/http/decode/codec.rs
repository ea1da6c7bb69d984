//! The formats of encodings, each decoded to no more than is read of a body.

use std::io::{self, Read};

use authz_pin_record::fault::Fault;
use brotli_decompressor::Decompressor;
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::StreamingDecoder;

use crate::http::LARGEST_BODY;

/// The bytes without that encoding.
pub(super) fn one(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    match name {
        "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(bytes)),
        "deflate" => deflate(bytes),
        "br" => brotli(bytes),
        "zstd" => zstd(bytes),
        _ => Err(Fault::UnknownEncoding),
    }
}

/// All of it, unless that is more than is read of a body.
fn bounded(from: impl Read) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    append(from, &mut bytes)?;
    Ok(bytes)
}

fn append(from: impl Read, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let left = LARGEST_BODY.saturating_sub(bytes.len());
    let read = from.take(left as u64 + 1).read_to_end(bytes);
    read.map_err(|_: io::Error| Fault::BrokenEncoding)?;
    if bytes.len() > LARGEST_BODY {
        return Err(Fault::TooLarge);
    }
    Ok(())
}

/// `deflate` is the format of zlib (RFC 9110, section 8.4.1.2), and some send the bare one of DEFLATE.
fn deflate(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    match inflated(bytes, true) {
        Err(Fault::BrokenEncoding) => inflated(bytes, false),
        inflated => inflated,
    }
}

/// Step by step, since the readers of the library take a stream that ends early for a whole one.
fn inflated(bytes: &[u8], has_header: bool) -> Result<Vec<u8>, Fault> {
    let mut stream = Decompress::new(has_header);
    let mut out = Vec::new();
    let mut rest = bytes;
    loop {
        out.reserve(STEP);
        let before = (stream.total_in(), stream.total_out());
        let status = stream.decompress_vec(rest, &mut out, FlushDecompress::None);
        let status = status.map_err(|_| Fault::BrokenEncoding)?;
        let taken = usize::try_from(stream.total_in() - before.0).unwrap_or(usize::MAX);
        rest = rest.get(taken..).unwrap_or_default();
        let is_stuck = before == (stream.total_in(), stream.total_out());
        match status {
            _ if out.len() > LARGEST_BODY => return Err(Fault::TooLarge),
            Status::StreamEnd if rest.is_empty() => return Ok(out),
            Status::StreamEnd => return Err(Fault::BrokenEncoding),
            _ if is_stuck => return Err(Fault::BrokenEncoding),
            _ => {}
        }
    }
}

/// How much room is made at a time, in bytes.
const STEP: usize = 32 * 1024;

/// Byte by byte: of a larger buffer the library does not tell what of it came behind the stream.
fn brotli(mut bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let decoded = bounded(Decompressor::new(&mut bytes, 1))?;
    if bytes.is_empty() {
        Ok(decoded)
    } else {
        Err(Fault::BrokenEncoding)
    }
}

/// One frame after another, each with its checksum where it has one (RFC 8878, section 3.1.1).
fn zstd(mut bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        if let Some(rest) = skipped(bytes) {
            bytes = rest;
            continue;
        }
        let broken = |_| Fault::BrokenEncoding;
        let mut frame =
            StreamingDecoder::new_with_max_window_size(&mut bytes, WINDOW).map_err(broken)?;
        append(&mut frame, &mut out)?;
        let frame = frame.into_frame_decoder();
        let said = frame.get_checksum_from_data();
        if said.is_some() && said != frame.get_calculated_checksum() {
            return Err(Fault::BrokenEncoding);
        }
    }
    Ok(out)
}

/// What a frame may ask to be remembered of what was decoded, in bytes: as much as is read of a body.
const WINDOW: u64 = LARGEST_BODY as u64;

/// What follows a frame that is to be skipped (RFC 8878, section 3.1.2).
fn skipped(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let [a, b, c, d, length @ ..] = *head;
    let is_skippable = (0x184D_2A50..=0x184D_2A5F).contains(&u32::from_le_bytes([a, b, c, d]));
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    is_skippable.then(|| rest.get(length..))?
}
