//! The encodings of a body (`Content-Encoding`, RFC 9110, section 8.4), taken off in the reverse of their order.
//!
//! An answer can be encoded without being asked for it, as some services and the proxies before them do. What cannot be
//! decoded is a fault: its bytes say nothing that could be compared.

use std::borrow::Cow;

use authz_pin_record::fault::Fault;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::codec;

/// How many encodings are taken off one after another: a body in more of them is made to take time.
const MOST: usize = 5;

/// Names of encodings that change nothing: what services write that mean none, or the character set.
const NONE: [&str; 6] = ["", "identity", "none", "binary", "8bit", "aws-chunked"];

/// The bytes of a body without its encodings.
pub(in crate::http) fn decoded<'b>(
    headers: &HeaderMap,
    bytes: &'b [u8],
) -> Result<Cow<'b, [u8]>, Fault> {
    // An answer without a body, such as one to HEAD or a 304, has the header all the same.
    if bytes.is_empty() || !headers.contains_key(CONTENT_ENCODING) {
        return Ok(bytes.into());
    }
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let values: Vec<Cow<'_, str>> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let names = values.iter().flat_map(|value| value.split(','));
    let names: Vec<String> = names
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !is_none(name))
        .collect();
    if names.len() > MOST {
        return Err(Fault::UnknownEncoding);
    }
    let mut bytes = Cow::Borrowed(bytes);
    for name in names.iter().rev() {
        bytes = codec::one(name, &bytes)?.into();
    }
    Ok(bytes)
}

fn is_none(name: &str) -> bool {
    NONE.contains(&name) || super::charset::is_known(name)
}

#[cfg(test)]
#[cfg(feature = "encodings")]
mod tests {
    use super::*;
    use crate::http::LARGEST_BODY;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    const TEXT: &[u8] = b"{\"items\": [{\"id\": 17}, {\"id\": 18}, {\"id\": 19}]}";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    /// [`TEXT`] as the reference encoder of Brotli writes it.
    const BROTLI: &[u8] = b"\x1b\x2e\x00\xf8\x2d\x0e\xec\xc6\x6d\x93\xe0\x4c\x67\x45\xaf\x6e\xd4\x22\x7d\x7b\x64\x53\x27\x66\xab\
        \x58\xba\x02\x24\x6f\x70\x72\x60\x03\xce\x35\xf7\x80\x9a\xe0\x0c\xa0\x00\x3e\xbc\x63\x3f\x92\xd8\x6e";

    fn read(encodings: &[&str], bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        let values = encodings.iter();
        let values = values.map(|value| (CONTENT_ENCODING, value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(name, value);
        }
        decoded(&headers, bytes).map(Cow::into_owned)
    }

    #[test]
    fn every_encoding_is_taken_off() {
        let all = [
            ("gzip", gzip(TEXT)),
            ("X-GZip", gzip(TEXT)),
            ("gzip", [gzip(b"{\"items\": "), gzip(&TEXT[10..])].concat()),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("zstd", zstandard(TEXT)),
            (
                "zstd",
                [zstandard(&TEXT[..9]), zstandard(&TEXT[9..])].concat(),
            ),
            (
                "zstd",
                [b"\x50\x2a\x4d\x18\x02\0\0\0ab", &*zstandard(TEXT)].concat(),
            ),
            ("identity", TEXT.to_vec()),
            ("utf-8", TEXT.to_vec()),
        ];
        for (name, bytes) in all {
            assert_eq!(read(&[name], &bytes).as_deref(), Ok(TEXT), "{name}");
        }
        assert_eq!(read(&["br"], BROTLI).unwrap(), TEXT);
    }

    #[test]
    fn several_encodings_are_taken_off_in_the_reverse_of_their_order() {
        let bytes = zlib(&gzip(TEXT));
        assert_eq!(read(&["gzip, deflate"], &bytes).unwrap(), TEXT);
        assert_eq!(read(&["gzip", "identity, deflate"], &bytes).unwrap(), TEXT);
        assert_eq!(read(&["deflate, gzip"], &bytes), Err(Fault::BrokenEncoding));
        let six = ["gzip"; 6].join(",");
        assert_eq!(read(&[&six], &bytes), Err(Fault::UnknownEncoding));
    }

    #[test]
    fn a_stream_that_is_cut_off_or_followed_by_something_is_broken() {
        let all = [
            ("gzip", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstandard(TEXT)),
        ];
        for (name, bytes) in all {
            for cut in 1..bytes.len() {
                let read = read(&[name], bytes.get(..cut).unwrap());
                assert_eq!(read, Err(Fault::BrokenEncoding), "{name}, {cut} bytes");
            }
            let more = [&*bytes, b"more"].concat();
            let read = read(&[name], &more);
            assert_eq!(read, Err(Fault::BrokenEncoding), "{name} and more");
        }
        assert_eq!(read(&["gzip"], TEXT), Err(Fault::BrokenEncoding));
        assert_eq!(read(&["gzipped"], TEXT), Err(Fault::UnknownEncoding));
        assert_eq!(read(&["gzip"], b"").unwrap(), b"");
    }

    #[test]
    fn what_becomes_larger_than_a_body_may_be_is_not_kept() {
        let large = vec![b' '; LARGEST_BODY + 1];
        for (name, bytes) in [
            ("gzip", gzip(&large)),
            ("deflate", zlib(&large)),
            ("gzip, gzip", gzip(&gzip(&large))),
        ] {
            let read = read(&[name], &bytes).map(|read| read.len());
            assert_eq!(read, Err(Fault::TooLarge), "{name}");
        }
        let exact = read(&["gzip"], &gzip(large.get(1..).unwrap()));
        assert_eq!(exact.unwrap().len(), LARGEST_BODY);
    }
}
