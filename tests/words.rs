//! Key lists as people keep them: their headers, words, sums and notes, and what spreadsheets make of account ids. The
//! program is run as a user runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use cmkdiag::domains::cell::Cell;
use cmkdiag::domains::cmk::facts::FACTS;
use cmkdiag::domains::cmk::fields::Field;
use cmkdiag::domains::cmk::observe::{key_type, observe};
use serde_json::Value;

/// How a run ended and what it said.
struct Ran {
    out: String,
    err: String,
}

/// Diagnoses an inventory; `more` are further options.
fn run(input: &str, more: &[&str]) -> Ran {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cmkdiag");
    command.env_clear().args(["diagnose", "-", "--quiet"]).args(more).write_stdin(input);
    let output = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    Ran { out: text(output.stdout), err: text(output.stderr) }
}

/// The same as a document.
fn document(input: &str) -> Value {
    let ran = run(input, &["--format", "json"]);
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err))
}

/// Key ids with their classes.
fn classes(input: &str) -> Vec<(String, String)> {
    let document = document(input);
    let keys = document["keys"].as_array().expect("keys");
    let text = |value: &Value| value.as_str().unwrap_or("undetermined").to_owned();
    keys.iter().map(|key| (text(&key["key_id"]), text(&key["class"]))).collect()
}

/// The class of the only key.
fn class(input: &str) -> String {
    let classes = classes(input);
    assert_eq!(classes.len(), 1, "{input}\n{classes:?}");
    classes[0].1.clone()
}

