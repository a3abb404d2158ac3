//! `plan` as a user runs it, and its promises checked by hands that have no part in making it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use program::{document, expect, folder, put, run};
use serde_json::Value;

const AS_OF: &str = "2026-11-21T08:30:00Z";

const SAMPLE: [&str; 9] = [
    "plan",
    "samples/inventory.csv",
    "--destinations",
    "samples/plan/instances.csv",
    "--calendar",
    "samples/plan/calendar.toml",
    "--as-of",
    AS_OF,
    "--allow-rejects",
];

/// The plan of an inventory.
fn plan(inventory: &Path, more: &[&str]) -> Value {
    let arguments = ["plan", inventory.to_str().unwrap(), "--as-of", AS_OF, "--format", "json", "--quiet"];
    let ran = run(&[&arguments[..], more].concat());
    assert!([0, 1].contains(&ran.code), "{}", ran.err);
    document(&ran.out)
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().unwrap_or_else(|| panic!("no list {member} in {value}"))
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("no text {member} in {value}"))
}

fn second(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// An id that looks like one.
fn id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}

const HEAD: &str = "key_id,account_id,region,aliases,instance,manager_type,origin,rotation,next_rotation,versions,usage,operations,languages,network,applications,owner,protection_level,key_spec\n";

/// One key that can be migrated, of this application.
fn row(number: usize, region: &str, application: &str, next_rotation: &str) -> String {
    let rotation = if next_rotation.is_empty() { "Disabled" } else { "Enabled" };
    let id = id(number);
    format!(
        "{id},1540355698841234,{region},alias/key-{number},default,,Aliyun_KMS,{rotation},{next_rotation},1,self-managed,Encrypt;Decrypt,Java,vpc,{application},team,SOFTWARE,Aliyun_AES_256\n"
    )
}

/// What a plan must hold, whatever it was made of.
struct Rules {
    keys_per_batch: usize,
    window: i64,
    /// Room of each instance, and its region.
    room: BTreeMap<String, (String, usize)>,
    /// The weekdays on which a window may begin, its first and last hour on the clocks of a zone, and when nothing may happen.
    zone: &'static str,
    hours: Option<(Vec<Weekday>, i8, i8)>,
    freeze: Option<(i64, i64)>,
}

impl Rules {
    /// Demands that a plan keeps all of them; `keys` are those that should be planned.
    fn demand(&self, plan: &Value, keys: &BTreeSet<String>) {
        let (mut seen, mut spans, mut used) =
            (BTreeSet::new(), BTreeMap::<&str, Vec<(i64, i64)>>::new(), BTreeMap::new());
        let zone = TimeZone::get(self.zone).unwrap();
        let errors: BTreeSet<&str> = list(plan, "problems")
            .iter()
            .filter(|problem| problem["severity"] == "error")
            .filter_map(|problem| problem["batch"].as_str())
            .collect();
        for batch in list(plan, "batches") {
            let ids: Vec<&str> = list(batch, "keys").iter().map(|key| text(key, "key_id")).collect();
            assert!(!ids.is_empty() && ids.len() <= self.keys_per_batch, "{} keys", ids.len());
            ids.iter().for_each(|id| assert!(seen.insert((*id).to_owned()), "{id} is in two batches"));
            let Some(destination) = batch["destination"].as_str() else {
                assert!(batch["window"].is_null());
                continue;
            };
            let (region, _) = &self.room[destination];
            assert_eq!(text(batch, "region"), region);
            *used.entry(destination.to_owned()).or_insert(0) += ids.len();
            let window = &batch["window"];
            if window.is_null() {
                assert!(errors.contains(text(batch, "id")), "{batch}");
                continue;
            }
            let span @ (start, end) = (second(text(window, "start")), second(text(window, "end")));
            assert_eq!(end - start, self.window);
            assert_eq!((second(text(window, "local_start")), second(text(window, "local_end"))), span);
            let others = spans.entry(destination).or_default();
            assert!(
                others.iter().all(|(first, last)| *last <= start || end <= *first),
                "{destination} has two batches at once"
            );
            others.push(span);
            if let Some(deadline) = batch["rotation_deadline"].as_str() {
                assert!(end <= second(deadline) || errors.contains(text(batch, "id")), "{batch}");
            }
            if let Some((days, from, to)) = &self.hours {
                let first = zone.to_datetime(Timestamp::from_second(start).unwrap());
                let last = zone.to_datetime(Timestamp::from_second(end).unwrap());
                // A night belongs to the day on which it begins.
                let night =
                    if first.hour() < *to && to < from { first.date().yesterday().unwrap() } else { first.date() };
                assert!(days.contains(&night.weekday()), "{first}");
                let in_night = |hour: i8, minute: i8| hour >= *from || hour < *to || hour == *to && minute == 0;
                assert!(
                    in_night(first.hour(), first.minute()) && in_night(last.hour(), last.minute()),
                    "{first} to {last}"
                );
            }
            if let Some((first, last)) = self.freeze {
                assert!(end <= first || start >= last, "{window}");
            }
            let day = zone.to_datetime(Timestamp::from_second(start).unwrap()).date();
            let by: jiff::civil::Date = text(batch, "change_applications_by").parse().unwrap();
            let month = (by.year() - day.year()) * 12 + i16::from(by.month()) - i16::from(day.month());
            assert!(
                month == 1 && (by.day() == day.day() || by.day() == by.days_in_month() && by.day() < day.day()),
                "{day} {by}"
            );
        }
        for (destination, used) in used {
            assert!(used <= self.room[&destination].1, "{destination} gets {used}");
        }
        assert_eq!(&seen, keys);
    }
}

