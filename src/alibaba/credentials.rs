//! What proves to Alibaba Cloud who calls: keys of the environment, or of a profile of the `aliyun` command line.
//!
//! The order is that of alibabacloud-credentials 1.0.12 as far as the kinds go that are supported: access keys and STS
//! tokens. Roles are not assumed here; whoever needs one exports its temporary keys.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::http::{Secret, Secrets};

/// An access key, with its token if it is temporary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The id, which is no secret.
    pub key_id: String,
    /// The secret with which calls are signed.
    pub secret: Secret,
    /// The token of a temporary key.
    pub token: Option<Secret>,
    /// Where they come from, for errors.
    pub origin: String,
}

/// Why there are no credentials. No variant holds a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CredentialsError {
    /// Nothing is set.
    #[error(
        "there are no credentials for Alibaba Cloud: set ALIBABA_CLOUD_ACCESS_KEY_ID and \
         ALIBABA_CLOUD_ACCESS_KEY_SECRET (and ALIBABA_CLOUD_SECURITY_TOKEN for temporary ones), or run \
         `aliyun configure`"
    )]
    None,
    /// Only part of what belongs together is there.
    #[error("{origin}: {missing} is missing; set it")]
    Missing {
        /// Where the rest stands.
        origin: String,
        /// What is missing.
        missing: String,
    },
    /// A value does not fit into a header.
    #[error("{origin}: {what} holds a line break, or a character beyond ASCII; set it again without that")]
    Unsendable {
        /// Where it stands.
        origin: String,
        /// What it is.
        what: &'static str,
    },
    /// The file of profiles cannot be used.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The profile has a mode that is not supported.
    #[error(
        "{origin} has the mode {mode}, and only AK and StsToken are supported: choose another profile with \
         ALIBABA_CLOUD_PROFILE, or export temporary keys of the role as ALIBABA_CLOUD_ACCESS_KEY_ID, \
         ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN (`aliyun sts AssumeRole` prints them)"
    )]
    Mode {
        /// The profile.
        origin: String,
        /// Its mode.
        mode: String,
    },
}

/// The spellings of the variables, the SDKs' own first, then those that the command line knows besides.
const PREFIXES: [&str; 4] = ["ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_", ""];

impl Credentials {
    /// What the environment holds, and else what the profile of the `aliyun` command line holds.
    ///
    /// Variables of one spelling belong together; those of another are looked at only if none of the keys is set. An empty
    /// variable counts as none. The profile is the one that `ALIBABA_CLOUD_PROFILE` names, or the current one of
    /// `~/.aliyun/config.json`; `ALIBABA_CLOUD_IGNORE_PROFILE=TRUE` leaves the file alone.
    ///
    /// # Errors
    /// Nothing usable was found; the error says what to do.
    pub fn find(lookup: &dyn Fn(&str) -> Option<String>, home: Option<&Path>) -> Result<Credentials, CredentialsError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        for prefix in PREFIXES {
            if let Some(found) = of_environment(&get, prefix)? {
                return found.checked();
            }
        }
        let is_on = |name: &str| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_on("ALIBABA_CLOUD_IGNORE_PROFILE") || is_on("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") {
            return Err(CredentialsError::None);
        }
        let Some(home) = home else { return Err(CredentialsError::None) };
        let wanted =
            ["ALIBABA_CLOUD_PROFILE", "ALIBABACLOUD_PROFILE", "ALICLOUD_PROFILE"].iter().find_map(|name| get(name));
        of_profile(&home.join(".aliyun").join("config.json"), wanted.as_deref())?.checked()
    }

    /// What no text that comes back may contain.
    pub fn secrets(&self) -> Secrets {
        Secrets::new([self.secret.clone()].into_iter().chain(self.token.clone()))
    }

    /// # Errors
    /// Something cannot be sent, or a temporary key has no token.
    fn checked(self) -> Result<Credentials, CredentialsError> {
        let origin = || self.origin.clone();
        let is_text = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_text(&self.key_id) {
            return Err(CredentialsError::Unsendable { origin: origin(), what: "the id of the access key" });
        }
        if self.token.as_ref().is_some_and(|token| !is_text(token.expose())) {
            return Err(CredentialsError::Unsendable { origin: origin(), what: "the security token" });
        }
        if self.token.is_none() && self.key_id.starts_with("STS.") {
            let missing = "the access key is a temporary one (STS.…), and its security token".to_owned();
            return Err(CredentialsError::Missing { origin: origin(), missing });
        }
        Ok(self)
    }
}

