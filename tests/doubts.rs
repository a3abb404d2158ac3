//! Whatever is said of a key, in whatever place and spelling, is heard: nobody calls a key migratable of which another
//! record says that it is not, or says what nobody understands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;
use program::{document, folder, put, run};

/// A key that nothing stands in the way of, and something else that says of it what does.
fn class_beside(said: &[(&str, String)]) -> (String, i32) {
    const ID: &str = "0f5a1c1e-abcd-4000-8000-00000000beef";
    let good = format!(
        "key_id,aliases,instance,origin,rotation,versions,usage,operations,languages,network\n\
        {ID},alias/a1,default,Aliyun_KMS,Disabled,1,self-managed,Encrypt,Java,vpc\n"
    );
    let files: Vec<(String, String)> = said
        .iter()
        .map(|(name, content)| ((*name).to_owned(), content.replace("GOOD", &good).replace("ID", ID)))
        .chain([("a.csv".to_owned(), good.clone())])
        .collect();
    let folder = folder();
    let paths: Vec<String> = files.iter().map(|(name, content)| put(&folder, name, content)).collect();
    let arguments: Vec<&str> = paths.iter().map(String::as_str).collect();
    let ran = run(&[&["diagnose", "--format", "json"], &arguments[..]].concat());
    let said = document(&ran.out);
    let found = said["keys"].as_array().unwrap().iter().find(|key| key["key_id"] == ID);
    (found.and_then(|key| key["class"].as_str()).unwrap_or_default().to_owned(), ran.code)
}

#[test]
fn whatever_else_names_a_key_leaves_no_doubt_unheard() {
    for content in [
        // A second table under the header of the first, filled up with blanks.
        "GOOD,,,,,,,,,\nApplication,Key Id,Operations,,,,,,,\nledger,ID,ReEncrypt,,,,,,,\n",
        // Records of applications that name the key in another column.
        "id,密钥Id,operations\n1,ID,ReEncrypt\n",
        "key_id,note,operations\nledger-app,ID,Foo\n",
        "id,kms_key,operations\napp-1,ID,ReEncrypt\n",
        "key_id,使用密钥,operations\napp-1,ID,ReEncrypt\n",
        // A list that goes on in the next line, and marks that stand for the id above.
        "GOODReEncrypt; Decrypt\n",
        "GOODand ReEncrypt\n",
        "GOODReEncrypt\n",
        "GOODReEncrypt,,,,,,,,,\n",
        "GOOD-,,,,,,,ReEncrypt,,\n",
        "GOODN/A,,,,,,,ReEncrypt,,\n",
        "GOOD同上,,,,,,,ReEncrypt,,\n",
        "GOODditto,,,,,,,ReEncrypt,,\n",
        // Ids that are glued to other words, masked in capitals, or cut off.
        "key_id,operations\nprod-ID,ReEncrypt\n",
        "key_id,operations\n0F5A****BEEF,ReEncrypt\n",
        "key_id,operations\n0f5a1c1eabcd****,ReEncrypt\n",
        "key_id,operations\n0f5a****beef,Foo\n",
        "key_id,operations\n0f5a1c1e-abcd-4000-8000-00000000bee,ReEncrypt\n",
        "key_id,operations\n0f5a1c1e-abcd,ReEncrypt\n",
        "key_id,operations\n0f5a1c1e_abcd_4000_8000_00000000beef,ReEncrypt\n",
        // Aliases.
        "alias,operations\nalias/a1,ReEncrypt\n",
        "GOOD注：alias/a1 还使用重加密\n",
        "alias/a1 uses ReEncrypt\nGOOD",
        // What no field reads.
        "key_id,remarks\nID,also ReEncrypt\n",
        "key_id,是否使用重加密\nID,是\n",
        "key_id,Other API Operations\nID,ReEncrypt\n",
        "key_id,description\nID,calls re-encrypt\n",
        "key_id,operations,operations.1\nID,Encrypt,ReEncrypt\n",
        // A table that lies on its side.
        "Key Id,ID\nOperations,ReEncrypt\nOrigin,EXTERNAL\n",
    ] {
        let (class, code) = class_beside(&[("other.csv", content.to_owned())]);
        assert!(class == "undetermined" || class == "blocked", "{content}: {class}, exit {code}");
    }
    for content in [
        r#"[{"id":"app-1","kms_key":"ID","operations":["ReEncrypt"]}]"#,
        r#"[{"id":"app-1","keys":["ID"],"operations":["ReEncrypt"]}]"#,
        r#"{"apps":[{"alias":"alias/a1","operations":["ReEncrypt"]}]}"#,
        r#"[{"key_id":"ID","details":{"operations":["ReEncrypt"],"origin":"EXTERNAL"}}]"#,
        r#"[{"key_id":"ID","consumers":[{"name":"x","operations":["ReEncrypt"]}]}]"#,
        r#"[{"key_id":"ID","metadata":{"Origin":"EXTERNAL"}}]"#,
        r#"[{"key_id":"ID","usage_details":{"ReEncrypt":5}}]"#,
        r#"[{"key_id":"a-key","ID":{"operations":["ReEncrypt"]}}]"#,
    ] {
        let (class, code) = class_beside(&[("other.json", content.to_owned())]);
        assert!(class == "undetermined" || class == "blocked", "{content}: {class}, exit {code}");
    }
}

