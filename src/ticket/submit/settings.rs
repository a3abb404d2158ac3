//! Settings of trackers: variables of the environment, and else a file that only its owner can read.
//!
//! The file is TOML with the same names, one a line: `CMKDIAG_JIRA_TOKEN = "…"`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::SubmitError;
use crate::alibaba::credentials::home;
use crate::http::Address;

/// The variable that names the file.
pub const FILE_VARIABLE: &str = "CMKDIAG_TRACKERS";

/// Looks variables up.
pub struct Settings<'s> {
    environment: &'s dyn Fn(&str) -> Option<String>,
    file: BTreeMap<String, String>,
}

impl<'s> Settings<'s> {
    /// The environment, and the file that `CMKDIAG_TRACKERS` names, or `~/.config/cmkdiag/trackers.toml` if it is there.
    ///
    /// # Errors
    /// The file cannot be read, others can read it, or it is not a list of texts.
    pub fn load(environment: &'s dyn Fn(&str) -> Option<String>) -> Result<Settings<'s>, SubmitError> {
        let filled = |name: &str| environment(name).filter(|value| !value.is_empty());
        let file = match filled(FILE_VARIABLE) {
            Some(path) => read(Path::new(&path))?,
            None => {
                let config = filled("XDG_CONFIG_HOME").map(PathBuf::from);
                let config = config.or_else(|| Some(home(environment)?.join(".config")));
                let path = config.map(|config| config.join("cmkdiag").join("trackers.toml"));
                path.filter(|path| path.exists()).map(|path| read(&path)).transpose()?.unwrap_or_default()
            }
        };
        Ok(Settings { environment, file })
    }

    /// A setting, if it is there and not empty. The environment comes first.
    pub fn get(&self, name: &str) -> Option<String> {
        let own = (self.environment)(name).filter(|value| !value.is_empty());
        own.or_else(|| self.file.get(name).filter(|value| !value.is_empty()).cloned())
    }

    /// A setting that must be there; `what` tells what it is.
    ///
    /// # Errors
    /// It is not there.
    pub(super) fn need(&self, name: &str, what: &'static str) -> Result<String, SubmitError> {
        self.get(name).ok_or_else(|| SubmitError::NotSet { names: name.to_owned(), what })
    }

    /// An address that must be there, or has a usual value.
    ///
    /// # Errors
    /// It is not there, or not safe.
    pub(super) fn address(&self, name: &str, usual: Option<&str>) -> Result<Address, SubmitError> {
        let text = match (self.get(name), usual) {
            (Some(text), _) => text,
            (None, Some(usual)) => usual.to_owned(),
            (None, None) => self.need(name, "it is the address of the tracker")?,
        };
        Address::parse(&text).map_err(|problem| SubmitError::Setting { name: name.to_owned(), problem })
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, SubmitError> {
    let shown = path.display().to_string();
    let problem = |problem: String| SubmitError::File { path: shown.clone(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
    if is_open(path).map_err(|error| problem(error.to_string()))? {
        return Err(problem(format!("others may read or write it, and it holds credentials: chmod 600 {shown}")));
    }
    // The parser's own words would repeat a line, and with it perhaps a secret.
    let wanted = "it must hold lines such as CMKDIAG_JIRA_URL = \"https://jira.example.com\"";
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        problem(format!("line {line}: {wanted}"))
    })
}

/// Whether others than its owner may do anything with a file.
#[cfg(unix)]
fn is_open(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the folder of the user protects it.
#[cfg(not(unix))]
fn is_open(_: &Path) -> std::io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_comes_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.toml");
        std::fs::write(&path, "A = \"file\"\nB = \"file\"\nC = \"\"\n").unwrap();
        let named = path.display().to_string();
        let environment = move |name: &str| match name {
            FILE_VARIABLE => Some(named.clone()),
            "A" => Some("environment".to_owned()),
            "B" => Some(String::new()),
            _ => None,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            let error = Settings::load(&environment).err().unwrap().to_string();
            assert!(error.contains("others may read") && error.contains("chmod 600"), "{error}");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let settings = Settings::load(&environment).unwrap();
        assert_eq!(settings.get("A").as_deref(), Some("environment"));
        assert_eq!(settings.get("B").as_deref(), Some("file"));
        assert_eq!(settings.get("C"), None);
        assert!(settings.need("C", "it is x").unwrap_err().to_string().starts_with("C is not set"));

        std::fs::write(&path, "A = \"x\"\nTOKEN = s3cret\n").unwrap();
        let error = Settings::load(&environment).err().unwrap();
        assert!(error.to_string().contains("line 2") && !format!("{error:?}").contains("s3cret"), "{error}");
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let environment = |name: &str| (name == FILE_VARIABLE).then(|| "does-not-exist.toml".to_owned());
        assert!(Settings::load(&environment).is_err());
        assert!(Settings::load(&|_| None).is_ok());
    }
}
