//! The tracker's own words, which no plan can know: projects, queues, categories, addresses. They stand in a file of TOML
//! with a section for each tracker; secrets never do.

use serde::{Deserialize, Deserializer, Serialize};

use crate::rulebook::compile::nearest;
use crate::write::safe::visible;

use super::email::Address;
use super::payload::Tracker;

/// The words of all trackers, each in the section of its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    /// Alibaba Cloud.
    pub alibaba: Alibaba,
    /// Changes of ServiceNow.
    pub servicenow_change: ServicenowChange,
    /// Incidents of ServiceNow.
    pub servicenow_incident: ServicenowIncident,
    /// Jira Cloud.
    pub jira_cloud: Jira,
    /// Jira Data Center.
    pub jira_dc: Jira,
    /// Zendesk.
    pub zendesk: Zendesk,
    /// GitHub.
    pub github: Github,
    /// GitLab.
    pub gitlab: Gitlab,
    /// Request Tracker.
    pub rt: Rt,
    /// Roundup.
    pub roundup: Roundup,
    /// E-mail.
    pub email: Email,
}

/// Of Alibaba Cloud.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "snake_case")]
pub struct Alibaba {
    /// The category of the ticket, as `ListCategories` names it; demanded.
    pub category_id: Option<String>,
    /// Whom to tell.
    pub email: Option<String>,
    /// 1 normal, which it is if nothing is said, or 2 urgent.
    pub severity: Option<u8>,
}

/// Of changes of ServiceNow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServicenowChange {
    /// `normal` if nothing is said.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The category.
    pub category: Option<String>,
    /// The group, by sys_id.
    pub assignment_group: Option<String>,
    /// Who asks, by sys_id.
    pub requested_by: Option<String>,
    /// The risk, by its value.
    pub risk: Option<String>,
    /// The impact, by its value.
    pub impact: Option<String>,
}

/// Of incidents of ServiceNow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServicenowIncident {
    /// The category.
    pub category: Option<String>,
    /// The group, by sys_id.
    pub assignment_group: Option<String>,
    /// Who asks, by sys_id.
    pub caller_id: Option<String>,
    /// The urgency, by its value.
    pub urgency: Option<String>,
    /// The impact, by its value.
    pub impact: Option<String>,
}

/// Of Jira, both kinds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Jira {
    /// The key of the project; demanded.
    pub project: Option<String>,
    /// The name of the issue type, `Task` if nothing is said.
    pub issue_type: Option<String>,
    /// The name of the priority.
    pub priority: Option<String>,
    /// More labels.
    #[serde(deserialize_with = "one_or_many")]
    pub labels: Vec<String>,
    /// The names of components.
    #[serde(deserialize_with = "one_or_many")]
    pub components: Vec<String>,
}

/// Of Zendesk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Zendesk {
    /// `urgent`, `high`, `normal` or `low`; `normal` if nothing is said.
    pub priority: Option<String>,
    /// The group, by its number.
    pub group_id: Option<u64>,
    /// More tags.
    #[serde(deserialize_with = "one_or_many")]
    pub tags: Vec<String>,
}

/// Of GitHub.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Github {
    /// More labels.
    #[serde(deserialize_with = "one_or_many")]
    pub labels: Vec<String>,
    /// Users, by login.
    #[serde(deserialize_with = "one_or_many")]
    pub assignees: Vec<String>,
}

/// Of GitLab.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gitlab {
    /// More labels.
    #[serde(deserialize_with = "one_or_many")]
    pub labels: Vec<String>,
    /// Users, by number.
    pub assignee_ids: Vec<u64>,
    /// Whether only members see it; they alone do if nothing is said, as ids of keys are nobody else's business.
    pub confidential: Option<bool>,
}

/// Of Request Tracker.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rt {
    /// The queue; demanded.
    pub queue: Option<String>,
    /// Who asks, by address.
    pub requestor: Option<String>,
    /// The custom field that takes the label, if there is one.
    pub digest_field: Option<String>,
}

