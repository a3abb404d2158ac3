//! Inflating gzip and zstd, found by their first bytes.

use std::io::{BufRead, ErrorKind, Read};

/// So many bytes are asked for at a time, by whomever and for whatever. What comes out of damaged data before the damage shows
/// hangs on that, and must not hang on how many threads there are.
const STEP: usize = 1 << 17;

/// Inflates gzip (of any number of members) and zstd (of any number of frames), and names which; passes on the rest.
///
/// # Errors
/// Nothing can be read.
pub(super) fn inflate(
    mut reader: impl BufRead + Send + 'static,
) -> std::io::Result<(Box<dyn Read + Send>, Option<Wrapping>)> {
    let wrapping = Wrapping::of(reader.fill_buf()?);
    let reader: Box<dyn Read + Send> = match wrapping {
        Some(Wrapping::Gzip) => Box::new(Steps::new(flate2::bufread::MultiGzDecoder::new(reader))),
        Some(Wrapping::Zstd) => Box::new(Steps::new(ZstdFrames { frame: None, rest: Some(reader) })),
        None => Box::new(reader),
    };
    Ok((reader, wrapping))
}

/// How something is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    Gzip,
    Zstd,
}

impl Wrapping {
    /// What begins like this: RFC 1952, section 2.3.1, and RFC 8878, section 3.1.1.
    pub(super) fn of(start: &[u8]) -> Option<Wrapping> {
        match start {
            [0x1f, 0x8b, ..] => Some(Wrapping::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Wrapping::Zstd),
            _ => None,
        }
    }
}

impl std::fmt::Display for Wrapping {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Wrapping::Gzip => "gzip",
            Wrapping::Zstd => "zstd",
        })
    }
}

/// Asks for the same number of bytes each time.
struct Steps<R> {
    inner: R,
    /// What was read for somebody who wanted less.
    step: Vec<u8>,
    given: usize,
    filled: usize,
}

impl<R: Read> Steps<R> {
    fn new(inner: R) -> Steps<R> {
        Steps { inner, step: Vec::new(), given: 0, filled: 0 }
    }
}

impl<R: Read> Read for Steps<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.given == self.filled {
            // Whoever wants enough needs no copy.
            if let Some(buffer) = buffer.get_mut(..STEP) {
                return self.inner.read(buffer);
            }
            self.step.resize(STEP, 0);
            (self.given, self.filled) = (0, 0);
            self.filled = self.inner.read(&mut self.step)?;
        }
        let rest = &self.step[self.given..self.filled];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.given += length;
        Ok(length)
    }
}

/// Zstd frames one behind the other.
struct ZstdFrames<R: BufRead> {
    frame: Option<Box<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>>,
    rest: Option<R>,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
                let (stated, found) = (frame.decoder.get_checksum_from_data(), frame.decoder.get_calculated_checksum());
                if stated.is_some() && stated != found {
                    return Err(std::io::Error::new(ErrorKind::InvalidData, "its checksum is another"));
                }
                self.rest = self.frame.take().map(|frame| frame.into_inner());
            }
            let Some(mut rest) = self.rest.take() else {
                return Ok(0);
            };
            if rest.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let frame = ruzstd::decoding::StreamingDecoder::new(rest).map_err(std::io::Error::other)?;
            self.frame = Some(Box::new(frame));
        }
    }
}
