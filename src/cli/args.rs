//! What the user typed. Nothing here touches the world.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use encoding_rs::Encoding;

use super::case_args::{Beside, BesidePairs, EXCHANGE_EXAMPLES, Exchange, PREFLIGHT_EXAMPLES, Preflight};
use super::exit;
use super::plan_args::{PLAN_EXAMPLES, Plan};
use super::submit_args::SUBMIT_HELP;
use super::ticket_args::{TICKET_EXAMPLES, Ticket};
use super::usage_args::{Evidence, USAGE_EXAMPLES, Usage};
use crate::read::text;
use crate::rulebook::compile::nearest;

/// Which cloud encryption keys can be migrated, which cannot, why, and what is missing to know it.
#[derive(Debug, Parser)]
#[command(name = "cmkdiag", version, propagate_version = true, after_help = exit::TABLE)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Classify every key of an inventory
    #[command(after_help = format!("{DIAGNOSE_EXAMPLES}\n\n{}", exit::TABLE))]
    Diagnose(Diagnose),
    /// The keys that can be migrated to batches, with instances, windows and lists of work
    #[command(after_help = format!("{PLAN_EXAMPLES}\n\n{}", exit::TABLE))]
    Plan(Plan),
    /// Tell why a key, pair or request has its class: facts, sources, gaps, ways out
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// May this ServiceNow instance be cloned, restored, copied or moved onto that one while EKMS is enabled?
    #[command(after_help = format!("{PREFLIGHT_EXAMPLES}\n\n{}", exit::TABLE))]
    Preflight(Preflight),
    /// Are these ServiceNow key exchange requests valid, and what must be done to complete them?
    #[command(after_help = format!("{EXCHANGE_EXAMPLES}\n\n{}", exit::TABLE))]
    Exchange(Exchange),
    /// Audit logs of ActionTrail to usage evidence: which operations, languages and networks use each key
    #[command(after_help = format!("{USAGE_EXAMPLES}\n\n{}", exit::TABLE))]
    Usage(Usage),
    /// A migration plan to tickets that are ready to send, in the form of a tracker
    #[command(after_help = format!("{TICKET_EXAMPLES}\n\n{SUBMIT_HELP}\n\n{}", exit::TABLE))]
    Ticket(Ticket),
    /// The rulebook: list, show, check or start a card
    Rules(Rules),
    /// The documents that the rulebook rests on, and their age
    Sources(Sources),
    /// JSON Schemas of what is read and written as JSON; without a name, which there are
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema(Schema),
}

const DIAGNOSE_EXAMPLES: &str = "\
Examples:
  cmkdiag diagnose keys.csv
  cmkdiag diagnose exports/ more.jsonl.gz --format csv -o verdicts.csv
  cmkdiag diagnose keys.csv --format csv --columns key_id,region,class,rules
  cmkdiag diagnose keys.csv --events trail/
  cmkdiag diagnose keys.csv --assume instance=default --fail-on blocked,undetermined";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  cmkdiag explain alias/orders --in keys.csv
  cmkdiag explain 0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01 --in exports/
  cmkdiag explain prod:test --domain ekms --in pairs.csv";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  cmkdiag schema
  cmkdiag schema diagnosis > diagnosis.schema.json";

/// `diagnose`.
#[derive(Debug, Args)]
pub struct Diagnose {
    /// Files or folders: CSV, TSV, JSON, JSON Lines, spreadsheets (.xlsx, .ods, .xls); plain, gzip or zstd; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How inputs are read
    #[command(flatten)]
    pub read: Read,
    /// How keys are judged
    #[command(flatten)]
    pub judge: Judge,
    /// What audit logs tell
    #[command(flatten)]
    pub evidence: Evidence,
    /// What is written
    #[command(flatten)]
    pub write: Write,
    /// What is said on the way
    #[command(flatten)]
    pub talk: Talk,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Key ids, ARNs or aliases; in other domains `SOURCE:TARGET` or the id of a request
    #[arg(required = true, value_name = "KEY")]
    pub keys: Vec<String>,
    /// The domain: cmk (keys), ekms (instance automation) or exchange (key exchange)
    #[arg(long, value_name = "NAME", default_value = "cmk")]
    pub domain: String,
    /// The inventory, pairs or requests; may be given several times
    #[arg(long = "in", short = 'i', required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How inputs are read
    #[command(flatten)]
    pub read: Read,
    /// How keys are judged
    #[command(flatten)]
    pub judge: Judge,
    /// What audit logs tell
    #[command(flatten)]
    pub evidence: Evidence,
    /// What stands beside the records of pairs and requests
    #[command(flatten)]
    pub beside: Beside,
    /// What stands beside the records of pairs
    #[command(flatten)]
    pub beside_pairs: BesidePairs,
    /// Output format
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub format: TextFormat,
    /// What is said on the way
    #[command(flatten)]
    pub talk: Talk,
}

/// So much is read of each input, unless somebody says otherwise.
pub(super) const MAX_INPUT: u64 = 16 << 30;

