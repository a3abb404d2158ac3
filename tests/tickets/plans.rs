//! Plans as `plan.json` has them, small and made up.

use cmkdiag::plan::model::{
    Basis, Batch, Before, Condition, Destination, FORMAT, InstanceKind, Load, Plan, PlannedKey, Remark, RulebookName,
    Settings, StepBefore, Summary, Window, Words,
};
use cmkdiag::plan::work::{Consultation, ConsultedKey, ListName, SourceName, WorkItem, WorkRow, Worklist};

/// The KMS instance to which keys go.
pub(crate) const INSTANCE: &str = "kst-hzz62ee817bvyyr5a0001";

/// A key id of the older form.
pub(crate) fn uuid(number: usize) -> String {
    format!("05754286-3ba2-4fa6-8d41-{number:012x}")
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// A key that may be migrated, and that nobody uses.
pub(crate) fn key(key_id: &str) -> PlannedKey {
    PlannedKey {
        key_id: key_id.to_owned(),
        aliases: vec![format!("alias/{key_id}")],
        class: "migratable".to_owned(),
        confirmed: true,
        rotation_deadline: None,
        applications: Vec::new(),
        owner: None,
        key_spec: None,
    }
}

/// A window on 6 December in Shanghai.
pub(crate) fn window() -> Window {
    Window {
        start: "2026-12-05T18:00:00Z".to_owned(),
        end: "2026-12-05T20:00:00Z".to_owned(),
        local_start: "2026-12-06T02:00:00+08:00".to_owned(),
        local_end: "2026-12-06T04:00:00+08:00".to_owned(),
        basis: Basis::Calendar,
    }
}

/// A batch of keys with nothing to say of them.
pub(crate) fn batch(id: &str, keys: Vec<PlannedKey>) -> Batch {
    Batch {
        id: id.to_owned(),
        digest: String::new(),
        account_id: Some("1540355698841234".to_owned()),
        region: "cn-hangzhou".to_owned(),
        destination: Some(INSTANCE.to_owned()),
        window: Some(window()),
        keys,
        applications: Vec::new(),
        split_applications: Vec::new(),
        rotation_deadline: None,
        change_applications_by: Some("2027-01-06".to_owned()),
        steps_before: Vec::new(),
        remarks: Vec::new(),
        conditions: Vec::new(),
        load: None,
    }
}

/// A plan of batches and consultations, sealed.
pub(crate) fn plan(batches: Vec<Batch>, consultations: Vec<Consultation>) -> Plan {
    let destination = Destination {
        instance_id: INSTANCE.to_owned(),
        account_id: Some("1540355698841234".to_owned()),
        region: "cn-hangzhou".to_owned(),
        kind: Some(InstanceKind::Software),
        free_versions: Some(1000),
        planned_versions: 3,
        qps: Some(1000),
        planned_peak_per_second: None,
        expires: None,
        remarks: Vec::new(),
    };
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        digest: String::new(),
        as_of: "2026-11-23T08:00:00Z".to_owned(),
        rulebook: RulebookName {
            domain: "cmk".to_owned(),
            edition: "alibaba-2023".to_owned(),
            digest: format!("sha256:{}", "0".repeat(64)),
        },
        settings: Settings {
            keys_per_batch: 100,
            window_minutes: 120,
            time_zone: "Asia/Shanghai".to_owned(),
            has_calendar: true,
            has_usage_evidence: false,
            months_to_change_applications: 1,
            assumed: Vec::new(),
        },
        summary: Summary::default(),
        batches,
        destinations: vec![destination],
        purchases: Vec::new(),
        consultations,
        worklists: Vec::new(),
        unlocks: Vec::new(),
        problems: Vec::new(),
    };
    plan.seal();
    plan
}