fn instances(room: &BTreeMap<String, (String, usize)>) -> String {
    let mut out = "instance_id,account_id,region,status,type,free_keys,qps,expires,vpcs\n".to_owned();
    for (id, (region, free)) in room {
        writeln!(out, "{id},1540355698841234,{region},Connected,software,{free},1000,2029-06-01,").unwrap();
    }
    out
}

fn room(all: &[(&str, &str, usize)]) -> BTreeMap<String, (String, usize)> {
    all.iter().map(|(id, region, free)| ((*id).to_owned(), ((*region).to_owned(), *free))).collect()
}

#[test]
fn the_schedule_holds_whatever_the_keys() {
    let folder = folder();
    let mut table = HEAD.to_owned();
    let mut keys = BTreeSet::new();
    for number in 0..700 {
        let region = if number % 3 == 0 { "cn-shanghai" } else { "cn-hangzhou" };
        let application = match number % 7 {
            0 => "orders".to_owned(),
            1 => String::new(),
            _ => format!("app-{}", number % 90),
        };
        let rotation = match number % 11 {
            0 => format!("2026-12-{:02}T03:00:00Z", number % 28 + 1),
            1 => "2027-03-01".to_owned(),
            _ => String::new(),
        };
        table += &row(number, region, &application, &rotation);
        keys.insert(id(number));
    }
    let room = room(&[
        ("kst-a0001", "cn-hangzhou", 300),
        ("kst-b0002", "cn-hangzhou", 120),
        ("kst-c0003", "cn-shanghai", 1000),
    ]);
    let calendar = "time_zone = \"Asia/Shanghai\"\nearliest = \"2026-12-01\"\n[[allowed]]\ndays = [\"Fri\", \"Sat\"]\nfrom = \"22:00\"\nto = \"06:00\"\n\
                    [[freeze]]\nfrom = \"2026-12-24\"\nto = \"2027-01-03\"\n";
    let paths =
        [("keys.csv", table.as_str()), ("i.csv", &instances(&room)), ("c.toml", calendar)].map(|(name, text)| {
            put(&folder, name, text);
            folder.path().join(name)
        });
    let [inventory, destinations, calendar] = paths;
    let freeze = (second("2026-12-23T16:00:00Z"), second("2027-01-03T16:00:00Z"));
    for (per_batch, length, window) in [(50, "2h", 7200), (7, "90m", 5400)] {
        let per_batch_text = per_batch.to_string();
        let plan = plan(
            &inventory,
            &[
                "--destinations",
                destinations.to_str().unwrap(),
                "--calendar",
                calendar.to_str().unwrap(),
                "--keys-per-batch",
                &per_batch_text,
                "--window-length",
                length,
            ],
        );
        let rules = Rules {
            keys_per_batch: per_batch,
            window,
            room: room.clone(),
            zone: "Asia/Shanghai",
            hours: Some((vec![Weekday::Friday, Weekday::Saturday], 22, 6)),
            freeze: Some(freeze),
        };
        rules.demand(&plan, &keys);
        // There is room for 420 of the 466 keys in one region; batches without an instance are errors.
        let bought: u64 =
            list(&plan, "purchases").iter().map(|purchase| purchase["key_versions"].as_u64().unwrap()).sum();
        assert_eq!(bought, 46, "{}", plan["purchases"]);
        // Keys of an application that fits are together.
        for batch in list(&plan, "batches") {
            for application in list(batch, "split_applications") {
                let of = |key: &Value| list(key, "applications").contains(application);
                let everywhere = list(&plan, "batches").iter().flat_map(|batch| list(batch, "keys"));
                let split = everywhere.filter(|key| of(key)).count();
                assert!(split > 1, "{application}");
            }
        }
    }
}

#[test]
fn a_further_key_leaves_the_other_batches_as_they_are() {
    let folder = folder();
    let mut table = HEAD.to_owned();
    (0..230).for_each(|number| table += &row(number, "cn-hangzhou", &format!("app-{}", number % 40), ""));
    let room = room(&[("kst-a0001", "cn-hangzhou", 1000)]);
    put(&folder, "i.csv", instances(&room));
    let batches = |table: &str| -> BTreeMap<String, Vec<String>> {
        put(&folder, "keys.csv", table);
        let instances = folder.path().join("i.csv");
        let plan = plan(&folder.path().join("keys.csv"), &["--destinations", instances.to_str().unwrap()]);
        let ids = |batch: &Value| list(batch, "keys").iter().map(|key| text(key, "key_id").to_owned()).collect();
        list(&plan, "batches").iter().map(|batch| (text(batch, "id").to_owned(), ids(batch))).collect()
    };
    let before = batches(&table);
    for number in 1000..1006 {
        let after = batches(&format!("{table}{}", row(number, "cn-hangzhou", &format!("app-{number}"), "")));
        let changed: Vec<_> = before.iter().filter(|(id, keys)| after.get(*id) != Some(keys)).collect();
        assert_eq!(changed.len(), 1, "{changed:?}");
    }
}