fn of_environment(get: &dyn Fn(&str) -> Option<String>, prefix: &str) -> Result<Option<Credentials>, CredentialsError> {
    let name = |stem: &str| format!("{prefix}{stem}");
    let (id, secret) = (name("ACCESS_KEY_ID"), name("ACCESS_KEY_SECRET"));
    match (get(&id), get(&secret)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(CredentialsError::Missing { origin: format!("{id} is set, but"), missing: secret }),
        (None, Some(_)) => Err(CredentialsError::Missing { origin: format!("{secret} is set, but"), missing: id }),
        (Some(key_id), Some(text)) => {
            let token = get(&name("SECURITY_TOKEN")).map(Secret::new);
            Ok(Some(Credentials { key_id, secret: Secret::new(text), token, origin: format!("{id} and {secret}") }))
        }
    }
}

/// `config.json` of aliyun-cli 3; what is not needed is not read.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    current: String,
    #[serde(default)]
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    access_key_id: String,
    #[serde(default)]
    access_key_secret: String,
    #[serde(default)]
    sts_token: String,
}

fn of_profile(path: &Path, wanted: Option<&str>) -> Result<Credentials, CredentialsError> {
    let problem = |problem: String| CredentialsError::File { path: shown(path), problem };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && wanted.is_none() => {
            return Err(CredentialsError::None);
        }
        Err(error) => return Err(problem(format!("{error}; run `aliyun configure`"))),
    };
    // The parser's own words could repeat a value.
    let config: Config = serde_json::from_slice(&bytes).map_err(|error| {
        problem(format!("line {} is not what `aliyun configure` writes; run it again", error.line()))
    })?;
    let name = wanted.unwrap_or(if config.current.is_empty() { "default" } else { &config.current });
    let Some(profile) = config.profiles.into_iter().find(|profile| profile.name == name) else {
        return Err(problem(format!("there is no profile `{name}`; run `aliyun configure --profile {name}`")));
    };
    from_profile(profile, format!("the profile `{name}` of {}", shown(path)))
}