/// A plan in which a ticket has everything that it can have.
pub(crate) fn full() -> Plan {
    let mut keys = vec![key(&uuid(1)), key("key-hzz62f1cb66fa42qo29iq"), key(&uuid(3))];
    for (key, application) in keys.iter_mut().zip(["orders", "orders", "billing-eu"]) {
        key.applications = texts([application]);
        key.owner = Some("Ana <ana@example.com>".to_owned());
    }
    keys[0].rotation_deadline = Some("2026-12-20T02:00:00Z".to_owned());
    keys[0].key_spec = Some("Aliyun_AES_256".to_owned());
    keys[2].key_spec = Some("RSA_2048".to_owned());
    keys[0].class = "needs-rotation-disabled".to_owned();
    let mut batch = batch("hangzhou-1", keys);
    batch.applications = texts(["billing-eu", "orders"]);
    batch.split_applications = texts(["orders"]);
    batch.rotation_deadline = Some("2026-12-20T02:00:00Z".to_owned());
    batch.window.as_mut().unwrap().basis = Basis::Evidence;
    batch.load = Some(Load { calls_in_window: Some(120), calls_in_average_window: 4100, peak_per_second: 9 });
    batch.steps_before = vec![StepBefore {
        rule: "disable-rotation".to_owned(),
        before: Before::Window,
        what: Words::new("Disable automatic rotation before the next rotation date", "在下次轮转日期之前关闭自动轮转"),
        keys: vec![uuid(1)],
    }];
    let decision = StepBefore {
        rule: "key-disabled".to_owned(),
        before: Before::Ticket,
        what: Words::new("For the owner to decide, and no ticket tells it", "由负责人决定，工单中不写"),
        keys: vec![uuid(3)],
    };
    batch.steps_before.insert(0, decision);
    batch.remarks = vec![Remark {
        rule: "key-disabled".to_owned(),
        text: Words::new("The key is disabled", "密钥已禁用"),
        keys: vec![uuid(3)],
    }];
    batch.conditions = vec![
        Condition {
            fact: "versions".to_owned(),
            confirm: Words::new("Confirm that the key has one version only", "请确认密钥只有一个版本"),
            command: Some("aliyun kms ListKeyVersions --region {region} --KeyId {key_id}".to_owned()),
            keys: vec![uuid(1), "key-hzz62f1cb66fa42qo29iq".to_owned(), uuid(3)],
        },
        Condition {
            fact: "operations".to_owned(),
            confirm: Words::new(
                "Confirm that no application uses ReEncrypt, ExportDataKey or GenerateAndExportDataKey with the key",
                "请确认没有应用对该密钥调用 ReEncrypt、ExportDataKey 或 GenerateAndExportDataKey",
            ),
            command: None,
            keys: vec![uuid(1), uuid(3)],
        },
    ];
    let consultation = Consultation {
        rule: "ask-support-about-language".to_owned(),
        digest: String::new(),
        title: Words::new("Ask technical support about the application's language", "就应用开发语言咨询技术支持"),
        request: Words::new(
            "Applications in languages without a migration SDK use these keys. Can the keys be migrated, and how must the applications be changed?",
            "使用这些密钥的应用采用没有迁移 SDK 的语言开发。请问这些密钥能否迁移，应用应如何改造？",
        ),
        source: vec![SourceName {
            document: "alibaba-migrate-cmks".to_owned(),
            section: "Scenario 2".to_owned(),
            url: None,
        }],
        account_id: Some("1540355698841234".to_owned()),
        keys: vec![consulted(4, "PHP"), consulted(5, "PHP"), consulted(6, "C++")],
    };
    let mut plan = plan(vec![batch], vec![consultation]);
    let command = |on: bool, number: usize| {
        let id = uuid(number);
        format!("aliyun kms UpdateRotationPolicy --region cn-hangzhou --KeyId {id} --EnableAutomaticRotation {on}")
    };
    plan.worklists = vec![Worklist {
        name: ListName::DisableRotation,
        items: vec![WorkItem {
            rule: "disable-rotation".to_owned(),
            title: Words::new("Disable automatic rotation", "关闭自动轮转"),
            what: Words::new("Disable automatic rotation", "关闭自动轮转"),
            source: Vec::new(),
            rows: vec![WorkRow {
                key_id: uuid(1),
                batch: "hangzhou-1".to_owned(),
                command: command(false, 1),
                command_after: format!("{} --RotationInterval 365d", command(true, 1)),
                ..WorkRow::default()
            }],
        }],
    }];
    plan.seal();
    plan
}

/// A key about which support is asked.
pub(crate) fn consulted(number: usize, found: &str) -> ConsultedKey {
    ConsultedKey {
        key_id: uuid(number),
        region: "cn-hangzhou".to_owned(),
        found: found.to_owned(),
        applications: texts(["legacy"]),
        only_obstacle: found == "PHP",
    }
}

/// The trackers' own words, all that there are.
pub(crate) const CONFIG: &str = r#"
[alibaba]
category_id = "53812"
email = "ops@example.com"
severity = 2

[servicenow-change]
category = "Security"
assignment_group = "d625dccec0a8016700a222a0f7900d06"
risk = "3"
impact = "3"

[servicenow-incident]
category = "Security"
caller_id = "62826bf03710200044e0bfc8bcbe5df1"
urgency = "2"
impact = "3"

[jira-cloud]
project = "SEC"
labels = "kms"
priority = "High"

[jira-dc]
project = "SEC"
issue_type = "Change"
components = ["Keys"]

[zendesk]
group_id = 360000123
tags = ["kms"]

[github]
labels = ["kms"]
assignees = ["octocat"]

[gitlab]
assignee_ids = [7]

[rt]
queue = "General"
requestor = "ops@example.com"
digest_field = "PlanDigest"

[roundup]
author = "1"
priority = "urgent"

[email]
from = "Operations <ops@example.com>"
to = "support@example.com"
cc = ["安全 <security@example.com>"]
"#;