#[test]
fn windows_are_in_the_quietest_hours_that_audit_logs_show() {
    let folder = folder();
    put(&folder, "keys.csv", format!("{HEAD}{}{}", row(1, "cn-hangzhou", "orders", ""), row(2, "cn-shanghai", "", "")));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 10), ("kst-b0002", "cn-shanghai", 10)])));
    // Four weeks up to the day of the plan, a call an hour, but for Wednesday from 10 to 13, UTC.
    let mut events = Vec::new();
    let end = second("2026-11-21T08:00:00Z");
    for hour in 0..28 * 24 {
        let time = Timestamp::from_second(end - hour * 3600).unwrap();
        let shown = TimeZone::UTC.to_datetime(time);
        if shown.weekday() == Weekday::Wednesday && (10..13).contains(&shown.hour()) {
            continue;
        }
        events.push(format!(
            "{{\"eventId\":\"{hour}\",\"eventTime\":\"{time}\",\"serviceName\":\"Kms\",\"eventName\":\"Decrypt\",\"eventRW\":\"Read\",\
             \"acsRegion\":\"cn-hangzhou\",\"recipientAccountId\":\"1540355698841234\",\"vpcId\":\"vpc-bp1example\",\
             \"userAgent\":\"AlibabaCloud (linux; amd64) Java/17\",\"requestParameters\":{{\"KeyId\":\"{}\"}},\
             \"userIdentity\":{{\"type\":\"ram-user\",\"userName\":\"orders-svc\"}}}}",
            id(1)
        ));
    }
    let log = put(&folder, "trail.jsonl", program::logs::lines(&events));
    let instances = folder.path().join("i.csv");
    let made =
        plan(&folder.path().join("keys.csv"), &["--events", &log, "--destinations", instances.to_str().unwrap()]);
    let of =
        |region: &str| list(&made, "batches").iter().find(|batch| text(batch, "region") == region).unwrap().clone();
    let (seen, unseen) = (of("cn-hangzhou"), of("cn-shanghai"));
    assert_eq!(text(&seen["window"], "start"), "2026-11-25T10:00:00Z");
    assert_eq!((text(&seen["window"], "basis"), seen["load"]["calls_in_window"].as_u64()), ("evidence", Some(0)));
    assert_eq!(seen["load"]["calls_in_average_window"].as_u64(), Some(2));
    // Of the other region there is no log.
    assert_eq!((text(&unseen["window"], "basis"), unseen["load"].is_null()), ("calendar", true));
    assert_eq!(text(&unseen["window"], "start"), "2026-11-22T09:00:00Z");
}

#[test]
fn a_rotation_before_the_window_is_an_error_that_names_the_keys() {
    let folder = folder();
    let table = format!("{HEAD}{}{}", row(1, "cn-hangzhou", "", "2026-11-22T09:00:00Z"), row(2, "cn-hangzhou", "", ""));
    put(&folder, "keys.csv", &table);
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 10)])));
    let (inventory, instances) = (folder.path().join("keys.csv"), folder.path().join("i.csv"));
    let arguments = [
        "plan",
        inventory.to_str().unwrap(),
        "--destinations",
        instances.to_str().unwrap(),
        "--as-of",
        AS_OF,
        "--quiet",
    ];
    let ran = expect(1, &arguments);
    assert!(ran.out.contains("error: cn-hangzhou-") && ran.out.contains(&id(1)), "{}", ran.out);
    assert!(ran.out.contains("disable their rotation at once"), "{}", ran.out);
    let plan = plan(&inventory, &["--destinations", instances.to_str().unwrap()]);
    let problem = &list(&plan, "problems")[0];
    assert_eq!(problem["keys"], serde_json::json!([id(1)]));
    // It does not hold up the other.
    assert_eq!(list(&plan, "batches").len(), 2);
}

#[test]
fn hardware_keys_go_to_hardware_and_hsm_keys_are_told_where_they_do_not() {
    let folder = folder();
    let hsm = row(1, "cn-hangzhou", "", "").replace("SOFTWARE", "HSM");
    let sm4 = row(2, "cn-hangzhou", "", "").replace("Aliyun_AES_256", "Aliyun_SM4");
    put(&folder, "keys.csv", format!("{HEAD}{hsm}{sm4}"));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 10)])));
    let instances = folder.path().join("i.csv");
    let made = plan(&folder.path().join("keys.csv"), &["--destinations", instances.to_str().unwrap()]);
    let purchase = &list(&made, "purchases")[0];
    assert_eq!((text(purchase, "kind"), purchase["key_versions"].as_u64()), ("hardware", Some(1)));
    let remarks = made["destinations"][0]["remarks"].to_string();
    assert!(remarks.contains("1 key(s) have the protection level HSM, which drops to SOFTWARE"), "{remarks}");
    let hardware = std::fs::read_to_string(&instances).unwrap().replace("software", "hardware");
    put(&folder, "i.csv", &hardware);
    let made = plan(&folder.path().join("keys.csv"), &["--destinations", instances.to_str().unwrap()]);
    assert!(list(&made, "purchases").is_empty() && list(&made, "batches").len() == 1, "{made}");
}

#[test]
fn tickets_tell_support_what_concerns_it_and_leave_decisions_to_the_owner() {
    let folder = folder();
    let disabled = row(1, "cn-hangzhou", "", "").trim_end().to_owned() + ",Disabled";
    let rsa = row(2, "cn-hangzhou", "", "").replace("Aliyun_AES_256", "RSA_2048").trim_end().to_owned() + ",Enabled";
    put(&folder, "keys.csv", format!("{},state\n{disabled}\n{rsa}\n", HEAD.trim_end()));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 10)])));
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = run(&[
        "plan",
        &at("keys.csv"),
        "--destinations",
        &at("i.csv"),
        "--as-of",
        AS_OF,
        "--format",
        "markdown",
        "--quiet",
    ]);
    let (head, window) = made.out.split_once("Before the ticket is sent").unwrap();
    assert!(window.contains("leave it out of the ticket") && !head.contains("leave it out"), "{}", made.out);
    let plan = plan(&folder.path().join("keys.csv"), &["--destinations", &at("i.csv")]);
    put(&folder, "plan.json", plan.to_string());
    let ticket = expect(0, &["ticket", &at("plan.json"), "--tracker", "markdown", "--quiet"]).out;
    assert!(
        ticket.contains("Key specs: `Aliyun_AES_256` (key no. 1 of the list), `RSA_2048` (key no. 2 of"),
        "{ticket}"
    );
    assert!(ticket.contains("The key is disabled (key no. 1 of the list)"), "{ticket}");
    assert!(!ticket.contains("leave it out") && !ticket.contains("Choose a destination"), "{ticket}");
}

