//! The command line: [`args`] is syntax only, [`job`] meets the world, [`run`] has one function a command.

mod account;
pub mod args;
pub mod case_args;
mod cases;
mod evidence;
pub mod examples;
pub mod exit;
pub mod job;
mod live;
pub mod output;
mod plan;
pub mod plan_args;
pub mod progress;
mod rulebooks;
pub mod run;
mod schemas;
pub mod submit_args;
mod ticket;
pub mod ticket_args;
mod unfinished;
mod usage;
pub mod usage_args;
mod whole;

use std::process::ExitCode;

use clap::Parser as _;

use crate::write::safe::visible_lines;
use exit::Exit;

/// Parses the arguments, runs the command, and turns what happened into an exit code.
pub fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let text = error.render().to_string();
            if visible_lines(&text) == text {
                // A closed pipe while printing help is no failure.
                let _ = error.print();
            } else {
                output::say_lines(&text);
            }
            return code.into();
        }
    };
    match run::run(arguments) {
        Ok(exit) => exit.into(),
        Err(run::Failure::ClosedPipe) => Exit::Done.into(),
        Err(run::Failure::Usage(message)) => report(&message, Exit::Usage),
        Err(run::Failure::Failed(message)) => report(&message, Exit::Failed),
    }
}

fn report(message: &str, exit: Exit) -> ExitCode {
    output::say(&format!("error: {message}"));
    exit.into()
}
