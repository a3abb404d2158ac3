//! The arguments of `usage`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::args::{Talk, size};

pub(super) const USAGE_EXAMPLES: &str = "\
Examples:
  cmkdiag usage trail/ -o usage.jsonl
  zcat trail/*.gz | cmkdiag usage -
  cmkdiag usage trail/ --networks networks.csv --format csv
  cmkdiag usage merge hangzhou.jsonl shanghai.jsonl -o usage.jsonl";

/// `usage`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Usage {
    /// Put results together instead
    #[command(subcommand)]
    pub command: Option<UsageCommand>,
    /// Files or folders with events of ActionTrail: JSON arrays, JSON Lines, replies, exports of a log store; plain, gzip or zstd; `-` is standard input
    #[arg(required = true, value_name = "EVENTS")]
    pub inputs: Vec<PathBuf>,
    /// Your own networks: lines of RANGE,NAME, such as 203.0.113.0/24,office
    #[arg(long, value_name = "FILE")]
    pub networks: Option<PathBuf>,
    /// Read at most so much of each input, after inflating it, such as 500MB or 2GiB
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1TiB")]
    pub max_input: u64,
    /// Events that cannot be read do not change the exit code
    #[arg(long)]
    pub allow_rejects: bool,
    /// Threads to use [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// What is written
    #[command(flatten)]
    pub write: UsageWrite,
    /// What is said on the way
    #[command(flatten)]
    pub talk: Talk,
}

/// What audit logs tell of the keys.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Usage evidence")]
pub struct Evidence {
    /// Results of `cmkdiag usage`: who calls which operations of each key, in which language, from where; may be given several times
    #[arg(long, value_name = "FILE")]
    pub usage: Vec<PathBuf>,
    /// The audit logs themselves, files or folders; may be given several times
    #[arg(long, value_name = "EVENTS")]
    pub events: Vec<PathBuf>,
    /// Your own networks: lines of RANGE,NAME; names such as vpc, data-centre or internet tell where applications run
    #[arg(long, value_name = "FILE")]
    pub networks: Option<PathBuf>,
    /// A log proves what it does not show only if it reaches over so many days, and ended no more than so many days ago
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub min_window: u32,
    /// A log proves what it does not show only if it has no longer run of hours without any event
    #[arg(long, value_name = "HOURS", default_value_t = 0)]
    pub max_gap: u32,
}

impl Evidence {
    /// Whether there are any logs.
    pub fn is_any(&self) -> bool {
        !self.usage.is_empty() || !self.events.is_empty()
    }
}

/// The commands of `usage`.
#[derive(Debug, Subcommand)]
pub enum UsageCommand {
    /// Put results of `usage` together, as if their logs had been read at once
    Merge(UsageMerge),
}

/// `usage merge`.
#[derive(Debug, Args)]
pub struct UsageMerge {
    /// Results of `usage`, or folders with such; plain, gzip or zstd; `-` is standard input
    #[arg(required = true, value_name = "RESULT")]
    pub inputs: Vec<PathBuf>,
    /// Events and files that could not be read when the logs were counted do not change the exit code
    #[arg(long)]
    pub allow_rejects: bool,
    /// What is written
    #[command(flatten)]
    pub write: UsageWrite,
    /// What is said on the way
    #[command(flatten)]
    pub talk: Talk,
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct UsageWrite {
    /// Output format: everything, mergeable, or one row for each key
    #[arg(long, value_enum, default_value_t = UsageFormat::Jsonl)]
    pub format: UsageFormat,
    /// Write to a file, which appears only once it is complete
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Output formats of `usage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UsageFormat {
    /// JSON Lines, as `usage merge` and `diagnose` read them.
    Jsonl,
    /// A table.
    Csv,
}