#[test]
fn an_approved_plan_is_checked_against_what_is_so_today() {
    let folder = folder();
    let table = |second: &str| format!("{HEAD}{}{second}", row(1, "cn-hangzhou", "", ""));
    put(&folder, "keys.csv", table(&row(2, "cn-hangzhou", "", "")));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 10)])));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (keys, destinations, approved) = (path("keys.csv"), path("i.csv"), path("approved"));
    expect(0, &["plan", &keys, "--destinations", &destinations, "--as-of", AS_OF, "-o", &approved]);
    let approved = path("approved/plan.json");
    let check = |code: i32, as_of: &str| {
        expect(
            code,
            &["plan", &keys, "--destinations", &destinations, "--as-of", as_of, "--quiet", "--check", &approved],
        )
        .out
    };
    assert_eq!(check(0, AS_OF), "The plan holds: 1 batches, 2 keys\n");
    assert!(check(1, "2027-11-21").contains("Its window has begun, or is past"));
    put(&folder, "keys.csv", table(&row(2, "cn-hangzhou", "", "").replace("Java", "PHP")));
    let told = check(1, AS_OF);
    assert!(
        told.contains(&format!("It was migratable when the plan was made, and is blocked now ({})", id(2))),
        "{told}"
    );
    put(&folder, "keys.csv", table(&row(3, "cn-hangzhou", "", "")));
    let told = check(1, AS_OF);
    assert!(told.contains("The inventory has no such key any more"), "{told}");
    assert!(
        told.contains(&format!("These keys could be migrated, too, and are not in the plan ({})", id(3))),
        "{told}"
    );
    put(&folder, "keys.csv", table(&row(2, "cn-hangzhou", "", "")));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 1)])));
    assert!(check(1, AS_OF).contains("takes 1 more key versions, and the plan gives it 2"));
    put(&folder, "i.csv", instances(&room(&[("kst-b0002", "cn-hangzhou", 10)])));
    assert!(check(1, AS_OF).contains("The instance kst-a0001 is not among those that were named"));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 10)])));
    let text = std::fs::read_to_string(&approved).unwrap();
    std::fs::write(&approved, text.replace("kst-a0001", "kst-a0002")).unwrap();
    assert!(check(1, AS_OF).contains("somebody changed it"));
}

#[test]
fn the_same_plan_comes_out_to_the_byte_in_any_order_of_records() {
    let folder = folder();
    let rows: Vec<String> =
        (0..120).map(|number| row(number, "cn-hangzhou", &format!("app-{}", number % 30), "")).collect();
    let reversed: String = rows.iter().rev().cloned().collect();
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 1000)])));
    let instances = folder.path().join("i.csv");
    let made = |rows: &str| {
        put(&folder, "keys.csv", format!("{HEAD}{rows}"));
        plan(&folder.path().join("keys.csv"), &["--destinations", instances.to_str().unwrap()])
    };
    assert_eq!(made(&rows.concat()), made(&reversed));
}

#[test]
fn a_folder_gets_everything_and_keeps_nothing_of_an_earlier_plan() {
    let folder = folder();
    let out = folder.path().join("plan");
    let arguments = [&SAMPLE[..], &["-o", out.to_str().unwrap(), "--quiet"]].concat();
    let ran = run(&arguments);
    assert!([0, 1].contains(&ran.code), "{}", ran.err);
    let mut names: Vec<String> =
        std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "batches.csv",
            "change-applications.csv",
            "disable-rotation.csv",
            "evidence.csv",
            "languages.csv",
            "left-out.csv",
            "locations.csv",
            "no-path.csv",
            "plan.json",
            "runbook.md",
            "stop-operations.csv",
            "windows.ics"
        ]
    );
    put(&folder, "keys.csv", format!("{HEAD}{}", row(1, "cn-hangzhou", "", "")));
    let keys = folder.path().join("keys.csv");
    expect(0, &["plan", keys.to_str().unwrap(), "--as-of", AS_OF, "-o", out.to_str().unwrap(), "--quiet"]);
    assert!(!out.join("languages.csv").exists() && out.join("change-applications.csv").exists());
    // Tables are tables.
    for entry in std::fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let mut reader = csv::Reader::from_path(&path).unwrap();
            assert!(reader.records().all(|record| record.is_ok()), "{}", path.display());
        }
    }
}

#[test]
fn every_key_of_the_sample_is_somewhere() {
    let ran = run(&[&SAMPLE[..], &["--format", "json", "--quiet"]].concat());
    let plan = document(&ran.out);
    let numbers = &plan["summary"];
    let of = |name: &str| numbers[name].as_u64().unwrap();
    let parts = ["planned", "not_migrated", "blocked", "undetermined", "left_out"];
    assert_eq!(of("keys"), parts.iter().map(|name| of(name)).sum::<u64>());
    assert!(of("planned") > 10 && of("batches") > 2);
}