/// Of Roundup.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Roundup {
    /// Who writes, by id or name; without, a message cannot be attached to an issue.
    pub author: Option<String>,
    /// The priority, by id or name.
    pub priority: Option<String>,
    /// Who works on it, by id or name.
    pub assignedto: Option<String>,
}

/// Of e-mail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Email {
    /// Who writes, as `name@example.com` or `Name <name@example.com>`; demanded.
    pub from: Option<String>,
    /// To whom; demanded.
    #[serde(deserialize_with = "one_or_many")]
    pub to: Vec<String>,
    /// Who gets a copy.
    #[serde(deserialize_with = "one_or_many")]
    pub cc: Vec<String>,
    /// What stands behind the `@` of the Message-ID; the domain of the writer if nothing is said.
    pub message_id_domain: Option<String>,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    })
}

impl Options {
    /// Reads a file of TOML.
    ///
    /// # Errors
    /// It is no TOML, has a section or key that does not exist, or a value that makes no sense; with the line, if it is known.
    pub fn read(text: &str) -> Result<Options, String> {
        let at = |error: &toml::de::Error| match error.span() {
            Some(span) => format!(
                "line {}: ",
                text.as_bytes()[..span.start.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1
            ),
            None => String::new(),
        };
        let told = |error: toml::de::Error| format!("{}{}", at(&error), visible(error.message()));
        let table: toml::Table = toml::from_str(text).map_err(told)?;
        refuse_unknown(&table)?;
        let options: Options = toml::from_str(text).map_err(told)?;
        options.check()?;
        Ok(options)
    }

    /// Values that no tracker would take.
    fn check(&self) -> Result<(), String> {
        if self.alibaba.severity.is_some_and(|severity| !matches!(severity, 1 | 2)) {
            return Err("[alibaba] severity is 1 (normal) or 2 (urgent)".to_owned());
        }
        if let Some(priority) = &self.zendesk.priority {
            let known = ["urgent", "high", "normal", "low"];
            if !known.contains(&priority.as_str()) {
                return Err(format!("[zendesk] priority `{}`: {}", visible(priority), nearest(priority, &known)));
            }
        }
        let spaced = |section: &str, labels: &[String]| match labels
            .iter()
            .find(|label| label.is_empty() || label.contains(|c: char| c.is_whitespace() || c == ','))
        {
            Some(label) => {
                Err(format!("[{section}] `{}` is no label: it has blanks or commas, or is empty", visible(label)))
            }
            None => Ok(()),
        };
        spaced("jira-cloud", &self.jira_cloud.labels)?;
        spaced("jira-dc", &self.jira_dc.labels)?;
        spaced("zendesk", &self.zendesk.tags)?;
        if let Some(label) = self.gitlab.labels.iter().find(|label| label.is_empty() || label.contains(',')) {
            return Err(format!("[gitlab] `{}` is no label: it has a comma, or is empty", visible(label)));
        }
        let addresses = self.email.from.iter().chain(&self.email.to).chain(&self.email.cc);
        for address in addresses {
            Address::read(address).map_err(|why| format!("[email] `{}`: {why}", visible(address)))?;
        }
        if let Some(domain) = &self.email.message_id_domain {
            let is_domain = Address::read(&format!("x@{domain}")).is_ok_and(|read| read.domain() == domain);
            if !is_domain {
                return Err(format!(
                    "[email] message_id_domain is `{}`; expected a domain, such as example.com",
                    visible(domain)
                ));
            }
        }
        Ok(())
    }

    /// What a tracker demands and nobody gave.
    ///
    /// # Errors
    /// Which key to add, and where.
    pub fn demand(&self, tracker: Tracker) -> Result<(), String> {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        let demands: &[(bool, &str)] = match tracker {
            Tracker::Alibaba => &[(given(&self.alibaba.category_id), "category_id = \"53812\"")],
            Tracker::JiraCloud => &[(given(&self.jira_cloud.project), "project = \"SEC\"")],
            Tracker::JiraDc => &[(given(&self.jira_dc.project), "project = \"SEC\"")],
            Tracker::Rt => &[(given(&self.rt.queue), "queue = \"General\"")],
            Tracker::Email => &[
                (given(&self.email.from), "from = \"Operations <ops@example.com>\""),
                (!self.email.to.is_empty(), "to = \"support@example.com\""),
            ],
            _ => &[],
        };
        let missing: Vec<&str> = demands.iter().filter(|(given, _)| !given).map(|(_, example)| *example).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let name = tracker.name();
        Err(format!(
            "{name} needs more than the plan has: add to [{name}] of the file of --config, such as {}",
            missing.join(" and ")
        ))
    }
}

/// Sections and keys that do not exist; what would be a secret is told as such.
fn refuse_unknown(table: &toml::Table) -> Result<(), String> {
    let known = serde_json::to_value(Options::default()).unwrap_or_default();
    let names = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    let hint = |name: &str, known: &[String]| nearest(name, &known.iter().map(String::as_str).collect::<Vec<_>>());
    let sections = names(&known);
    for (section, value) in table {
        if !sections.contains(section) {
            return Err(format!("there is no section or key `{}`; {}", visible(section), hint(section, &sections)));
        }
        let Some(keys) = value.as_table() else {
            return Err(format!("`{section}` is a section: write [{section}], and its keys below"));
        };
        let known = names(&known[section]);
        if let Some(key) = keys.keys().find(|key| !known.contains(key)) {
            let lower = key.to_ascii_lowercase();
            if ["password", "passwd", "token", "secret", "api_key", "access_key"]
                .iter()
                .any(|word| lower.contains(word))
            {
                return Err(format!("[{section}] {}: secrets never stand in this file", visible(key)));
            }
            return Err(format!("[{section}] has no key `{}`; {}", visible(key), hint(key, &known)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_the_names_of_trackers() {
        let known = serde_json::to_value(Options::default()).unwrap();
        let sections: Vec<&str> = known.as_object().unwrap().keys().map(String::as_str).collect();
        let trackers: Vec<&str> =
            Tracker::ALL.iter().map(|tracker| tracker.name()).filter(|name| *name != "markdown").collect();
        assert_eq!(sections, trackers);
    }

    #[test]
    fn what_is_not_understood_is_told_with_what_may_be_meant() {
        for (text, why) in [
            ("[jira]\nproject = \"A\"", "there is no section or key `jira`; did you mean `jira-dc`?"),
            ("[jira-dc]\nprojekt = \"A\"", "[jira-dc] has no key `projekt`; did you mean `project`?"),
            ("[rt]\ntoken = \"x\"", "[rt] token: secrets never stand in this file"),
            ("rt = 1", "`rt` is a section: write [rt], and its keys below"),
            ("[alibaba]\n\nseverity = 3", "[alibaba] severity is 1 (normal) or 2 (urgent)"),
            ("[alibaba]\n\ncategory_id = 5", "line 3: invalid type: integer `5`, expected a string"),
            ("[email]\nto = 5", "line 2: a text or a list of texts"),
            (
                "[email]\nto = \"a\\nb@c\"",
                "[email] `a\u{fffd}b@c`: an address is ASCII, such as ops@example.com or Operations <ops@example.com>",
            ),
            ("[jira-dc]\nlabels = [\"a b\"]", "[jira-dc] `a b` is no label: it has blanks or commas, or is empty"),
            ("[zendesk]\npriority = \"urgend\"", "[zendesk] priority `urgend`: did you mean `urgent`?"),
        ] {
            assert_eq!(Options::read(text).unwrap_err(), why);
        }
        assert!(Options::read("[").unwrap_err().starts_with("line 1: "));
        let options = Options::read("[email]\nto = \"a@b.c\"\ncc = [\"a@b.c\", \"d@e.f\"]").unwrap();
        assert_eq!((options.email.to.len(), options.email.cc.len()), (1, 2));
    }

    #[test]
    fn what_a_tracker_demands_is_told() {
        let options = Options::read("[email]\nfrom = \"a@b.c\"").unwrap();
        let told = options.demand(Tracker::Email).unwrap_err();
        assert_eq!(
            told,
            "email needs more than the plan has: add to [email] of the file of --config, such as to = \"support@example.com\""
        );
        assert!(options.demand(Tracker::JiraCloud).is_err() && options.demand(Tracker::Github).is_ok());
    }
}
