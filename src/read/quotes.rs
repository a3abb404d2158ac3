//! Where records of delimited text end: follows the quotes as the parser does, so that a line break inside
//! quotes ends nothing, and a quote inside a field opens nothing.

/// Where the parser would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Outside quotes.
    Plain,
    /// Inside quotes.
    Quoted,
    /// Just behind a quote inside quotes: it ends them unless another follows.
    QuoteInQuotes,
}

/// Follows the quotes to know where records end.
#[derive(Debug)]
pub(super) struct Scan {
    delimiter: u8,
    pub(super) state: State,
    at: usize,
    /// The end of the last whole record.
    pub(super) boundary: usize,
}

impl Scan {
    /// At the beginning of a record.
    pub(super) fn new(delimiter: u8) -> Scan {
        Scan { delimiter, state: State::Plain, at: 0, boundary: 0 }
    }

    /// Follows the bytes that are new.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        while self.at < bytes.len() {
            let rest = &bytes[self.at..];
            match self.state {
                State::Quoted => match memchr::memchr(b'"', rest) {
                    Some(offset) => {
                        self.at += offset + 1;
                        self.state = State::QuoteInQuotes;
                    }
                    None => self.at = bytes.len(),
                },
                State::QuoteInQuotes if rest[0] == b'"' => {
                    self.at += 1;
                    self.state = State::Quoted;
                }
                State::QuoteInQuotes => self.state = State::Plain,
                State::Plain => match memchr::memchr3(b'"', b'\n', b'\r', rest) {
                    Some(offset) => self.mark(bytes, self.at + offset),
                    None => self.at = bytes.len(),
                },
            }
        }
    }

    /// Handles a quote or line end outside quotes.
    fn mark(&mut self, bytes: &[u8], at: usize) {
        self.at = at + 1;
        match bytes[at] {
            b'"' => {
                let before = at.checked_sub(1).map(|before| bytes[before]);
                let opens = before.is_none_or(|byte| byte == self.delimiter || byte == b'\n' || byte == b'\r');
                if opens {
                    self.state = State::Quoted;
                }
            }
            b'\r' if bytes.get(at + 1).is_none_or(|next| *next == b'\n') => {}
            _ => self.boundary = at + 1,
        }
    }

    /// The first `by` bytes are gone.
    pub(super) fn rebase(&mut self, by: usize) {
        self.at -= by.min(self.at);
        self.boundary -= by.min(self.boundary);
    }
}