#[test]
fn what_says_nothing_of_a_key_costs_nothing() {
    for content in [
        "key_id,remarks,tags\nID,encrypts orders,\"{\"\"team\"\": \"\"x\"\"}\"\n",
        "key_id,uses ReEncrypt,comment\nID,no,\"payments\nand billing, orders\"\n",
        "key_id,operations.1\nID,Decrypt\n",
        "GOODTotal: 1 keys\n",
        "key_id,other\nID,05754286-3ba2-4fa6-8d41-4323aca60001\n",
        "key_id,versions\nID,\"1,0\"\n",
        "key_id,origin\nID,Aliyun_KMS\n\u{1a}",
    ] {
        let (class, code) = class_beside(&[("other.csv", content.to_owned())]);
        assert_eq!((class.as_str(), code), ("migratable", 0), "{content}");
    }
    let nested = r#"[{"key_id":"ID","details":{"team":"x","cost":{"centre":4}}}]"#;
    assert_eq!(class_beside(&[("other.json", nested.to_owned())]), ("migratable".to_owned(), 0));
}

#[test]
fn rows_that_stray_quotes_have_swallowed_are_not_lost() {
    let header = "key_id,owner,alias,origin,rotation,versions,instance,languages,network,operations\n";
    let bad = "alias/b,EXTERNAL,Enabled,4,default,PHP,internet,ReEncrypt";
    let good = "alias/b,Aliyun_KMS,Disabled,1,default,Java,vpc,Encrypt";
    for content in [
        // The first row would get the cells of the second.
        format!("{header}ID,\"ops,{bad}\nother,web\",{good}\n"),
        format!("{header}first,\"ops,{good}\nID,web,{bad}\nother,db\",{good}\n"),
        format!("{header}first,\"ops,{good}\nID,web,{bad}\nother,\"db,{good}\n"),
        // Rows inside the last column.
        "key_id,operations,comment\nfirst,Encrypt,\"payments\nID,ReEncrypt,billing\nother,Encrypt,db\"\n".to_owned(),
        // A first column of texts.
        "comment,key_id,operations\n\"payments,first,Encrypt\nx,ID,ReEncrypt\ndb\",other,Encrypt\n".to_owned(),
        // It is noticed, since the operations are not understood.
        "key_id,comment,operations\nfirst,x,\"Encrypt\nID,x,ReEncrypt\"\n".to_owned(),
    ] {
        for content in [content.clone(), content.replace('\n', "\r\n"), content.replace(',', "\t")] {
            let (class, code) = class_beside(&[("other.csv", content.clone())]);
            assert_eq!((class.as_str(), code), ("undetermined", 3), "{content}");
        }
    }
}

#[test]
fn words_that_only_resemble_an_operation_cost_nothing() {
    for text in [
        "Disks are encrypted with this key",
        "Hardware encryption key",
        "三重加密",
        "传输中转加密",
        "pre-encrypted uploads",
        "exported data of the key team",
    ] {
        for header in ["description", "remarks", "owner"] {
            let content = format!("key_id,{header}\nID,{text}\n");
            assert_eq!(class_beside(&[("other.csv", content.clone())]), ("migratable".to_owned(), 0), "{content}");
        }
        let footer = format!("GOODNote: {text}\n");
        assert_eq!(class_beside(&[("other.csv", footer)]), ("migratable".to_owned(), 0), "{text}");
    }
    for content in [
        r#"[{"key_id":"ID","calls":{"Encrypt":5,"ReEncrypt":0}}]"#,
        r#"[{"key_id":"ID","git":{"origin":"https://example.com"},"backup":{"language":"en"}}]"#,
    ] {
        assert_eq!(class_beside(&[("other.json", content.to_owned())]), ("migratable".to_owned(), 0), "{content}");
    }
}

