//! The arguments of `plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{Judge, Read, Talk};
use super::usage_args::Evidence;

pub(super) const PLAN_EXAMPLES: &str = "\
Examples:
  cmkdiag plan keys.csv --destinations instances.csv --calendar calendar.toml -o plan/
  cmkdiag plan keys.csv --events trail/ --destinations instances.json --format markdown
  cmkdiag plan keys.csv --destinations instances.csv --check plan/plan.json";

/// `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// The inventory: files or folders, as `diagnose` reads them; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Where keys go, and when
    #[command(flatten)]
    pub how: How,
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
    pub write: PlanWrite,
    /// What is said on the way
    #[command(flatten)]
    pub talk: Talk,
}

/// Where keys go, and when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
pub struct How {
    /// The KMS instances to which keys can go: CSV, JSON, or replies of GetKmsInstance and GetKmsInstanceQuotaInfos; may be given several times
    #[arg(long, value_name = "FILE")]
    pub destinations: Vec<PathBuf>,
    /// When keys may be migrated, as TOML: time_zone, earliest, latest, and tables `allowed` and `freeze` [default: at any time, from tomorrow]
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
    /// The length of each window, such as 2h, 90m or 1h30m
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "2h")]
    pub window_length: i64,
    /// A batch has no more keys [default: what the rulebook says, 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub keys_per_batch: Option<u32>,
    /// An earlier plan, whose windows stay as they are where they are still good
    #[arg(long, value_name = "PLAN")]
    pub keep: Option<PathBuf>,
    /// Check an approved plan against the inventory instead: what of it no longer holds
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["keep", "output", "format"])]
    pub check: Option<PathBuf>,
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct PlanWrite {
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// Write everything into a folder: plan.json, runbook.md, windows.ics, batches.csv, and a table for each list of work
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Output formats of `plan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// A summary for a person
    Text,
    /// The plan itself, as `ticket` and --check read it
    Json,
    /// A runbook
    Markdown,
    /// The windows and deadlines, for calendars
    Ics,
}

/// The seconds of `2h`, `90m`, `1h30m`: from a quarter of an hour to a week.
fn length(text: &str) -> Result<i64, String> {
    let expected = || "expected a time from 15m to 7d, such as 2h, 90m or 1h30m".to_owned();
    let mut seconds: i64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
        let (number, unit) = rest.split_at(digits);
        let (unit, behind) = unit.split_at(unit.chars().next().map_or(0, char::len_utf8));
        let of_unit = match unit {
            "d" => 86_400,
            "h" => 3600,
            "m" => 60,
            _ => return Err(expected()),
        };
        let number: i64 = number.parse().map_err(|_| expected())?;
        seconds = number.checked_mul(of_unit).and_then(|more| seconds.checked_add(more)).ok_or_else(expected)?;
        rest = behind.trim_start();
    }
    if (900..=7 * 86_400).contains(&seconds) { Ok(seconds) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn lengths_are_read() {
        for (text, seconds) in [("2h", 7200), ("90m", 5400), ("1h30m", 5400), (" 1h 15m", 4500), ("1d", 86_400)] {
            assert_eq!(length(text), Ok(seconds), "{text}");
        }
        for text in ["", "2", "h", "2x", "5m", "8d", "99999999999999999999h", "9999999999999999d", "2小时"] {
            assert!(length(text).is_err(), "{text}");
        }
    }
}