/// How inputs are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct Read {
    /// The format of all inputs, instead of finding it by content
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,
    /// The encoding of all text, such as GB18030, instead of finding it
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub input_encoding: Option<&'static Encoding>,
    /// Read at most so much of each input, after inflating it, such as 500MB or 2GiB [default: 16GiB, of audit logs 1TiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_input: Option<u64>,
    /// Write rejected records to a CSV file: file, line, column, value, reason
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Rejected records do not change the exit code
    #[arg(long)]
    pub allow_rejects: bool,
    /// Threads to use [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
}

fn encoding(label: &str) -> Result<&'static Encoding, String> {
    text::encoding(label)
        .map_err(|names| format!("there is no such encoding; {}", nearest(&label.to_lowercase(), names)))
}

/// The bytes of `500MB`, `2GiB` or `4096`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a number of bytes, such as 500MB, 2GiB or 4096".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "tb" => 1000 * 1000 * 1000 * 1000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(expected)
}

/// How keys are judged.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Rules")]
pub struct Judge {
    /// The edition of the rulebook
    #[arg(long, value_name = "NAME")]
    pub edition: Option<String>,
    /// A folder with cards of your own, added to the rulebook
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Fill in a fact where nobody knows it, such as instance=default; recorded in every output
    #[arg(long, value_name = "FACT=VALUE")]
    pub assume: Vec<String>,
    /// Conditional verdicts count as undetermined
    #[arg(long)]
    pub strict: bool,
    /// Infer nothing that no record says, such as one version from the dates of creation and last rotation
    #[arg(long)]
    pub no_inference: bool,
    /// The moment to which dates and ages refer [default: now]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// Language of titles, reasons and remedies
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Write {
    /// Output format
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub format: OutputFormat,
    /// Write to a file, which appears only once it is complete
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write only keys of these classes
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Exit with 1 if a key has one of these classes (or `conditional`: a verdict with open conditions)
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub fail_on: Vec<String>,
    /// Write only these columns of the CSV, in this order; `class` brings `confirmed` along
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Pass columns that are not understood through to the output
    #[arg(long)]
    pub keep_columns: bool,
}

/// What is said on the way.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Messages")]
pub struct Talk {
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Show no progress
    #[arg(long)]
    pub no_progress: bool,
    /// Colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

/// `rules`.
#[derive(Debug, Args)]
pub struct Rules {
    /// What to do
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// The commands of `rules`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Every card: id, kind, class, basis, title
    List(RulesList),
    /// One card: explanation, condition, remedy, sources
    Show(RulesShow),
    /// Check every card and run its examples
    Check(RulesCheck),
    /// Start a new card in a source tree
    New(RulesNew),
}

/// `rules list`.
#[derive(Debug, Args)]
pub struct RulesList {
    /// Which rulebook
    #[command(flatten)]
    pub book: Book,
    /// Output format
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub format: TextFormat,
}

/// `rules show`.
#[derive(Debug, Args)]
pub struct RulesShow {
    /// Ids of cards
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Which rulebook
    #[command(flatten)]
    pub book: Book,
}

/// `rules check`.
#[derive(Debug, Args)]
pub struct RulesCheck {
    /// Which rulebook
    #[command(flatten)]
    pub book: Book,
}

/// `rules new`.
#[derive(Debug, Args)]
pub struct RulesNew {
    /// The domain
    #[arg(value_name = "DOMAIN")]
    pub domain: String,
    /// The id: kebab-case, naming the state found
    #[arg(value_name = "ID")]
    pub id: String,
    /// The root of the source tree
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub root: PathBuf,
}

/// Which rulebook.
#[derive(Debug, Args, Default)]
pub struct Book {
    /// The domain: cmk (keys), ekms (instance automation) or exchange (key exchange)
    #[arg(long, value_name = "NAME", default_value = "cmk")]
    pub domain: String,
    /// The edition of the rulebook
    #[arg(long, value_name = "NAME")]
    pub edition: Option<String>,
    /// A folder with cards of your own, added to the rulebook
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Language of titles and explanations
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
}

/// `sources`.
#[derive(Debug, Args)]
pub struct Sources {
    /// Which rulebook
    #[command(flatten)]
    pub book: Book,
    /// Output format
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub format: TextFormat,
}

/// `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Which schema
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Input formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// Delimited text with a header line
    Csv,
    /// Tab-separated text with a header line
    Tsv,
    /// JSON
    Json,
    /// One JSON object a line
    Jsonl,
    /// A workbook: .xlsx, .ods or .xls
    #[value(aliases = ["ods", "xls"])]
    Xlsx,
    /// A state or plan of Terraform
    Terraform,
    /// A report of ScoutSuite
    Scoutsuite,
    /// Replies of the KMS API, as the command line and the SDKs write them
    AlibabaCli,
    /// Resources of Cloud Config
    CloudConfig,
    /// Resources of Resource Center
    ResourceCenter,
    /// Findings of Prowler as CSV
    Prowler,
    /// Findings of Prowler as OCSF JSON
    ProwlerOcsf,
    /// Rows of Steampipe's table alicloud_kms_key, as CSV or JSON
    Steampipe,
}

/// Output formats of `diagnose`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A table for a person, with summary and next steps
    Table,
    /// One row a key
    Csv,
    /// One document
    Json,
    /// One object a line
    Jsonl,
    /// A report
    Markdown,
}

/// Text for people or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

/// Languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Language {
    /// English
    #[default]
    En,
    /// Chinese
    Zh,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
