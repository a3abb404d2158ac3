//! A server on this machine for tests: it answers by a script or by a function, can fail in the ways that servers do, and
//! remembers what it was asked.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// None hangs up without an answer.
    status: Option<u16>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How long it hesitates.
    after: Duration,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: Some(status), headers: Vec::new(), body: body.into(), after: Duration::ZERO }
    }

    /// Reads the request, and closes the connection.
    pub(crate) fn hang_up() -> Answer {
        Answer { status: None, headers: Vec::new(), body: Vec::new(), after: Duration::ZERO }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn after(mut self, after: Duration) -> Answer {
        self.after = after;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let Some(status) = self.status else { return Vec::new() };
        let mut bytes = format!("HTTP/1.1 {status} Scripted\r\nConnection: close\r\n");
        bytes += &format!("Content-Length: {}\r\n", self.body.len());
        for (name, value) in &self.headers {
            bytes += &format!("{name}: {value}\r\n");
        }
        [bytes.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The lines up to the empty one.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    /// Whether the first line begins so, such as `POST /rest`.
    pub(crate) fn is(&self, start: &str) -> bool {
        self.head.starts_with(start)
    }
}

/// The server; it stops when it is dropped, or when the test takes its record.
pub(crate) struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Seen>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers by a script; when it is over, with 500.
    pub(crate) fn start(script: Vec<Answer>) -> Server {
        let mut script: VecDeque<Answer> = script.into();
        Server::with(move |_| script.pop_front().unwrap_or_else(|| Answer::new(500, "the script is over")))
    }

    /// Answers by a function.
    pub(crate) fn with(answer: impl FnMut(&Seen) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (stopped, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stop, record) = (Arc::clone(&stopped), Arc::clone(&seen));
        let thread = std::thread::spawn(move || serve(&listener, answer, &stop, &record));
        Server { address, stopped, seen, thread: Some(thread) }
    }

    /// `http://…` with its port.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The heads of all requests.
    pub(crate) fn requests(self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.head).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a call.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(
    listener: &TcpListener,
    mut answer: impl FnMut(&Seen) -> Answer,
    stop: &AtomicBool,
    record: &Mutex<Vec<Seen>>,
) {
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let mut stream = stream.unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let seen = request(&stream);
        record.lock().unwrap().push(seen.clone());
        let answer = answer(&seen);
        std::thread::sleep(answer.after);
        // Whoever does not want the whole answer hangs up.
        let _ = stream.write_all(&answer.bytes());
    }
}

/// The lines of a request up to the empty one, and whatever body it announces.
fn request(stream: &TcpStream) -> Seen {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    Seen { head, body: String::from_utf8_lossy(&body).into_owned() }
}