fn from_profile(profile: Profile, origin: String) -> Result<Credentials, CredentialsError> {
    let token = match profile.mode.to_ascii_lowercase().as_str() {
        "ak" => None,
        "ststoken" => Some(profile.sts_token),
        _ => return Err(CredentialsError::Mode { origin, mode: profile.mode }),
    };
    let (id, secret) = (&profile.access_key_id, &profile.access_key_secret);
    let parts = [("access_key_id", Some(id)), ("access_key_secret", Some(secret)), ("sts_token", token.as_ref())];
    let empty = parts.iter().find(|(_, value)| value.is_some_and(String::is_empty));
    if let Some((missing, _)) = empty {
        return Err(CredentialsError::Missing { origin, missing: (*missing).to_owned() });
    }
    Ok(Credentials {
        key_id: profile.access_key_id,
        secret: Secret::new(profile.access_key_secret),
        token: token.map(Secret::new),
        origin,
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The home folder of the user, by the environment.
pub fn home(lookup: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    ["HOME", "USERPROFILE"].iter().find_map(|name| lookup(name).filter(|path| !path.is_empty())).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What some variables and a file of profiles give; every value with `s3cret` in it is secret.
    fn find(variables: &[(&str, &str)], config: Option<&str>) -> Result<Credentials, CredentialsError> {
        let home = tempfile::tempdir().unwrap();
        if let Some(config) = config {
            std::fs::create_dir(home.path().join(".aliyun")).unwrap();
            std::fs::write(home.path().join(".aliyun/config.json"), config).unwrap();
        }
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let result = Credentials::find(&lookup, Some(home.path()));
        let shown = match &result {
            Ok(credentials) => format!("{credentials:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("s3cret"), "{shown}");
        result
    }

    const CONFIG: &str = r#"{"current":"main","profiles":[
        {"name":"main","mode":"AK","access_key_id":"LTAI5tMain","access_key_secret":"s3cret-1","region_id":"cn-hangzhou"},
        {"name":"sts","mode":"ststoken","access_key_id":"STS.N1","access_key_secret":"s3cret-2","sts_token":"s3cret-3"},
        {"name":"role","mode":"RamRoleArn","access_key_id":"LTAI","access_key_secret":"s3cret-4","ram_role_arn":"x"},
        {"name":"half","mode":"StsToken","access_key_id":"STS.N1","access_key_secret":"s3cret-2"}],"meta_path":""}"#;

    #[test]
    fn the_environment_comes_first() {
        let found = find(
            &[("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI1"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cret")],
            Some(CONFIG),
        );
        let found = found.unwrap();
        assert_eq!((found.key_id.as_str(), found.secret.expose(), found.token.is_none()), ("LTAI1", "s3cret", true));
        let other = [
            ("ALIBABA_CLOUD_SECURITY_TOKEN", "other-s3cret"),
            ("ALICLOUD_ACCESS_KEY_ID", "STS.N"),
            ("ALICLOUD_ACCESS_KEY_SECRET", "s3cret"),
            ("ALICLOUD_SECURITY_TOKEN", "token-s3cret"),
            ("ACCESS_KEY_ID", "bare"),
        ];
        let found = find(&other, None).unwrap();
        assert_eq!((found.key_id.as_str(), found.token.unwrap().expose()), ("STS.N", "token-s3cret"));
    }

    #[test]
    fn a_profile_is_the_current_one_or_the_one_that_is_named() {
        let found = find(&[], Some(CONFIG)).unwrap();
        assert_eq!((found.key_id.as_str(), found.secret.expose()), ("LTAI5tMain", "s3cret-1"));
        let found = find(&[("ALIBABACLOUD_PROFILE", "sts")], Some(CONFIG)).unwrap();
        assert_eq!((found.key_id.as_str(), found.token.unwrap().expose()), ("STS.N1", "s3cret-3"));
        let ignored = [("ALIBABA_CLOUD_IGNORE_PROFILE", "TRUE")];
        assert_eq!(find(&ignored, Some(CONFIG)), Err(CredentialsError::None));
    }

    #[test]
    fn what_cannot_be_used_says_what_to_do() {
        let told = |variables: &[(&str, &str)], config| find(variables, config).unwrap_err().to_string();
        assert!(told(&[], None).contains("aliyun configure"));
        let named = |name| [("ALIBABA_CLOUD_PROFILE", name)];
        let text = told(&named("role"), Some(CONFIG));
        assert!(text.contains("mode RamRoleArn") && text.contains("aliyun sts AssumeRole"), "{text}");
        assert!(told(&named("half"), Some(CONFIG)).contains("sts_token is missing"));
        assert!(told(&named("none"), Some(CONFIG)).contains("aliyun configure --profile none"));
        assert!(told(&named("main"), None).contains("aliyun configure"));
        let broken = r#"{"profiles":"s3cret"}"#;
        assert!(told(&[], Some(broken)).contains("line 1 is not what"));
        let half = [("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI1")];
        assert!(told(&half, Some(CONFIG)).contains("ALIBABA_CLOUD_ACCESS_KEY_SECRET is missing"));
        let temporary = [("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.N"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cret")];
        assert!(told(&temporary, None).contains("its security token is missing"));
        let broken = [("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI\n1"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cret")];
        assert!(told(&broken, None).contains("line break"));
    }
}
