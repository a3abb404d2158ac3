//! A plan as tables: one for each list of work, one for the batches, one row a key.

use super::model::Plan;
use super::work::{ListName, Worklist};
use crate::engine::facts::Lang;
use crate::write::safe::csv_cell;

/// The name of a table's file, without ending.
pub fn file_name(list: ListName) -> &'static str {
    match list {
        ListName::DisableRotation => "disable-rotation",
        ListName::StopOperations => "stop-operations",
        ListName::Languages => "languages",
        ListName::Locations => "locations",
        ListName::NoPath => "no-path",
        ListName::ChangeApplications => "change-applications",
        ListName::Terraform => "terraform",
        ListName::Evidence => "evidence",
        ListName::LeftOut => "left-out",
    }
}

fn row(cells: &[&str], out: &mut Vec<u8>) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        csv_cell(cell, out);
    }
    out.push(b'\n');
}

/// A list of work.
pub fn worklist(list: &Worklist, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    let heads = [
        "due",
        "key_id",
        "account_id",
        "region",
        "owner",
        "applications",
        "batch",
        "rule",
        "what",
        "found",
        "command",
        "command_after",
        "source",
    ];
    row(&heads, &mut out);
    for item in &list.items {
        let sources: Vec<String> =
            item.source.iter().map(|source| format!("{}, {}", source.document, source.section)).collect();
        let sources = sources.join("; ");
        for work in &item.rows {
            let applications = work.applications.join("; ");
            let cells: [&str; 13] = [
                &work.due,
                &work.key_id,
                &work.account_id,
                &work.region,
                &work.owner,
                &applications,
                &work.batch,
                &item.rule,
                item.what.get(lang),
                &work.found,
                &work.command,
                &work.command_after,
                &sources,
            ];
            row(&cells, &mut out);
        }
    }
    out
}

/// The keys of all batches.
pub fn batches(plan: &Plan) -> Vec<u8> {
    let mut out = Vec::new();
    let heads = [
        "batch",
        "account_id",
        "region",
        "destination",
        "window_start",
        "window_end",
        "local_start",
        "local_end",
        "key_id",
        "aliases",
        "class",
        "confirmed",
        "rotation_deadline",
        "applications",
        "owner",
        "change_applications_by",
    ];
    row(&heads, &mut out);
    for batch in &plan.batches {
        let window = batch.window.as_ref();
        let of_window =
            |part: fn(&super::model::Window) -> &String| window.map(part).map(String::as_str).unwrap_or_default();
        for key in &batch.keys {
            let (aliases, applications) = (key.aliases.join("; "), key.applications.join("; "));
            let cells: [&str; 16] = [
                &batch.id,
                batch.account_id.as_deref().unwrap_or_default(),
                &batch.region,
                batch.destination.as_deref().unwrap_or_default(),
                of_window(|window| &window.start),
                of_window(|window| &window.end),
                of_window(|window| &window.local_start),
                of_window(|window| &window.local_end),
                &key.key_id,
                &aliases,
                &key.class,
                if key.confirmed { "yes" } else { "no" },
                key.rotation_deadline.as_deref().unwrap_or_default(),
                &applications,
                key.owner.as_deref().unwrap_or_default(),
                batch.change_applications_by.as_deref().unwrap_or_default(),
            ];
            row(&cells, &mut out);
        }
    }
    out
}