#[test]
fn what_is_wrong_with_arguments_and_files_is_told() {
    let folder = folder();
    put(&folder, "keys.csv", format!("{HEAD}{}", row(1, "cn-hangzhou", "", "")));
    put(&folder, "bad.csv", "instance_id,regoin\nkst-a,x\n");
    put(&folder, "bad.toml", "time_zone = \"Mars/Olympus\"\n");
    put(&folder, "bad.json", "{\"format\":\"cmkdiag.plan/9\"}");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let keys = path("keys.csv");
    for (code, option, value, wrong) in [
        (4, "--destinations", path("bad.csv"), "there is no column `regoin`; did you mean `region`?"),
        (4, "--destinations", path("none.csv"), "cannot read"),
        (4, "--calendar", path("bad.toml"), "expected a name of the IANA database"),
        (4, "--check", path("bad.json"), "has the format cmkdiag.plan/9; expected cmkdiag.plan/1"),
        (4, "--check", keys.clone(), "a plan is expected, as `cmkdiag plan -o DIR` writes it"),
        (2, "--window-length", "5".to_owned(), "expected a time from 15m to 7d"),
        (2, "-o", keys.clone(), "is a file; a plan is written into a folder"),
    ] {
        let ran = expect(code, &["plan", &keys, option, &value]);
        assert!(ran.err.contains(wrong), "{option}: {}", ran.err);
    }
    // The calendar must not be overwritten by the plan.
    let calendar = path("windows.ics");
    std::fs::write(&calendar, "time_zone = \"UTC\"\n").unwrap();
    let ran = expect(2, &["plan", &keys, "--calendar", &calendar, "-o", folder.path().to_str().unwrap()]);
    assert!(ran.err.contains("the same place"), "{}", ran.err);
}

/// Saturday nights, from the first of December on.
const SATURDAYS: &str =
    "time_zone = \"UTC\"\nearliest = \"2026-12-01\"\n[[allowed]]\ndays = [\"Sat\"]\nfrom = \"00:00\"\nto = \"02:00\"\n";

#[test]
fn keys_that_can_still_be_saved_get_their_windows_before_those_that_cannot() {
    let folder = folder();
    // Before any slot, before the second, long after, and nobody knows when.
    let deadlines = ["2026-11-25T00:00:00Z", "2026-12-07T00:00:00Z", "2027-11-01T00:00:00Z"];
    let rows: String = (1..).zip(deadlines).map(|(number, date)| row(number, "cn-hangzhou", "", date)).collect();
    let unknown = row(4, "cn-hangzhou", "", "").replace("Disabled", "Enabled");
    let never = row(5, "cn-hangzhou", "", "");
    let keys = put(&folder, "keys.csv", format!("{HEAD}{rows}{unknown}{never}"));
    let destinations = put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 10)])));
    let calendar = put(&folder, "c.toml", SATURDAYS);
    let made =
        plan(Path::new(&keys), &["--destinations", &destinations, "--calendar", &calendar, "--keys-per-batch", "1"]);
    let windows: BTreeMap<&str, &str> = list(&made, "batches")
        .iter()
        .map(|batch| (text(&batch["keys"][0], "key_id"), text(&batch["window"], "start").get(..10).unwrap()))
        .collect();
    let of = |number: usize| windows[id(number).as_str()];
    assert_eq!([2, 3, 4, 5, 1].map(of), ["2026-12-05", "2026-12-12", "2026-12-19", "2026-12-26", "2027-01-02"]);
    let problems = list(&made, "problems");
    let about = |severity: &str| -> Vec<&Value> {
        problems.iter().filter(|problem| problem["severity"] == severity).map(|problem| &problem["keys"][0]).collect()
    };
    assert_eq!((about("error"), about("warning")), (vec![&Value::from(id(1))], vec![&Value::from(id(4))]));
    let rotation = list(&made, "worklists").iter().find(|list| list["name"] == "disable-rotation").unwrap();
    let rows = list(&rotation["items"][0], "rows");
    let due = rows.iter().find(|row| text(row, "key_id") == id(4)).map(|row| text(row, "due"));
    assert_eq!(due, Some(AS_OF));
}

#[test]
fn windows_of_an_earlier_plan_stay_where_they_are_still_good() {
    let folder = folder();
    let rows: String = (0..12).map(|number| row(number, "cn-hangzhou", "", "")).collect();
    let keys = put(&folder, "keys.csv", format!("{HEAD}{rows}"));
    let destinations = put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 100)])));
    let calendar = put(&folder, "c.toml", SATURDAYS);
    let options = ["--destinations", &destinations, "--calendar", &calendar, "--keys-per-batch", "3"];
    let before = plan(Path::new(&keys), &options);
    let earlier = put(&folder, "earlier.json", before.to_string());
    let urgent = row(100, "cn-hangzhou", "", "2027-02-01T00:00:00Z");
    put(&folder, "keys.csv", format!("{HEAD}{urgent}{rows}"));
    let windows = |plan: &Value| -> BTreeMap<String, String> {
        let window = |batch: &Value| (text(batch, "id").to_owned(), text(&batch["window"], "start").to_owned());
        list(plan, "batches").iter().map(window).collect()
    };
    let moved = plan(Path::new(&keys), &options);
    let kept = plan(Path::new(&keys), &[&options[..], &["--keep", &earlier]].concat());
    assert!(windows(&before).iter().any(|(id, start)| windows(&moved)[id] != *start));
    assert!(windows(&before).iter().all(|(id, start)| windows(&kept)[id] == *start));
    assert_eq!(windows(&kept).len(), windows(&before).len() + 1);
}

/// What `plan` says of keys and instances in files.
fn planned(keys: &str, destinations: &str, more: &[&str]) -> Value {
    let folder = folder();
    let keys = put(&folder, "keys.csv", format!("{HEAD}{keys}"));
    let destinations = put(&folder, "i.csv", destinations);
    plan(Path::new(&keys), &[&["--destinations", &destinations], more].concat())
}

const COLUMNS: &str = "instance_id,account_id,region,status,type,free_keys,qps,expires,vpcs\n";

