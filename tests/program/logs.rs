//! Logs of events in every layout that the program reads.

use std::io::Write as _;

use serde_json::{Value, json};

/// How many layouts there are.
pub(crate) const LAYOUTS: usize = 8;

/// Events as JSON Lines.
pub(crate) fn lines(events: &[String]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// Packed, as a trail delivers files.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A log of these events: its extension and its bytes.
pub(crate) fn log(layout: usize, events: &[String]) -> (&'static str, Vec<u8>) {
    let array = || format!("[{}]", events.join(","));
    let pretty = |text: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap();
    match layout {
        0 => ("jsonl", lines(events).into_bytes()),
        1 => ("json", array().into_bytes()),
        2 => ("json", pretty(&array()).into_bytes()),
        3 => ("json", format!("{{\"RequestId\":\"x\",\"Events\":{},\"NextToken\":\"y\"}}", array()).into_bytes()),
        4 => ("gz", gzip(format!("{{\"Records\":{}}}", array()).as_bytes())),
        5 => {
            let rows = events.iter().map(|event| json!({"__topic__": "actiontrail_audit_event", "event": event}));
            ("jsonl", lines(&rows.map(|row| row.to_string()).collect::<Vec<_>>()).into_bytes())
        }
        6 => {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["__time__", "event"]).unwrap();
            events.iter().for_each(|event| writer.write_record(["1", &pretty(event)]).unwrap());
            ("csv", writer.into_inner().unwrap())
        }
        _ => {
            let rows = events.iter().map(|event| format!("{{\"__topic__\":\"actiontrail_event\",\"event\":{event}}}"));
            ("log.gz", gzip(lines(&rows.collect::<Vec<_>>()).as_bytes()))
        }
    }
}
