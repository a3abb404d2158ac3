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
                State::Plain => {
                    let quote = memchr::memchr(b'"', rest).map(|offset| self.at + offset);
                    self.mark_last_end(bytes, quote.unwrap_or(bytes.len()));
                    self.at = quote.map_or(bytes.len(), |quote| quote + 1);
                    if quote.is_some_and(|quote| self.opens(bytes, quote)) {
                        self.state = State::Quoted;
                    }
                }
            }
        }
    }

    /// Whether a quote outside quotes stands at the beginning of a field.
    fn opens(&self, bytes: &[u8], quote: usize) -> bool {
        let before = quote.checked_sub(1).map(|before| bytes[before]);
        before.is_none_or(|byte| byte == self.delimiter || byte == b'\n' || byte == b'\r')
    }

    /// Finds the last end of a record between where the parser stands and a place before which it meets no quote.
    fn mark_last_end(&mut self, bytes: &[u8], before: usize) {
        let mut before = before;
        while let Some(offset) = memchr::memrchr2(b'\n', b'\r', &bytes[self.at..before]) {
            let at = self.at + offset;
            // The end of a record of which the second half is not there yet, or was seen.
            let half = bytes[at] == b'\r' && bytes.get(at + 1).is_none_or(|next| *next == b'\n');
            if !half {
                self.boundary = at + 1;
                return;
            }
            before = at;
        }
    }

    /// The first `by` bytes are gone.
    pub(super) fn rebase(&mut self, by: usize) {
        self.at -= by.min(self.at);
        self.boundary -= by.min(self.boundary);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn records(bytes: &[u8]) -> Vec<csv::ByteRecord> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        reader.byte_records().map(Result::unwrap).collect()
    }

    /// State and boundary by one byte after the other.
    fn one_by_one(bytes: &[u8]) -> (State, usize) {
        let (mut state, mut boundary) = (State::Plain, 0);
        for (at, byte) in bytes.iter().enumerate() {
            let opens = at == 0 || matches!(bytes[at - 1], b',' | b'\n' | b'\r');
            state = match (state, byte) {
                (State::Quoted, b'"') => State::QuoteInQuotes,
                (State::Quoted, _) | (State::QuoteInQuotes, b'"') => State::Quoted,
                (_, b'"') if opens => State::Quoted,
                _ => State::Plain,
            };
            let half = *byte == b'\r' && bytes.get(at + 1).is_none_or(|next| *next == b'\n');
            if state == State::Plain && (*byte == b'\n' || *byte == b'\r' && !half) {
                boundary = at + 1;
            }
        }
        (state, boundary)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

        #[test]
        fn text_is_cut_between_records_however_it_arrives(
            pieces in prop::collection::vec(select(vec![",", "\n", "\r\n", "\r", "\"", "\"\"", "\"a\nb\"", "a", "b\"c"]), 0..40),
            steps in prop::collection::vec(1..9_usize, 1..40),
        ) {
            let bytes = pieces.concat().into_bytes();
            let mut scan = Scan::new(b',');
            let mut arrived = 0;
            for step in steps.iter().cycle() {
                arrived = (arrived + step).min(bytes.len());
                scan.advance(&bytes[..arrived]);
                let (before, after) = bytes.split_at(scan.boundary);
                let cut = [records(before), records(after)].concat();
                prop_assert_eq!(cut, records(&bytes), "cut at {}", scan.boundary);
                if arrived == bytes.len() {
                    break;
                }
            }
            let mut at_once = Scan::new(b',');
            at_once.advance(&bytes);
            prop_assert_eq!((at_once.state, at_once.boundary), one_by_one(&bytes));
        }
    }
}