#[test]
fn instances_that_end_soon_or_that_urgent_keys_need_are_not_taken_first() {
    let two = format!(
        "{COLUMNS}kst-a,1540355698841234,cn-hangzhou,Connected,software,50,,2026-11-24,\n\
         kst-b,1540355698841234,cn-hangzhou,Connected,software,50,,9999-12-31,\n"
    );
    let keys: String = (0..5).map(|number| row(number, "cn-hangzhou", "", "")).collect();
    let made = planned(&keys, &two, &[]);
    let destinations: BTreeSet<&str> = list(&made, "batches").iter().map(|batch| text(batch, "destination")).collect();
    assert_eq!(destinations, BTreeSet::from(["kst-b"]));

    let hsm: String = (0..5).map(|number| row(number, "cn-hangzhou", "", "").replace("SOFTWARE", "HSM")).collect();
    let urgent: String = (5..10).map(|number| row(number, "cn-hangzhou", "", "2026-12-01T00:00:00Z")).collect();
    let made = planned(&format!("{hsm}{urgent}"), &instances(&room(&[("kst-m", "cn-hangzhou", 5)])), &[]);
    let there = list(&made, "batches").iter().filter(|batch| batch["destination"] == "kst-m");
    let there: Vec<&str> = there.flat_map(|batch| list(batch, "keys")).map(|key| text(key, "key_id")).collect();
    assert_eq!(there, (5..10).map(id).collect::<Vec<_>>());
}

#[test]
fn an_instance_of_nobody_is_of_the_account_whose_keys_need_it_most() {
    let nobodys = "instance_id,region,status,type,free_keys\nkst-a,cn-hangzhou,Connected,software,500\n";
    let mut keys: String = (0..9).map(|number| row(number, "cn-hangzhou", "", "")).collect();
    keys += &row(100, "cn-hangzhou", "", "").replace("1540355698841234", "2234567890123456");
    // Without an account, and first in line, as it rotates.
    keys += &row(101, "cn-hangzhou", "", "2026-12-20T00:00:00Z").replace("1540355698841234", "");
    let made = planned(&keys, nobodys, &[]);
    let has = |account: &str| {
        let own = list(&made, "batches").iter().filter(|batch| batch["account_id"].as_str() == Some(account));
        own.filter(|batch| batch["destination"] == "kst-a").flat_map(|batch| list(batch, "keys")).count()
    };
    assert_eq!((has("1540355698841234"), has("2234567890123456")), (9, 0), "{made}");
}

#[test]
fn keys_stay_in_the_instance_of_the_plan_that_is_kept() {
    let folder = folder();
    let rows: String = (0..100).map(|number| row(number, "cn-hangzhou", "", "")).collect();
    let keys = put(&folder, "keys.csv", format!("{HEAD}{rows}"));
    let m = put(&folder, "m.csv", instances(&room(&[("kst-m", "cn-hangzhou", 500)])));
    let both =
        put(&folder, "both.csv", instances(&room(&[("kst-b", "cn-hangzhou", 500), ("kst-m", "cn-hangzhou", 500)])));
    let before = plan(Path::new(&keys), &["--destinations", &m]);
    let earlier = put(&folder, "earlier.json", before.to_string());
    let kept = plan(Path::new(&keys), &["--destinations", &both, "--keep", &earlier]);
    assert_eq!(list(&kept, "batches"), list(&before, "batches"));
    put(&folder, "earlier.json", before.to_string().replace("kst-m", "kst-b"));
    let ran = expect(4, &["plan", &keys, "--destinations", &both, "--keep", &earlier]);
    assert!(ran.err.contains("its digest does not fit"), "{}", ran.err);
    put(&folder, "earlier.json", before.to_string().replacen('{', "{\"more\": 1, ", 1));
    let ran = expect(4, &["plan", &keys, "--destinations", &both, "--keep", &earlier]);
    assert!(ran.err.contains("has the member more, which this version does not know"), "{}", ran.err);
}

#[test]
fn a_kept_plan_is_carried_on_as_it_was_meant() {
    let folder = folder();
    let kept = |name: &str, keys: &str, destinations: &str, as_of: &str, earlier: Option<&Value>| {
        let keys = put(&folder, &format!("{name}.csv"), format!("{HEAD}{keys}"));
        let destinations = put(&folder, &format!("{name}-i.csv"), destinations);
        let evenings = put(&folder, "c.toml", "time_zone = \"UTC\"\n[[allowed]]\nfrom = \"20:00\"\nto = \"22:00\"\n");
        let mut arguments = vec!["plan", &keys, "--destinations", &destinations, "--calendar", &evenings];
        arguments.extend(["--as-of", as_of, "--format", "json", "--quiet"]);
        let earlier = earlier.map(|plan| put(&folder, "earlier.json", plan.to_string()));
        earlier.iter().for_each(|path| arguments.extend(["--keep", path]));
        document(&run(&arguments).out)
    };
    // A window that stands is in time for a key that no new window could save.
    let one = instances(&room(&[("kst-a", "cn-hangzhou", 50)]));
    let keys =
        row(1, "cn-hangzhou", "pay", "2026-12-04T12:00:00Z") + &row(2, "cn-hangzhou", "pay", "2027-06-01T00:00:00Z");
    let before = kept("soon", &keys, &one, "2026-12-02T10:00:00Z", None);
    let after = kept("soon", &keys, &one, "2026-12-03T12:00:00Z", Some(&before));
    assert_eq!((list(&after, "batches"), list(&after, "problems")), (list(&before, "batches"), &[][..]));
    // An instance of nobody stays with its account, however many of its keys have been migrated.
    let nobodys = "instance_id,region,status,type,free_keys\nkst-a,cn-hangzhou,Connected,software,10\n";
    let of = |numbers: std::ops::Range<usize>, account: &str| -> String {
        numbers.map(|number| row(number, "cn-hangzhou", "", "").replace("1540355698841234", account)).collect()
    };
    let (own, others) = ("1540355698841234", of(50..58, "2234567890123456"));
    let before = kept("accounts", &(of(0..10, own) + &others), nobodys, AS_OF, None);
    let after = kept("accounts", &(of(4..10, own) + &others), nobodys, AS_OF, Some(&before));
    let there = |plan: &Value| -> Vec<String> {
        let batches = list(plan, "batches").iter().filter(|batch| batch["destination"] == "kst-a");
        batches.map(|batch| text(batch, "account_id").to_owned()).collect()
    };
    assert_eq!((there(&before), there(&after)), (vec![own.to_owned()], vec![own.to_owned()]));
    // Keys that have room keep it.
    let two = instances(&room(&[("kst-a", "cn-hangzhou", 10), ("kst-b", "cn-hangzhou", 100)]));
    let big: String = (0..10).map(|number| row(number, "cn-hangzhou", "big", "")).collect();
    let before = kept("room", &big, &two, AS_OF, None);
    for number in 100..110 {
        let after = kept("room", &(big.clone() + &row(number, "cn-hangzhou", "", "")), &two, AS_OF, Some(&before));
        assert!(list(&after, "batches").contains(&before["batches"][0]), "{number}: {after}");
    }
}