#[test]
fn more_of_what_is_said_beside_the_fields_is_heard() {
    const GOOD: &str = r#"{"key_id":"ID","aliases":["alias/a1"],"instance":"default","origin":"Aliyun_KMS","rotation":"Disabled","versions":1,"usage":"self-managed","operations":["Encrypt"],"languages":["Java"],"network":"vpc"}"#;
    for beside in [
        r#""uses_reencrypt":true"#,
        r#""uses_reencrypt":["alias/a1"]"#,
        r#""remark":"all keys are used with ReEncrypt""#,
        r#""note":"alias/a1 is used by PHP""#,
        r#""exceptions":["alias/a1"]"#,
    ] {
        for content in [format!("{{{beside},\"keys\":[{GOOD}]}}"), format!("{{\"keys\":[{GOOD}],{beside}}}")] {
            let (class, code) = class_beside(&[("other.json", content.clone())]);
            assert_eq!((class.as_str(), code), ("undetermined", 3), "{content}");
        }
    }
    for content in [
        "key_id,applications\nID,batch job (calls ReEncrypt nightly)\n",
        "key_id,details\nID,\"{\"\"languages\"\":[\"\"PHP\"\"],\"\"origin\"\":\"\"EXTERNAL\"\"}\"\n",
        "key_id,language,Language2\nID,Java,PHP\n",
        "key_id,instance,instance.1\nID,default,kst-hzz65f3a1b2c3d4e5f6\n",
        "key_id,remark\nID,re‑encrypt\n",
        // What the one record says of its last rotation is compared with the other's creation.
        "key_id,key_spec,created,last_rotation\nID,Aliyun_AES_256,2021-05-20,2021-05-20\nID,,2019-01-01,\n",
    ] {
        let (class, _) = class_beside(&[("other.csv", content.to_owned())]);
        assert!(class == "undetermined" || class == "blocked", "{content}: {class}");
    }
}

#[test]
fn a_mark_that_opens_a_quote_swallows_no_row() {
    let header = "key_id,alias,origin,rotation,versions,usage,operations,languages,network,instance,owner\n";
    let row = |key: &str, origin: &str, owner: &str| {
        format!("{key},alias/{key},{origin},Disabled,1,self-managed,Encrypt,Java,vpc,default,{owner}\n")
    };
    let marks = [row("k1", "Aliyun_KMS", "team"), row("k2", "Aliyun_KMS", "\""), row("ID", "EXTERNAL", "\"")].concat();
    for content in [
        format!("{header}{marks}"),
        format!("{header}{marks}").replace('\n', "\r\n"),
        "name,key_id,origin\n\"Orders, main,ID,EXTERNAL\nPayments\",k2,Aliyun_KMS\n".to_owned(),
        "alias,key_id\n\"alias/acs/oss,ID\nalias/acs/rds\",k2\n".to_owned(),
    ] {
        let (class, code) = class_beside(&[("other.csv", content.clone())]);
        assert_eq!((class.as_str(), code), ("undetermined", 3), "{content}");
    }
}

#[test]
fn many_dates_of_one_key_are_compared_in_time() {
    let mut content = "key_id,created,last_rotation\n".to_owned();
    for day in 0..20_000 {
        let date =
            format!("20{:02}-{:02}-{:02}T00:00:{:02}Z", 10 + day / 3000, 1 + day / 250 % 12, 1 + day % 28, day % 60);
        content += &format!("ID,{date},\nID,,{date}\n");
    }
    assert_eq!(class_beside(&[("other.csv", content)]).0, "undetermined");
}

#[test]
fn a_date_that_is_none_hides_no_other() {
    for none in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        for content in [
            format!("key_id,created,last_rotation\nID,{none},\nID,2021-05-20,\nID,,2024-05-20\n"),
            format!("key_id,created,last_rotation\nID,2021-05-20,{none}\nID,,2024-05-20\n"),
        ] {
            assert_eq!(class_beside(&[("other.csv", content.clone())]).0, "undetermined", "{content}");
        }
        let alone = format!("key_id,created,last_rotation\nID,{none},{none}\n");
        assert_eq!(class_beside(&[("other.csv", alone)]), ("migratable".to_owned(), 0));
    }
}

/// Which other objects there are must not matter for one.
#[test]
fn numbered_members_mean_the_same_whatever_stands_before_them() {
    let numbered = r#"{"key_id":"ID","Language2":"PHP"}"#;
    let alone = class_beside(&[("other.json", format!("[{numbered}]"))]).0;
    let behind = class_beside(&[("other.json", format!("[{{\"key_id\":\"k\",\"language\":\"Go\"}},{numbered}]"))]).0;
    assert_eq!(alone, behind);
}
