//! Any bytes as a log, in lines and in values: no panic, no endless loop, and every count adds up. What is printed of it can
//! be read again, and says the same.
#![no_main]

use cmkdiag::usage::buffers::Buffers;
use cmkdiag::usage::collect::{Counted, Detail, Shared, Worker};
use cmkdiag::usage::event::Seen;
use cmkdiag::usage::input::Piece;
use cmkdiag::usage::merge::Merged;
use cmkdiag::usage::network::Networks;
use cmkdiag::usage::result::Written;
use cmkdiag::usage::sequence::Walk;
use cmkdiag::usage::shape::Shapes;
use cmkdiag::usage::take::{Take, lines, values};
use cmkdiag::write::usage::{csv, jsonl};
use libfuzzer_sys::fuzz_target;

struct Taker<'s>(Worker<'s>);

impl Take for Taker<'_> {
    fn seen(&mut self, seen: &Seen<'_>, _line: u64) {
        match seen {
            Seen::Kms(event) => drop(self.0.kms(event)),
            Seen::Other(event) => drop(self.0.other(event)),
            _ => self.0.broken(),
        }
    }

    fn broken(&mut self, _line: u64, _why: String) {
        self.0.broken();
    }
}

fn counted(
    piece: &Piece,
    read: fn(&Piece, &mut Shapes, &mut dyn Take) -> u64,
    shapes: &mut Shapes,
    detail: Detail,
) -> Counted {
    let shared = Shared::new(Networks::default(), detail);
    let mut taker = Taker(Worker::new(&shared));
    read(piece, shapes, &mut taker);
    drop(taker);
    shared.finish()
}

fn table(counted: &Counted) -> Vec<u8> {
    let mut table = Vec::new();
    csv(&Written::new(counted), 1, &mut table).expect("memory takes everything");
    table
}

fuzz_target!(|bytes: &[u8]| {
    let piece =
        Piece { file: 0, bytes: bytes.to_vec(), from: Walk::default(), is_last: true, home: Buffers::default() };
    for read in [lines, values] {
        let mut shapes = Shapes::default();
        let first = counted(&piece, read, &mut shapes, Detail::Result);
        // What was learned of the events changes nothing but the speed at which they are read.
        let known = counted(&piece, read, &mut shapes, Detail::Result);
        let [first, known] = [first, known].map(|counted| {
            let account = counted.rest.account;
            assert_eq!(account.events, account.kms + account.others + account.duplicates + account.broken);
            let mut printed = Vec::new();
            jsonl(&Written::new(&counted), 1, &mut printed).expect("memory takes everything");
            (String::from_utf8(printed).expect("it is text"), table(&counted))
        });
        assert_eq!(first, known);
        let (first, of_all) = first;
        // What a table does not show changes nothing in it.
        assert_eq!(table(&counted(&piece, read, &mut shapes, Detail::Table)), of_all);
        let mut merged = Merged::default();
        for line in first.lines() {
            merged.add(line).expect("it reads what it writes");
        }
        merged.end().expect("it is whole");
        let mut again = Vec::new();
        jsonl(&Written::new(&merged.finish()), 1, &mut again).expect("memory takes everything");
        assert_eq!(first.as_bytes(), again);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mut merged = Merged::default();
        let _ = text.lines().try_for_each(|line| merged.add(line)).and_then(|()| merged.end());
        let _ = Networks::read(text);
    }
});