#[test]
fn a_key_that_all_applications_share_parts_none_of_them_further() {
    let apps: String = (0..200)
        .flat_map(|app| (0..3).map(move |key| row(app * 3 + key, "cn-hangzhou", &format!("app-{app:03}"), "")))
        .collect();
    let names: Vec<String> = (0..200).map(|app| format!("app-{app:03}")).collect();
    let shared = row(900, "cn-hangzhou", &names.join(";"), "");
    let room = instances(&room(&[("kst-a", "cn-hangzhou", 5000)]));
    let [without, with] = [apps.clone(), apps + &shared].map(|keys| list(&planned(&keys, &room, &[]), "batches").len());
    assert!(with <= without + 3, "{without} batches, and {with}");
}

#[test]
fn rotations_that_did_not_happen_are_no_deadlines() {
    let head = HEAD.trim_end().to_owned() + ",created,rotation_interval\n";
    let row = row(1, "cn-hangzhou", "", "2024-01-01T00:00:00Z").replace("2024-01-01T00:00:00Z", "");
    let row = row.trim_end().to_owned() + ",2024-01-01T00:00:00Z,365d\n";
    let folder = folder();
    let keys = put(&folder, "keys.csv", format!("{head}{row}"));
    let destinations = put(&folder, "i.csv", instances(&room(&[("kst-a", "cn-hangzhou", 5)])));
    let made = plan(Path::new(&keys), &["--destinations", &destinations]);
    let problems = list(&made, "problems");
    assert!(problems.len() == 1 && problems[0]["severity"] == "warning", "{problems:?}");
    assert!(problems[0]["text"]["en"].as_str().unwrap().contains("nobody says when the next one is"), "{problems:?}");
    assert!(made["batches"][0]["rotation_deadline"].is_null());
    assert_eq!(made["worklists"][0]["items"][0]["rows"][0]["due"], AS_OF);
}

#[test]
fn applications_that_share_keys_are_parted_as_seldom_as_can_be() {
    // A chain: each application uses a key of the one before.
    let keys: String = (0..51)
        .map(|number| row(number, "cn-hangzhou", &format!("app-{:02};app-{:02}", number, number + 1), ""))
        .collect();
    let made = planned(&keys, &instances(&room(&[("kst-a", "cn-hangzhou", 500)])), &[]);
    let split: BTreeSet<&str> = list(&made, "batches")
        .iter()
        .flat_map(|batch| list(batch, "split_applications"))
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(split.len(), 1, "{split:?}");
}

#[test]
fn what_several_actions_free_together_is_counted_whole() {
    let php = |number| row(number, "cn-hangzhou", "", "").replace("Java", "PHP");
    let exports = |row: &str| row.replace("Encrypt", "ExportDataKey");
    let keys = [php(1), php(2), exports(&row(3, "cn-hangzhou", "", "")), exports(&php(4))].concat();
    assert!(keys.contains("ExportDataKey"), "{keys}");
    let made = planned(&keys, &instances(&room(&[("kst-a", "cn-hangzhou", 500)])), &[]);
    let unlocks = list(&made, "unlocks");
    let of = |actions: &[&str]| {
        let found = unlocks.iter().find(|unlock| {
            let own: Vec<&str> = list(unlock, "actions").iter().map(|action| action.as_str().unwrap()).collect();
            own == actions
        });
        found.unwrap_or_else(|| panic!("{unlocks:?}"))["keys"].as_u64()
    };
    assert_eq!(of(&["ask-support-about-language", "stop-forbidden-operations"]), Some(4));
    assert_eq!(of(&["ask-support-about-language"]), Some(2));
}

