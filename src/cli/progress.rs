//! Progress on standard error: bytes, records, rate, time left. Only on a terminal.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how far reading is.
pub struct Progress {
    bar: ProgressBar,
    /// Bytes read so far.
    pub bytes: Arc<AtomicU64>,
    records: AtomicU64,
}

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// On a terminal.
    OnTerminal,
    /// Never.
    Never,
}

impl Progress {
    /// Progress towards so many bytes, if that is known.
    pub fn new(show: Show, total: Option<u64>) -> Progress {
        let shown = show == Show::OnTerminal && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => "reading {bytes}/{total_bytes} {wide_bar} {msg}, {bytes_per_sec}, {eta} left",
            None => "{spinner} reading {bytes}, {msg}, {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Progress { bar, bytes: Arc::default(), records: AtomicU64::new(0) }
    }

    /// So many more records were read.
    pub fn records(&self, more: u64) {
        let records = self.records.fetch_add(more, Ordering::Relaxed) + more;
        if !self.bar.is_hidden() {
            self.bar.set_position(self.bytes.load(Ordering::Relaxed));
            self.bar.set_message(format!("{records} records"));
        }
    }

    /// Reading is over.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
