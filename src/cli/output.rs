//! Where results go: standard output, or a file that appears only once it is complete.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::unfinished;
use crate::write::safe::visible;

/// Says something on standard error, on one line whatever stands in it; a closed standard error is not worth a failure.
pub fn say(message: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(message.trim_end_matches('\n')));
}

/// Says something that has several lines.
pub fn say_lines(message: &str) {
    message.lines().for_each(say);
}

/// Whether escape codes may stand in what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Text for a person: colours reach terminals only.
    Text,
    /// Data: written as it is.
    Data,
}

/// Gives a writer to `fill`: a file, or standard output if there is no path or it is `-`.
///
/// # Errors
/// Writing fails; the file then is as it was before.
pub fn write_to(
    path: Option<&Path>,
    ink: Ink,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> io::Result<()> {
    match path.filter(|path| path.as_os_str() != "-") {
        None if ink == Ink::Text => buffered(anstream::AutoStream::auto(io::stdout()), fill),
        None => buffered(io::stdout(), fill),
        Some(path) if is_special(path) => {
            let file = std::fs::OpenOptions::new().write(true).open(path)?;
            match ink {
                Ink::Text => buffered(anstream::StripStream::new(file), fill),
                Ink::Data => buffered(file, fill),
            }
        }
        Some(path) => write_file(path, ink, fill),
    }
}

fn buffered(writer: impl Write + Send, fill: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
    // Large pieces pass by the buffer.
    let mut out = BufWriter::with_capacity(1 << 15, writer);
    fill(&mut out)?;
    out.flush()
}

/// Devices and pipes are written into, not replaced.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

fn write_file(path: &Path, ink: Ink, fill: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
    // A link keeps pointing to what it points to.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".cmkdiag-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A new file gets the usual mode, to which the process's mask is applied; another keeps its own.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let (file, unfinished) = unfinished::create(|| builder.tempfile_in(folder))?;
    if let Ok(before) = std::fs::metadata(&target) {
        file.as_file().set_permissions(before.permissions())?;
    }
    match ink {
        Ink::Text => buffered(anstream::StripStream::new(file.as_file().try_clone()?), fill)?,
        Ink::Data => buffered(file.as_file(), fill)?,
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    drop(unfinished);
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}
