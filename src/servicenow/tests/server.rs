//! An instance that stands on this machine, answers by a script, and remembers what it was asked.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::servicenow::Instance;

/// One answer of the script.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How long it hesitates.
    after: Duration,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into(), after: Duration::ZERO }
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn after(mut self, after: Duration) -> Answer {
        self.after = after;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Scripted\r\nConnection: close\r\n", self.status);
        bytes += &format!("Content-Length: {}\r\n", self.body.len());
        for (name, value) in &self.headers {
            bytes += &format!("{name}: {value}\r\n");
        }
        [bytes.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// The instance; it stops when the test takes its record.
pub(super) struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Server {
    pub(super) fn start(script: Vec<Answer>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = std::thread::spawn(move || serve(&listener, script.into(), &stop));
        Server { address, stopped, thread }
    }

    pub(super) fn instance(&self) -> Instance {
        Instance::parse(&format!("http://{}", self.address)).unwrap()
    }

    /// The heads of all requests.
    pub(super) fn requests(self) -> Vec<String> {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a call.
        drop(TcpStream::connect(self.address));
        self.thread.join().unwrap()
    }
}

fn serve(listener: &TcpListener, mut script: VecDeque<Answer>, stop: &AtomicBool) -> Vec<String> {
    let mut requests = Vec::new();
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let mut stream = stream.unwrap();
        requests.push(head(&stream));
        let answer = script.pop_front().unwrap_or_else(|| Answer::new(500, "the script is over"));
        std::thread::sleep(answer.after);
        // Whoever does not want the whole answer hangs up.
        let _ = stream.write_all(&answer.bytes());
    }
    requests
}

/// The lines of a request up to the empty one, and whatever body it announces.
fn head(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    head
}
