//! Files that are not complete yet: they are taken away when somebody ends the program.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

static FILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn files() -> MutexGuard<'static, Vec<PathBuf>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is taken away unless the program goes on until this is dropped.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        files().retain(|path| *path != self.0);
    }
}

/// Creates a file that is not complete yet.
///
/// # Errors
/// It cannot be created.
pub(super) fn create(
    make: impl FnOnce() -> std::io::Result<NamedTempFile>,
) -> std::io::Result<(NamedTempFile, Unfinished)> {
    #[cfg(unix)]
    signals::watch();
    // Whoever ends the program waits until the file is known.
    let mut files = files();
    let file = make()?;
    files.push(file.path().to_owned());
    let unfinished = Unfinished(file.path().to_owned());
    Ok((file, unfinished))
}

/// Takes all of them away; a failure is nothing that anybody could still be told.
#[cfg(unix)]
fn take_away(files: &[PathBuf]) {
    files.iter().map(PathBuf::as_path).for_each(|path: &Path| drop(std::fs::remove_file(path)));
}

#[cfg(unix)]
mod signals {
    use std::sync::Once;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    /// Waits for signals that end the program, from now on.
    pub(super) fn watch() {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| {
            let ignored = ignored();
            let signals = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored & 1 << (signal - 1) == 0);
            // Without, a file may be left behind, which is no reason not to write it.
            if let Ok(mut signals) = Signals::new(signals) {
                let wait = move || {
                    if let Some(signal) = signals.forever().next() {
                        let files = super::files();
                        super::take_away(&files);
                        // The program ends here, as if nobody had waited.
                        let _ = emulate_default_handler(signal);
                    }
                };
                drop(std::thread::Builder::new().name("signals".to_owned()).spawn(wait));
            }
        });
    }

    /// The signals that the program was started to ignore, as `nohup` does, as bits; only Linux tells.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
    }
}