fn notes(document: &Value) -> Vec<String> {
    let notes = document["summary"]["notes"].as_array().expect("notes");
    notes.iter().map(|note| note["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What a field's fact holds of a text, by name; `-` if it is unknown.
fn meaning(header: &str, text: &str) -> String {
    let field = Field::from_header(header).unwrap_or_else(|| panic!("{header} names a field"));
    let (field, bits) = match field {
        Field::KeyType | Field::Creator => key_type(field, Cell::Text(text)),
        field => observe(field, Cell::Text(text)).map(|bits| (field, bits)),
    }
    .unwrap_or_else(|misread| panic!("{header}: {misread:?}"));
    let Some(fact) = field.spec().fact.filter(|_| bits != 0) else { return "-".to_owned() };
    FACTS[fact.index()].show(bits)
}

/// An inventory of one key, in which everything is good but for the given columns.
fn list(headers: &str, cells: &str) -> String {
    format!("密钥ID,KMS实例,{headers}\n0f5a1c1e-0000-4000-8000-000000000001,默认,{cells}\n")
}

const GOOD_HEADERS: &str = "别名,密钥材料来源,自动轮转,版本数,使用方,使用的接口,编程语言,网络环境";
const GOOD: [&str; 8] = ["alias/a", "阿里云KMS", "否", "1", "自建应用", "Encrypt", "Java", "VPC"];

/// The class of a key of which one cell differs.
fn class_with(header: &str, cell: &str) -> String {
    let headers: Vec<&str> = GOOD_HEADERS.split(',').collect();
    let field = |header: &str| Field::from_header(header).and_then(|field| field.spec().fact);
    let at = headers.iter().position(|other| field(other) == field(header));
    let (mut headers, mut cells) = (headers, GOOD.to_vec());
    match at {
        Some(at) => (headers[at], cells[at]) = (header, cell),
        None => {
            headers.push(header);
            cells.push(cell);
        }
    }
    class(&list(&headers.join(","), &cells.join(",")))
}

// ---------------------------------------------------------------------------------------------------
// Headers and words.

#[test]
fn the_headers_and_words_of_consoles_and_lists_made_by_hand_are_understood() {
    let fields = [
        (
            "key_id",
            "Key ID|KeyId|CMK ID|Key|KMS Key ID|kms_key_id|KmsKeyId|Key ID (UUID)|密钥ID（KeyId）|主密钥ID(CMK)|Master key|Master Key ID|密钥ID|用户主密钥ID|主密钥ID|密钥标识|ＫｅｙＩＤ：",
        ),
        ("aliases", "Alias|Alias Name|Key Alias|别名|密钥别名"),
        ("instance", "KMS Instance|Instance ID|Instance|KMS实例|实例ID|所属实例"),
        ("origin", "Origin|Key Material Source|Key Material Origin|密钥材料来源|材料来源"),
        (
            "rotation",
            "Automatic Rotation|Auto rotate|Rotation|自动轮转|轮转状态|轮转策略|轮转|是否轮转|自动轮换|轮换|是否轮换|轮换状态",
        ),
        ("rotation_interval", "Rotation Period|轮转周期|轮换周期|RotationInterval"),
        ("versions", "Versions|Number of Versions|密钥版本数|版本数|版本"),
        ("multiple_versions", "多个密钥版本|多版本|has_multiple_versions|多个版本"),
        ("state", "Status|Key State|状态|密钥状态|KeyState"),
        ("key_spec", "Key Spec|Key Specifications|密钥规格|KeySpec"),
        ("key_type", "Key Type|密钥类型|类型"),
        ("key_usage", "Purpose|密钥用途|KeyUsage"),
        ("protection_level", "Protection Level|保护级别|ProtectionLevel"),
        ("manager_type", "KeyManagerType"),
        ("creator", "Creator|创建者"),
        ("account_id", "Account|Account ID|UID|账号|账号ID"),
        ("region", "Region|地域|区域"),
        (
            "operations",
            "Cryptographic operations|Actions|KMS Actions|api_actions|API列表|接口列表|API操作|Used operations|Operations (API)|APIs|Operations|接口|使用的API|使用的接口|调用接口|调用的API",
        ),
        ("languages", "Application development programming languages|SDK|Language|开发语言|语言|编程语言"),
        ("network", "Network location of an application|Deployed on|部署位置|网络|部署环境|网络环境"),
        ("in_vpc", "VPC|专有网络"),
        ("owner", "Owner|Team|负责人"),
        ("applications", "App|应用|业务"),
        ("migration_window", "Migration Window|migration_window|迁移时间窗口"),
        ("created", "Creation Time|创建时间|CreationDate"),
        ("description", "Description|描述|描述信息"),
        ("usage", "Usage"),
    ];
    for (name, headers) in fields {
        for header in headers.split('|') {
            assert_eq!(Field::from_header(header).map(Field::name), Some(name), "{header}");
        }
    }
    let words = [
        ("KMS实例", "默认|Default|Default Key Management|默认密钥管理", "default"),
        ("Instance ID", "kst-hzz62f1cb66fa42qo", "dedicated"),
        ("Status", "Enabled|启用中|启用|ＥＮＡＢＬＥＤ", "Enabled"),
        ("Status", "Disabled|已禁用|禁用密钥|禁用|停用", "Disabled"),
        ("Status", "Pending Deletion|待删除|计划删除密钥", "PendingDeletion"),
        ("Status", "Pending Import|待导入|导入密钥材料", "PendingImport"),
        ("保护级别", "Software|SOFTWARE|软件", "SOFTWARE"),
        ("保护级别", "Hsm|HSM|硬件", "HSM"),
        (
            "密钥材料来源",
            "Alibaba Cloud KMS|Key Management Service|阿里云KMS|密钥管理服务|阿里云 KMS 生成|Aliyun_KMS",
            "Aliyun_KMS",
        ),
        (
            "密钥材料来源",
            "External|External (Import Key Material)|外部|自行导入|BYOK|导入密钥材料|外部（导入密钥材料）|外部密钥材料|EXTERNAL",
            "EXTERNAL",
        ),
        ("轮换状态", "已开启|是|有|√|✓|yes|y|true|on|1|enabled|开启|启用", "Enabled"),
        ("自动轮转", "30天|30 days|90d|自定义|每年|365天|Customize|31536000s|每90天", "Enabled"),
        ("自动轮转", "已关闭|否|无|None|×|✗|no|n|false|off|0|disabled|关闭|禁用|停用|不开启|Disable", "Disabled"),
        ("自动轮转", "暂停|Suspended", "Suspended"),
        ("自动轮转", "N/A|-|—|/|未知|TBD", "-"),
        ("多个密钥版本", "是|yes", "several"),
        ("多个密钥版本", "否|no", "one"),
        ("密钥类型", "服务密钥|Service Key", "service"),
        ("密钥类型", "用户主密钥|主密钥|CMK", "customer"),
        ("KeyManagerType", "Service Key|服务密钥", "service"),
        ("KeyManagerType", "CMK|主密钥", "customer"),
        ("密钥类型", "Aliyun_AES_256", "Aliyun_AES_256"),
        ("密钥用途", "ENCRYPT/DECRYPT|Encrypt/Decrypt|加解密|加密解密|加密/解密", "ENCRYPT/DECRYPT"),
        ("密钥用途", "SIGN/VERIFY|签名验签|签名/验签", "SIGN/VERIFY"),
        ("KeyUsage", "GENERATE/VERIFY_MAC", "GENERATE/VERIFY_MAC"),
        ("开发语言", "Java、PHP|Java/PHP|java&php|Java + PHP", "Java, PHP"),
        ("部署位置", "ECS VPC|专有网络|VPC|vpc-prod|vpc-bp1a2b3c (prod)", "vpc"),
        ("开发语言", "Java SDK|Java (Spring Boot)|Java（JDK 17）", "Java"),
        ("部署位置", "IDC", "data-centre"),
        ("VPC", "是|yes|true", "vpc"),
        ("VPC", "否|no|false|无", "outside-vpc"),
        (
            "使用的接口",
            "重加密|转加密|ReEncrypt()|kms.ReEncrypt|acs:kms:ReEncrypt|KMS ReEncrypt|kms/ReEncrypt",
            "ReEncrypt",
        ),
        ("使用的接口", "加密|解密|加解密|Encrypt/Decrypt|签名|验签|生成数据密钥", "ordinary"),
    ];
    for (header, texts, expected) in words {
        for text in texts.split('|') {
            assert_eq!(meaning(header, text), expected, "{header}: {text}");
        }
    }
    let hand_made = "密钥ID;别名;KMS实例;密钥材料来源;自动轮转;版本数;开发语言;部署位置;负责人\n\
        05754286-3ba2-4fa6-8d41-4323aca60001;alias/orders;默认;阿里云KMS;已开启;1;Java;ECS VPC;张三\n\
        7d3c1f0e-1111-4222-8333-444455550004;alias/legacy;Default;外部;否;1;PHP;IDC;李四\n";
    let found: Vec<String> = classes(hand_made).into_iter().map(|(_, class)| class).collect();
    assert_eq!(found, ["needs-rotation-disabled", "blocked"]);
}

#[test]
fn what_blocks_a_key_is_seen_in_any_writing() {
    assert_eq!(class(&list(GOOD_HEADERS, &GOOD.join(","))), "migratable");
    for (header, cell, expected) in [
        ("调用的API", "kms/ReEncrypt", "blocked"),
        ("使用的接口", "加解密、转加密", "blocked"),
        ("使用的接口", "Encrypt/Decrypt", "migratable"),
        ("编程语言", "Java/PHP", "blocked"),
        ("编程语言", "Java、Go", "migratable"),
        ("VPC", "no", "blocked"),
        ("VPC", "无", "blocked"),
        ("VPC", "yes", "migratable"),
        ("VPC", "vpc-bp1a2b3c", "migratable"),
        ("多个密钥版本", "是", "blocked"),
        ("多个密钥版本", "否", "migratable"),
        ("版本数", "2.0", "blocked"),
        ("版本数", "1.0", "migratable"),
        ("自动轮换", "30天", "needs-rotation-disabled"),
        ("密钥材料来源", "外部（导入密钥材料）", "blocked"),
        ("KeyUsage", "SOMETHING_NEW", "migratable"),
        ("状态", "注销中", "migratable"),
        ("Protection Level", "QUANTUM", "migratable"),
    ] {
        assert_eq!(class_with(header, cell), expected, "{header}: {cell}");
    }
    for (header, cell) in [
        ("版本数", "1.5"),
        ("版本数", "-1"),
        ("网络", "no"),
        ("多版本", "1"),
        ("使用的接口", "未使用重加密"),
        ("自动轮转", "?!"),
    ] {
        let headers = GOOD_HEADERS.split(',').find(|other| Field::from_header(other) == Field::from_header(header));
        let cells: Vec<&str> =
            GOOD_HEADERS.split(',').zip(GOOD).map(|(of, good)| if Some(of) == headers { cell } else { good }).collect();
        let input = match headers {
            Some(_) => list(GOOD_HEADERS, &cells.join(",")),
            None => list(&format!("{GOOD_HEADERS},{header}"), &format!("{},{cell}", GOOD.join(","))),
        };
        let ran = run(&input, &["--format", "csv"]);
        assert!(!ran.out.contains("migratable"), "{header}: {cell}\n{}", ran.out);
    }
}

#[test]
fn words_that_decide_nothing_cost_no_record_and_are_told_once() {
    let record = |n: u32, state: &str| format!("0f5a1c1e-0000-4000-8000-00000000000{n},{state}\n");
    let input = format!("key_id,KeyState\n{}{}{}", record(1, "Melting"), record(2, "Melting"), record(3, "Enabled"));
    let document = document(&input);
    assert_eq!(document["summary"]["records"]["rejected"], 0, "{document}");
    let told: Vec<String> = notes(&document).into_iter().filter(|note| note.contains("Melting")).collect();
    assert_eq!(told, ["`Melting` in the column KeyState is not known, and counts as unknown; it decides nothing"]);
}

#[test]
fn key_usage_under_the_header_usage_is_kept() {
    let key = |input: &str| document(input)["keys"][0].clone();
    let found = key("key_id,usage\nk-1234567890,ENCRYPT/DECRYPT\n");
    assert_eq!(found["facts"]["key_usage"]["value"], "ENCRYPT/DECRYPT", "{found}");
    assert!(found["facts"]["usage"]["value"].is_null(), "{found}");
    for input in [
        "key_id,usage,key_usage\nk-1234567890,ENCRYPT/DECRYPT,SIGN/VERIFY\n",
        "key_id,key_usage,usage\nk-1234567890,SIGN/VERIFY,ENCRYPT/DECRYPT\n",
    ] {
        assert_eq!(key(input)["facts"]["key_usage"]["value"], "SIGN/VERIFY");
    }
    let found = key("key_id,usage\nk-1234567890,server-side/self-managed\n");
    assert_eq!(found["facts"]["usage"]["value"], "server-side, self-managed", "{found}");
}

#[test]
fn the_window_of_the_migration_is_passed_on() {
    let key = document("key_id,迁移时间窗口\nk-1234567890,周六 02:00-04:00\n")["keys"][0].clone();
    assert_eq!(key["migration_window"], "周六 02:00-04:00");
}

/// What becomes of a key of which one cell differs: its class, or `rejected`.
fn fate_with(header: &str, cell: &str) -> String {
    let of = |header: &str| Field::from_header(header).unwrap_or_else(|| panic!("{header} names a field"));
    let mut columns: Vec<(&str, &str)> = GOOD_HEADERS.split(',').zip(GOOD).collect();
    columns.retain(|(other, _)| of(other).spec().fact != of(header).spec().fact || of(header).spec().fact.is_none());
    columns.push((header, cell));
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let headers: Vec<&str> = columns.iter().map(|(header, _)| *header).collect();
    let cells: Vec<String> = columns.iter().map(|(_, cell)| quoted(cell)).collect();
    let input = list(&headers.join(","), &cells.join(","));
    match serde_json::from_str::<Value>(&run(&input, &["--format", "json"]).out) {
        Ok(document) if document["summary"]["records"]["rejected"] == 0 => class(&input),
        _ => "rejected".to_owned(),
    }
}

#[test]
fn what_is_masked_or_cut_is_never_green() {
    for (alias, expected) in [
        ("****", "undetermined"),
        ("alias/****", "undetermined"),
        ("alias/a****", "undetermined"),
        ("ali…", "undetermined"),
        ("alias/a...", "undetermined"),
        ("alias/xxxx", "undetermined"),
        ("alias/orders;alias/****", "undetermined"),
        ("alias/acs/oss;alias/****", "service-key"),
        ("alias/orders-****", "migratable"),
        ("`alias/acs/oss`", "service-key"),
    ] {
        assert_eq!(fate_with("别名", alias), expected, "{alias}");
    }
    let headers = format!("{GOOD_HEADERS},alias");
    assert_eq!(class(&list(&headers, &format!("{},****", GOOD.join(",")))), "undetermined", "whatever else is named");
    for (header, texts) in [
        ("operations", "Encrypt…|Encrypt...|加解密...|Encrypt, Decrypt, ...|Encrypt..|Encrypt/|Encrypt，…"),
        ("languages", "Java…|Java...|Java, ...|Java、Go…"),
        ("network", "vpc…|VPC...|vpc-bp1a2b3c..."),
        ("usage", "application…|应用...|both, …"),
    ] {
        for text in texts.split('|') {
            assert_eq!(fate_with(header, text), "rejected", "{header}: {text}");
        }
    }
}

#[test]
fn arrays_and_marks_of_markdown_are_no_part_of_the_words() {
    for (header, text, expected) in [
        ("operations", r#"["Encrypt","Decrypt"]"#, "migratable"),
        ("operations", r#"["Encrypt", "ReEncrypt"]"#, "blocked"),
        ("operations", r#"["Encrypt", null]"#, "rejected"),
        ("operations", r#"["Encrypt", ""]"#, "rejected"),
        ("operations", r#"["Encrypt", "..."]"#, "rejected"),
        ("operations", r#"["Encrypt""#, "rejected"),
        ("operations", r#"["Encrypt", {"a": 1}]"#, "rejected"),
        ("operations", "[]", "migratable"),
        ("operations", "`Encrypt`, `Decrypt`", "migratable"),
        ("operations", "`Encrypt`, `ReEncrypt`", "blocked"),
        ("operations", "**ReEncrypt**", "blocked"),
        ("languages", r#"["Java","Go"]"#, "migratable"),
        ("languages", r#"["Java","PHP"]"#, "blocked"),
        ("languages", "Java, `PHP`", "blocked"),
        ("network", r#"["vpc"]"#, "migratable"),
        ("network", "`IDC`", "blocked"),
        ("usage", r#"["self-managed"]"#, "migratable"),
        ("versions", "`1`", "migratable"),
        ("versions", "**2**", "blocked"),
        ("origin", "`EXTERNAL`", "blocked"),
        ("rotation", "**Enabled**", "needs-rotation-disabled"),
    ] {
        assert_eq!(fate_with(header, text), expected, "{header}: {text}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Rotation.

#[test]
fn a_key_that_does_not_rotate_and_has_a_next_rotation_is_not_green() {
    let with = |rotation: &str, next: &str| {
        class(&list(
            &format!("{GOOD_HEADERS},next_rotation,created").replace("自动轮转", "rotation"),
            &format!("{},{next},2020-01-01", GOOD.join(",").replace(",否,", &format!(",{rotation},"))),
        ))
    };
    assert_eq!(with("Disabled", "9000-01-01"), "undetermined");
    assert_eq!(with("Disabled", "2020-01-01"), "migratable", "the date of the creation");
    assert_eq!(with("Disabled", "2021-05-01T00:00:00Z"), "migratable", "a date that was left standing");
    assert_eq!(with("Disabled", ""), "migratable");
    assert_eq!(with("Enabled", "9000-01-01"), "needs-rotation-disabled");
    let (head, cells) = (format!("{GOOD_HEADERS},next_rotation"), GOOD.join(","));
    let apart =
        format!("{}0f5a1c1e-0000-4000-8000-000000000001,默认,,,,,,,,,9000-01-01\n", list(&head, &format!("{cells},")));
    assert_eq!(class(&apart), "undetermined", "also if two records say so");
    let assumed =
        run(&list(&head, &format!("{cells},9000-01-01")), &["--format", "csv", "--assume", "rotation=Disabled"]);
    assert!(assumed.out.contains("undetermined"), "{}", assumed.out);
}

#[test]
fn rotation_is_off_only_if_that_is_said() {
    for (text, expected) in [
        ("-1", "rejected"),
        ("-0", "rejected"),
        ("－1", "rejected"),
        ("-365", "rejected"),
        ("-365d", "rejected"),
        ("0 days", "rejected"),
        ("0天", "rejected"),
        ("Disabled (365 days)", "rejected"),
        ("Enabled (0 days)", "rejected"),
        ("1", "needs-rotation-disabled"),
        ("Enabled (365 days)", "needs-rotation-disabled"),
        ("已开启（365天）", "needs-rotation-disabled"),
        ("已开启自动轮换", "needs-rotation-disabled"),
        ("未开启自动轮转", "migratable"),
        ("never", "migratable"),
        ("N/A (asymmetric)", "migratable"),
        ("不支持（非对称密钥）", "migratable"),
        ("不支持", "undetermined"),
        ("Not supported", "undetermined"),
        ("Not supported (whatever)", "rejected"),
    ] {
        assert_eq!(fate_with("rotation", text), expected, "{text}");
    }
    let headers = GOOD_HEADERS.replace("自动轮转", "轮换周期");
    for (period, expected) in
        [("0", "undetermined"), ("-1", "undetermined"), ("0天", "undetermined"), ("365", "needs-rotation-disabled")]
    {
        let cells = GOOD.join(",").replace(",否,", &format!(",{period},"));
        assert_eq!(class(&list(&headers, &cells)), expected, "{period}");
    }
}

#[test]
fn the_period_of_the_old_console_costs_no_record() {
    for (period, expected) in
        [("不开启", "migratable"), ("自定义", "needs-rotation-disabled"), ("30天", "needs-rotation-disabled")]
    {
        let input = list(
            &format!("{},创建时间", GOOD_HEADERS.replace("自动轮转", "轮换周期")),
            &format!("{},2020-01-01", GOOD.join(",").replace(",否,", &format!(",{period},"))),
        );
        assert_eq!(class(&input), expected, "{period}");
    }
}

/// The class of a key with one version and these dates of creation and last rotation, or `rejected`.
fn class_by_dates(created: &str, last: &str) -> String {
    let input = list(&format!("{GOOD_HEADERS},created,last_rotation"), &format!("{},{created},{last}", GOOD.join(",")));
    let ran = run(&input, &["--format", "json"]);
    match serde_json::from_str::<Value>(&ran.out) {
        Ok(document) if document["summary"]["records"]["rejected"] == 0 => class(&input),
        _ => "rejected".to_owned(),
    }
}

#[test]
fn dates_of_spreadsheets_tell_of_rotations_and_dates_that_nobody_understands_reject() {
    for (created, last, expected) in [
        ("5/20/2021 6:34", "5/20/2024 6:34", "undetermined"),
        ("20/5/2021", "20/5/2024", "undetermined"),
        ("5/4/2021 6:34 PM", "5/4/2024 6:34 PM", "undetermined"),
        ("5/20/2021 6:34", "5/20/2021 6:34", "migratable"),
        ("5/4/2021 6:34", "5/4/2021 6:34", "migratable"),
        ("2021-05-20", "5/20/2024", "undetermined"),
        ("5/4/2021", "4/5/2021", "rejected"),
        ("5/4/2021", "5/5/2021", "rejected"),
        ("5/20/2021", "20/5/2021", "rejected"),
        ("2021-05-20", "garbage", "rejected"),
        ("2021-05-20", "########", "rejected"),
        ("garbage", "2021-05-20", "rejected"),
        ("5/20/21", "5/20/24", "rejected"),
        ("2021-05-20", "", "migratable"),
        ("2021-05-20", "N/A", "migratable"),
        ("2021-05-20", "Never", "migratable"),
        ("garbage", "", "migratable"),
    ] {
        assert_eq!(class_by_dates(created, last), expected, "{created} {last}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Footers.

#[test]
fn what_stands_below_a_table_is_left_out_and_told() {
    for (footer, text) in [
        ("合计：4条,,", "合计：4条"),
        ("共4条,,", "共4条"),
        ("Total: 4 keys,,", "Total: 4 keys"),
        ("备注：已核对,,", "备注：已核对"),
        ("注：已核对,,", "注：已核对"),
        ("Confidential,,", "Confidential"),
        ("Generated by our tool,,", "Generated by our tool"),
        ("End of report,,", "End of report"),
        ("-- end --,,", "-- end --"),
        ("制表人：张三,,", "制表人：张三"),
        ("(4 rows),,", "(4 rows)"),
        ("4 rows selected", "4 rows selected"),
        ("(4 rows)", "(4 rows)"),
    ] {
        let document = document(&format!("key_id,origin,versions\nk-1234567890,EXTERNAL,1\n{footer}\n"));
        let records = &document["summary"]["records"];
        assert_eq!((&records["rejected"], &records["read"]), (&0.into(), &1.into()), "{footer}: {document}");
        let told = document["summary"]["notes"].as_array().unwrap().clone();
        let told: Vec<&Value> = told.iter().filter(|note| note["kind"] == "left-out").collect();
        assert_eq!(told.len(), 1, "{footer}: {told:?}");
        assert!(told[0]["text"].as_str().unwrap().contains(text), "{told:?}");
        assert_eq!(told[0]["line"], 3, "{told:?}");
    }
}

#[test]
fn a_footer_that_names_a_key_leaves_that_key_undetermined() {
    let id = "0f5a1c1e-0000-4000-8000-000000000001";
    let good = list(GOOD_HEADERS, &GOOD.join(","));
    let input = format!("{good}备注：{id}已导入外部密钥,,,,,,,,,\n");
    assert_eq!(class(&input), "undetermined");
    assert_eq!(document(&input)["summary"]["records"]["rejected"], 1);
    assert_eq!(class(&format!("{good}备注：已核对,,,,,,,,,\n")), "migratable");
}

#[test]
fn a_list_of_one_column_has_few_footers() {
    let document = document("key_id\nk-1234567890\nsome key\n订单库\n合计：3\n");
    let keys: Vec<&str> =
        document["keys"].as_array().unwrap().iter().filter_map(|key| key["key_id"].as_str()).collect();
    assert_eq!(keys, ["k-1234567890"], "what is no id is rejected, and no footer");
    assert_eq!(document["summary"]["records"]["rejected"], 2);
}

// ---------------------------------------------------------------------------------------------------
// Accounts.

/// Accounts, regions and classes of an inventory of keys that are blocked if their record counts.
fn accounts(rows: &[&str]) -> Vec<(String, String, String)> {
    let input = format!("key_id,arn,account_id,region,aliases,origin\n{}\n", rows.join("\n"));
    let document = document(&input);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let keys = document["keys"].as_array().unwrap().clone();
    keys.iter().map(|key| (text(&key["account_id"]), text(&key["region"]), text(&key["class"]))).collect()
}

fn triple(account: &str, region: &str, class: &str) -> (String, String, String) {
    (account.to_owned(), region.to_owned(), class.to_owned())
}

#[test]
fn an_account_that_has_lost_digits_costs_no_record() {
    let unknown = triple("-", "cn-hangzhou", "blocked");
    assert_eq!(accounts(&["k-1234567890,,1.54036E+15,cn-hangzhou,alias/a,EXTERNAL"]), vec![unknown.clone()]);
    let rounded = [
        "k-1234567890,,1234567890123450,cn-hangzhou,,EXTERNAL",
        "k-1234567891,,2234567890123450,cn-hangzhou,,EXTERNAL",
    ];
    assert_eq!(accounts(&rounded), [unknown.clone(), unknown]);
    assert_eq!(accounts(&rounded[..1]), [triple("1234567890123450", "cn-hangzhou", "blocked")], "one in ten ends so");
    let third = [rounded[0], rounded[1], "k-1234567892,,3234567890123451,cn-hangzhou,,EXTERNAL"];
    assert_eq!(accounts(&third)[0].0, "1234567890123450", "another does not end in 0");
    let input = "key_id,UID\nk-1234567890,1.54036E+15\nk-1234567891,1.54037E+15\n";
    let told: Vec<String> = notes(&document(input)).into_iter().filter(|note| note.contains("UID")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("2 account id(s) in the column UID have lost digits"), "{told:?}");
}

#[test]
fn the_arn_beside_a_damaged_account_names_it_unless_it_contradicts() {
    let row = |account: &str| format!("k,acs:kms:cn-hangzhou:1234567890123456:key/k,{account},,,EXTERNAL");
    for account in ["1.23457E+15", "1,23456789012346E+15", "1234567890123450"] {
        let cell = if account.contains(',') { format!("\"{account}\"") } else { account.to_owned() };
        assert_eq!(accounts(&[&row(&cell)]), [triple("1234567890123456", "cn-hangzhou", "blocked")], "{account}");
    }
    for account in ["1.54036E+15", "1234567890123460"] {
        let rows = [row(account), "k-1234567890,,,,,EXTERNAL".to_owned()].join("\n");
        let document = document(&format!("key_id,arn,account_id,region,aliases,origin\n{rows}\n"));
        assert_eq!(document["summary"]["records"]["rejected"], 1, "{account}: {document}");
    }
}

#[test]
fn damaged_accounts_never_make_one_key_of_two() {
    let rows = [
        "k-1234567890,,1.54036E+15,cn-hangzhou,alias/a,EXTERNAL",
        "k-1234567890,,1.54036E+15,cn-shanghai,alias/b,EXTERNAL",
    ];
    let found = accounts(&rows);
    assert_eq!(
        found.iter().map(|key| key.1.as_str()).collect::<Vec<_>>(),
        ["cn-hangzhou", "cn-shanghai"],
        "regions tell them apart"
    );
    let whole = [
        "k-1234567890,,1111111111111111,cn-hangzhou,alias/a,EXTERNAL",
        "k-1234567890,,2222222222222222,cn-hangzhou,alias/b,EXTERNAL",
    ];
    let input = format!(
        "key_id,arn,account_id,region,aliases,origin\n{}\n{}\nk-1234567890,,1.54036E+15,cn-hangzhou,alias/c,Aliyun_KMS\n",
        whole[0], whole[1]
    );
    let document = document(&input);
    assert_eq!(
        document["summary"]["records"]["rejected"], 1,
        "which of both the third is about, nobody knows: {document}"
    );
    let joined = [
        "k-1234567890,,1111111111111111,cn-hangzhou,alias/a,EXTERNAL",
        "k-1234567890,,1.11111E+15,cn-hangzhou,alias/a,Aliyun_KMS",
    ];
    assert_eq!(
        accounts(&joined),
        [triple("1111111111111111", "cn-hangzhou", "undetermined")],
        "what disagrees is a conflict"
    );
}

/// Programs that write for spreadsheets guard every cell.
#[test]
fn guarded_cells_mean_what_they_guard() {
    let guarded: Vec<String> = GOOD.iter().map(|cell| format!("\"=\"\"{cell}\"\"\"")).collect();
    let quoted: Vec<String> = GOOD.iter().map(|cell| format!("'{cell}")).collect();
    for cells in [guarded, quoted] {
        let document = document(&format!("密钥ID,实例ID,{GOOD_HEADERS}\nk,default,{}\n", cells.join(",")));
        assert_eq!(document["keys"][0]["class"], "migratable", "{document:#}");
    }
}