#[test]
fn a_check_tells_what_an_approved_plan_could_not_know() {
    let folder = folder();
    let rotating = row(1, "cn-hangzhou", "", "2027-11-03T00:00:00Z");
    let keys = put(&folder, "keys.csv", format!("{HEAD}{rotating}"));
    let all = format!("{COLUMNS}kst-a,1540355698841234,cn-hangzhou,Connected,software,5,,2029-01-01,vpc-1\n");
    let destinations = put(&folder, "i.csv", &all);
    let approved = put(&folder, "p.json", plan(Path::new(&keys), &["--destinations", &destinations]).to_string());
    let check = |code: i32, as_of: &str| {
        let arguments =
            ["plan", &keys, "--destinations", &destinations, "--quiet", "--as-of", as_of, "--check", &approved];
        expect(code, &arguments).out
    };
    assert_eq!(check(0, AS_OF), "The plan holds: 1 batches, 1 keys\n");
    let told = check(1, "2026-11-22T08:55:00Z");
    assert!(told.contains("Its rotation is still on, and its window begins within a day"), "{told}");
    put(&folder, "keys.csv", format!("{HEAD}{}", rotating.replace("2027-11-03T00:00:00Z", "")));
    assert!(check(0, AS_OF).contains("Nobody says any more when it rotates next"));
    put(&folder, "keys.csv", format!("{},state\n{},Disabled\n", HEAD.trim_end(), rotating.trim_end()));
    assert!(check(0, AS_OF).contains("To be decided or done now, and not when the plan was made: The key is disabled"));
    put(&folder, "keys.csv", format!("{HEAD}{rotating}"));
    put(&folder, "i.csv", "instance_id,region,type\nkst-a,cn-hangzhou,software\n");
    let told = check(0, AS_OF);
    assert!(told.contains("kst-a: Nobody says when it ends") && told.contains("whether it is connected"), "{told}");
    // It ends after the window, and before any window that could be had today.
    put(&folder, "i.csv", all.replace("2029-01-01", "2026-11-22T12:00:00Z"));
    put(&folder, "keys.csv", format!("{HEAD}{}", rotating.replace("Enabled,2027-11-03T00:00:00Z", "Disabled,")));
    let told = check(0, "2026-11-22T08:00:00Z");
    assert!(!told.contains("error"), "{told}");
}

#[test]
fn instances_are_read_in_the_encodings_of_inventories() {
    let folder = folder();
    let keys = put(&folder, "keys.csv", format!("{HEAD}{}", row(1, "cn-hangzhou", "", "")));
    let table = "实例id,地域,状态,实例类型,剩余密钥\nkst-a,cn-hangzhou,已连接,软件密钥管理,5\n";
    let utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(table.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let (gbk, ..) = encoding_rs::GBK.encode(table);
    for (name, bytes) in [("utf-16.csv", utf_16), ("gbk.csv", gbk.into_owned()), ("utf-8.csv", table.into())] {
        let path = put(&folder, name, bytes);
        let made = plan(Path::new(&keys), &["--destinations", &path]);
        assert_eq!(made["batches"][0]["destination"], "kst-a", "{name}: {made}");
    }
    let path = put(&folder, "none.csv", b"instance_id,region\nkst-a,\xff\xff\xff\n");
    let ran = run(&["plan", &keys, "--destinations", &path, "--input-encoding", "utf-8"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    for id in ["default", "key-hzz62f1cb66fa42qo29iq"] {
        let path = put(&folder, "id.csv", format!("instance_id,region\n{id},cn-hangzhou\n"));
        assert!(expect(4, &["plan", &keys, "--destinations", &path]).err.contains("is no id of a KMS instance"));
    }
}

#[test]
fn files_of_others_are_neither_overwritten_nor_removed() {
    let folder = folder();
    let keys = put(&folder, "in/keys.csv", format!("{HEAD}{}", row(1, "cn-hangzhou", "", "")));
    let out = folder.path().join("out");
    for name in ["languages.csv", "batches.csv", "plan.json", "runbook.md", "windows.ics"] {
        let path = put(&folder, &format!("out/{name}"), "mine\n");
        let ran = expect(2, &["plan", &keys, "--as-of", AS_OF, "-o", out.to_str().unwrap()]);
        assert!(ran.err.contains("is of no plan, and would be overwritten"), "{}", ran.err);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine\n");
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn the_check_knows_what_was_carried_out_and_what_would_be_left_out() {
    let folder = folder();
    let table = |first: &str| format!("{HEAD}{first}{}", row(2, "cn-shanghai", "", ""));
    let keys = put(&folder, "keys.csv", table(&row(1, "cn-hangzhou", "", "")));
    let both = room(&[("kst-a0001", "cn-hangzhou", 1), ("kst-b0002", "cn-shanghai", 1)]);
    let destinations = put(&folder, "i.csv", instances(&both));
    let made = plan(Path::new(&keys), &["--destinations", &destinations]);
    let approved = put(&folder, "plan.json", made.to_string());
    let check = |code: i32, as_of: &str| {
        expect(
            code,
            &["plan", &keys, "--destinations", &destinations, "--as-of", as_of, "--quiet", "--check", &approved],
        )
        .out
    };
    // Both windows are past, and one batch was carried out: its instance is full now.
    put(&folder, "keys.csv", table(&row(1, "cn-hangzhou", "", "").replace(",default,", ",kst-a0001,")));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-hangzhou", 0), ("kst-b0002", "cn-shanghai", 1)])));
    let told = check(1, "2026-12-20T00:00:00Z");
    assert!(told.contains("migrated, it seems") && told.matches("error: ").count() == 1, "{told}");
    assert!(told.contains("error: cn-shanghai-") && told.contains("Its window has begun, or is past"), "{told}");
    put(&folder, "keys.csv", table(&row(1, "cn-hangzhou", "", "").replace("Aliyun_AES_256", "Aliyun_SM4")));
    put(&folder, "i.csv", instances(&both));
    assert!(check(1, AS_OF).contains("Only a hardware instance offers its spec"), "a spec");
    put(&folder, "keys.csv", table(&row(1, "cn-hangzhou", "", "")));
    put(&folder, "i.csv", instances(&room(&[("kst-a0001", "cn-beijing", 1), ("kst-b0002", "cn-shanghai", 1)])));
    assert!(check(1, AS_OF).contains("is in cn-beijing, and the keys are not"), "a region");
}
