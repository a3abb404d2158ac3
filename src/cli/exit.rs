//! Exit codes: one list, one meaning each.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Done, and a `--fail-on` gate matched, or a plan has errors.
    Gate = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// Done, but some records were rejected.
    Rejects = 3,
    /// Could not do it: reading, writing, or no usable record.
    Failed = 4,
}

/// The codes with their meaning, for `--help` and the README.
pub const TABLE: &str = "\
Exit codes:
  0  done
  1  done, and a --fail-on gate matched, or a plan has errors
  2  wrong usage
  3  done, but some records were rejected (the results of the others are written; --allow-rejects makes it 0)
  4  could not do it (reading, writing, or no usable record)";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
