//! What the user typed after `preflight` and `exchange`. Nothing here touches the world.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{Judge, Read, Talk};

pub(super) const PREFLIGHT_EXAMPLES: &str = "\
Examples:
  cmkdiag preflight pairs.csv
  cmkdiag preflight fleet.csv --operation clone --from prod --to test,dev
  cmkdiag preflight fleet.csv --operation clone --all-pairs --format html -o clones.html
  cmkdiag preflight fleet.csv --from prod --to test --describe-key aws-replies/
  cmkdiag preflight --instance prod --instance test --from prod --to test";

pub(super) const EXCHANGE_EXAMPLES: &str = "\
Examples:
  cmkdiag exchange requests.json
  cmkdiag exchange requests.csv --format markdown -o checklists.md
  cmkdiag exchange requests.csv --fail-on invalid,change-first,undetermined";

/// `preflight`.
#[derive(Debug, Args)]
pub struct Preflight {
    /// What both commands about ServiceNow have
    #[command(flatten)]
    pub common: Cases,
    /// What stands beside the records of pairs
    #[command(flatten)]
    pub beside: BesidePairs,
    /// Which pairs are made of a list of instances
    #[command(flatten)]
    pub pairs: Pairs,
    /// Show sources against targets, also for pairs that are listed one by one
    #[arg(long, help_heading = "Output")]
    pub matrix: bool,
}

/// `exchange`.
#[derive(Debug, Args)]
pub struct Exchange {
    /// What both commands about ServiceNow have
    #[command(flatten)]
    pub common: Cases,
}

/// Which pairs are made of a list of instances.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Pairs of listed instances")]
pub struct Pairs {
    /// Instances to be sources; without it, each is
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub from: Vec<String>,
    /// Instances to be targets; without it, each is
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub to: Vec<String>,
    /// Every ordered pair of listed instances
    #[arg(long)]
    pub all_pairs: bool,
}

/// What both commands about ServiceNow have.
#[derive(Debug, Args)]
pub struct Cases {
    /// Files or folders: CSV, TSV, JSON, JSON Lines, spreadsheets (.xlsx, .ods, .xls); plain, gzip or zstd; `-` is standard input
    #[arg(required_unless_present = "instance", value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How inputs are read
    #[command(flatten)]
    pub read: Read,
    /// What stands beside the records
    #[command(flatten)]
    pub beside: Beside,
    /// How subjects are judged
    #[command(flatten)]
    pub judge: Judge,
    /// What is written
    #[command(flatten)]
    pub write: CaseWrite,
    /// What is said on the way
    #[command(flatten)]
    pub talk: Talk,
}

/// What stands beside the records of pairs and requests.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Evidence")]
pub struct Beside {
    /// Read release, plugin and properties of a ServiceNow instance, read-only; credentials come from
    /// SERVICENOW_USERNAME and SERVICENOW_PASSWORD, SERVICENOW_TOKEN or SERVICENOW_API_KEY
    #[arg(long, value_name = "HOST")]
    pub instance: Vec<String>,
}

/// What stands beside the records of pairs only.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Evidence")]
pub struct BesidePairs {
    /// Files or folders with what `aws kms describe-key` printed, replies or errors: the state of keys
    #[arg(long, value_name = "PATH")]
    pub describe_key: Vec<PathBuf>,
    /// The instance automation operation of pairs that name none
    #[arg(long, value_enum, value_name = "OPERATION")]
    pub operation: Option<Operation>,
}

/// What is written about pairs and requests.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct CaseWrite {
    /// Output format
    #[arg(long, value_enum, default_value_t = CaseFormat::Table)]
    pub format: CaseFormat,
    /// Write to a file, which appears only once it is complete
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write only subjects of these classes
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Exit with 1 if a subject has one of these classes (or `conditional`: a verdict with open conditions)
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub fail_on: Vec<String>,
    /// Write only these columns of the CSV, in this order; `class` brings `confirmed` along
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Pass columns that are not understood through to the output
    #[arg(long)]
    pub keep_columns: bool,
}

/// Output formats of `preflight` and `exchange`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CaseFormat {
    /// For a person: matrix, verdicts, next steps, checklists
    Table,
    /// One row a subject
    Csv,
    /// One document
    Json,
    /// One object a line
    Jsonl,
    /// A report with checklists
    Markdown,
    /// The same as a page
    Html,
}

/// Instance automation operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// Clone
    Clone,
    /// Backup and restore
    BackupRestore,
    /// Copy
    Copy,
    /// Move
    Move,
    /// Toggle
    Toggle,
}

impl Operation {
    /// Its name in inputs and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Clone => "clone",
            Operation::BackupRestore => "backup-restore",
            Operation::Copy => "copy",
            Operation::Move => "move",
            Operation::Toggle => "toggle",
        }
    }
}
