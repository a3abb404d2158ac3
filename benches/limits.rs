//! What `benches/usage.sh` holds the program against: a pass of serde_json over the same events, and inflating alone.
//!
//! ```text
//! limits serde FILE        one thread; the fields of job B, borrowed
//! limits inflate FILE...   two threads, one file each at a time
//! ```

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for benchmarks, which nobody is given")]

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::Mutex;

/// The fields of job B.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'e> {
    #[serde(borrow)]
    service_name: Option<Cow<'e, str>>,
    #[serde(borrow)]
    event_name: Option<Cow<'e, str>>,
    #[serde(borrow)]
    event_time: Option<Cow<'e, str>>,
    #[serde(borrow)]
    user_agent: Option<Cow<'e, str>>,
    #[serde(borrow)]
    vpc_id: Option<Cow<'e, str>>,
    #[serde(borrow)]
    error_code: Option<Cow<'e, str>>,
    #[serde(borrow)]
    request_parameters: Option<Key<'e>>,
    #[serde(borrow)]
    response_elements: Option<Key<'e>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key<'e> {
    #[serde(borrow)]
    key_id: Option<Cow<'e, str>>,
}

fn serde(path: &str) {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).expect("the file opens"));
    let (mut line, mut events, mut bytes) = (Vec::new(), 0_u64, 0);
    while reader.read_until(b'\n', &mut line).expect("it is read") > 0 {
        let event: Event<'_> = serde_json::from_slice(&line).expect("an event");
        let key = |part: &Option<Key<'_>>| part.as_ref().and_then(|part| part.key_id.as_ref()).map_or(0, |id| id.len());
        let texts = [
            &event.service_name,
            &event.event_name,
            &event.event_time,
            &event.user_agent,
            &event.vpc_id,
            &event.error_code,
        ];
        bytes += texts.iter().map(|text| text.as_ref().map_or(0, |text| text.len())).sum::<usize>();
        bytes += key(&event.request_parameters) + key(&event.response_elements);
        events += 1;
        line.clear();
    }
    println!("{events} events, {bytes} bytes of fields");
}

fn inflate(paths: Vec<String>) {
    let (paths, sum) = (Mutex::new(paths), Mutex::new(0));
    let worker = || {
        let mut buffer = vec![0; 1 << 20];
        while let Some(path) = { paths.lock().expect("nobody panics").pop() } {
            let file = BufReader::with_capacity(1 << 15, File::open(path).expect("the file opens"));
            let mut inflating = flate2::bufread::MultiGzDecoder::new(file);
            loop {
                let read = inflating.read(&mut buffer).expect("it is gzip");
                if read == 0 {
                    break;
                }
                *sum.lock().expect("nobody panics") += read as u64;
            }
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(worker))));
    println!("{} bytes", sum.lock().expect("nobody panics"));
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("serde") => arguments.for_each(|path| serde(&path)),
        _ => inflate(arguments.collect()),
    }
}
