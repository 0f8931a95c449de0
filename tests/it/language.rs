//! What people read, in their language: notifications by that of the contact, the HTTP API by `Accept-Language`, the command line by
//! `--language` or the terminal; and the files that hold the texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{CommandOutput, Database, Receiver, Reply, Service, command, eventually};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The sources, without comments and without what tests are made of.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(root()).expect("below src").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && !name.contains("/tests/") {
                let text = std::fs::read_to_string(&path).expect("text");
                let lines = text.lines().take_while(|line| *line != "#[cfg(test)]");
                let code = lines.filter(|line| !line.trim_start().starts_with("//"));
                found.push((name, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    found
}

#[derive(Default)]
struct Message {
    arguments: BTreeSet<String>,
    references: BTreeSet<String>,
}

/// The messages of a file by their keys.
fn messages(tag: &str) -> BTreeMap<String, Message> {
    let path = root().join(format!("language/{tag}.ftl"));
    let text = std::fs::read_to_string(path).expect("a file of texts");
    let mut messages: BTreeMap<String, Message> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) =
            line.split_once(" = ").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            current = key.to_owned();
            assert!(messages.insert(current.clone(), Message::default()).is_none(), "{tag}: {key} twice");
        }
        let Some(message) = messages.get_mut(&current) else { continue };
        for part in line.split('{').skip(1) {
            let inside = part.split(['}', '-']).next().unwrap_or_default().trim();
            if let Some(argument) = inside.strip_prefix('$') {
                message.arguments.insert(argument.to_owned());
            } else {
                let name = part.split('}').next().unwrap_or_default().trim();
                if name.starts_with(|c: char| c.is_ascii_lowercase()) {
                    message.references.insert(name.to_owned());
                }
            }
        }
    }
    messages
}

/// What a message takes, with what the messages in it take.
fn arguments(messages: &BTreeMap<String, Message>, key: &str) -> BTreeSet<String> {
    let message = messages.get(key).unwrap_or_else(|| panic!("there is no message {key}"));
    let inner = message.references.iter().flat_map(|reference| arguments(messages, reference));
    message.arguments.iter().cloned().chain(inner).collect()
}

/// Keys and arguments of every `text!` of the sources.
fn uses() -> Vec<(String, String, BTreeSet<String>)> {
    let mut uses = Vec::new();
    for (file, code) in sources() {
        for (at, _) in code.match_indices("text!(") {
            let mut depth = 1;
            let call: String = code[at + "text!(".len()..]
                .chars()
                .take_while(|sign| {
                    depth += i32::from(*sign == '(') - i32::from(*sign == ')');
                    depth > 0
                })
                .collect();
            let Some(key) = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            let mut depth = 0;
            let mut named = BTreeSet::new();
            let mut word = String::new();
            for sign in call.chars() {
                match sign {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth -= 1,
                    '=' if depth == 0 => drop(named.insert(word.trim().to_owned())),
                    _ => {}
                }
                match sign {
                    ',' | '(' => word.clear(),
                    sign => word.push(sign),
                }
            }
            named.retain(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !name.is_empty());
            uses.push((file.clone(), key.to_owned(), named));
        }
    }
    uses
}

/// Codes and arguments of every `vitals.refusal(…)` of the SQL functions.
fn refusals() -> Vec<(String, String, BTreeSet<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/functions/alerts");
    let mut refusals = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let sql = std::fs::read_to_string(&path).expect("text");
        for (at, call) in sql.match_indices("vitals.refusal('") {
            let call = &sql[at + call.len()..];
            let (code, rest) = call.split_once('\'').expect("a code");
            let own = rest.split("vitals.refusal('").next().unwrap_or_default();
            let named = own.split_once("jsonb_build_object(").map(|(_, list)| names_of_pairs(list));
            refusals.push((path.display().to_string(), code.to_owned(), named.unwrap_or_default()));
        }
    }
    refusals
}

/// The names of `'name', value, 'name', value)`.
fn names_of_pairs(list: &str) -> BTreeSet<String> {
    let mut depth = 1;
    let mut arguments = vec![String::new()];
    for sign in list.chars() {
        depth += i32::from(sign == '(') - i32::from(sign == ')');
        match sign {
            _ if depth == 0 => break,
            ',' if depth == 1 => arguments.push(String::new()),
            sign => arguments.last_mut().expect("one at least").push(sign),
        }
    }
    arguments.iter().step_by(2).map(|name| name.trim().trim_matches('\'').to_owned()).collect()
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_arguments() {
    let (en, zh) = (messages("en"), messages("zh"));
    assert!(en.len() > 100, "{}", en.len());
    assert_eq!(en.keys().collect::<Vec<_>>(), zh.keys().collect::<Vec<_>>());
    for key in en.keys() {
        assert_eq!(arguments(&en, key), arguments(&zh, key), "{key}");
    }
}

#[test]
fn every_message_is_used_with_what_it_takes() {
    let en = messages("en");
    let mut used: BTreeSet<String> = en.values().flat_map(|message| message.references.clone()).collect();
    let refusals = refusals();
    assert!(refusals.len() > 50, "{}", refusals.len());
    for (file, key, named) in uses().into_iter().chain(refusals) {
        let taken = arguments(&en, &key);
        assert!(taken.is_subset(&named), "{file}: {key} takes {taken:?}, and is given {named:?}");
        assert!(named.is_subset(&taken), "{file}: {key} takes only {taken:?}, and is given {named:?}");
        used.insert(key);
    }
    let unused: Vec<&String> = en.keys().filter(|key| !used.contains(*key)).collect();
    assert!(unused.is_empty(), "nothing says {unused:?}");
}

/// Rooms that say something to people, where every sentence is one of the files. Words for logs, providers and programs are no text.
const ROOMS: [&str; 5] = ["notify/text.rs", "command/alerts/", "http/error", "http/api/", "store/alert"];

/// What says something to people; the rest of a name may follow.
const CALLS: [&str; 10] = [
    "print_text",
    "text!",
    "println!",
    "bail!",
    "anyhow!",
    "context",
    "warn",
    "confirm",
    "ApiError::",
    "Outcome::",
];

/// So much of a call is looked at, counted from its bracket: more than the longest has.
const MOST_OF_A_CALL: usize = 4_000;

/// The sentences among the arguments of [`CALLS`], on whichever line they stand, each with the number of its line.
fn sentences(code: &str) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    for (at, call) in CALLS.iter().flat_map(|call| code.match_indices(call)) {
        let rest = code[at + call.len()..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        if !rest.starts_with('(') {
            continue;
        }
        let open = code.len() - rest.len();
        for (place, literal) in literals_of_call(rest) {
            let words =
                literal.split(' ').filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
            if words.count() > 2 {
                found.insert((1 + code[..open + place].matches('\n').count(), literal.to_owned()));
            }
        }
    }
    found
}

/// The text literals up to the bracket that ends a call, with their places.
fn literals_of_call(call: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut depth = 0;
    let mut signs = call.char_indices().take_while(|(at, _)| *at < MOST_OF_A_CALL).peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            '"' => {
                // A raw text has no escapes, and ends with as many # as it begins with.
                let before = call[..at].trim_end_matches('#');
                let is_raw = before.ends_with('r');
                let end = format!("\"{}", if is_raw { &call[before.len()..at] } else { "" });
                while let Some((to, sign)) = signs.next() {
                    if sign == '\\' && !is_raw {
                        signs.next();
                    } else if call[to..].starts_with(&end) {
                        found.push((at, &call[at + 1..to]));
                        break;
                    }
                }
            }
            // A character, not a lifetime: its bracket or quotation mark counts for nothing.
            '\'' if call[at + 1..].starts_with('\\') => {
                signs.nth(1);
            }
            '\'' if call[at + 1..].chars().nth(1) == Some('\'') => {
                signs.nth(1);
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_sentence_is_found_on_whichever_line_of_a_call_it_stands() {
    let planted = r###"
fn switch() {
    bail!(
        locale.text(&text!("rule-absent", id = id.to_string())),
        "this rule is not there",
    );
    Err(ApiError::Bad(Text::Verbatim(format!(
        "{id} {id} {id} has no \"name\" yet",
        id = ')',
    ))));
    found.with_context(|| {
        let log = 1;
        r#"the "file" cannot be read"#.to_owned()
    });
    tracing::info!("a sentence for the log only");
    print_text(locale, &text!("rules-none"))?;
    let key = "a sentence behind the call";
    fn warn<'a>(text: &'a str) {}
}
"###;
    let lines: Vec<usize> = sentences(planted).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [5, 8, 13], "{:?}", sentences(planted));
    let endless = format!("bail!({}\"beyond what is looked at\"", " ".repeat(MOST_OF_A_CALL));
    assert!(sentences(&endless).is_empty());
}

#[test]
fn no_sentence_stands_in_the_code_of_what_people_read() {
    for (file, code) in sources() {
        // What devices send and are answered is their contract.
        let is_api = file.starts_with("http/api/") || file.starts_with("http/error");
        let is_contract = file.starts_with("wire/") || file.starts_with("http/") && !is_api;
        let chinese = code.chars().find(|sign| ('\u{4E00}'..='\u{9FFF}').contains(sign));
        assert!(chinese.is_none() || is_contract, "{file}: {chinese:?}");
        if !ROOMS.iter().any(|room| file.starts_with(room)) {
            continue;
        }
        let sentences = sentences(&code);
        assert!(sentences.is_empty(), "{file}: {sentences:?}");
    }
}

/// A service that evaluates what is uploaded, and tells two people by three ways.
async fn bilingual_service(language: &str) -> (Database, Receiver, Service) {
    let database = Database::new().await;
    let client = database.client().await;
    let receiver = Receiver::start(|seen| match seen.path.as_str() {
        "/cgi-bin/gettoken" => Reply::Json(json!({ "errcode": 0, "access_token": "T", "expires_in": 7200 })),
        _ => Reply::Json(json!({ "errcode": 0, "errmsg": "ok" })),
    })
    .await;
    for (name, language) in [("en", "'en'"), ("zh", "'zh'"), ("none", "null")] {
        client
            .batch_execute(&format!(
                "with c as (insert into contact (name, language) values ('{name}', {language}) returning contact_id),
                      a as (insert into contact_address (contact_id, channel, address)
                            select contact_id, channel, address from c, (values
                                ('webhook', '{}/{name}'), ('wecom', '{name}'), ('wecom_robot', '{name}')
                            ) as a (channel, address))
                 insert into notification_route (channel, audience, contact_id, min_severity, on_resolved)
                 select channel, 'contact', contact_id, 'info', true
                 from c, unnest(array['webhook', 'wecom', 'wecom_robot']) as channel",
                receiver.url()
            ))
            .await
            .expect("a contact");
    }
    let language = language.parse().expect("a language");
    let url = receiver.url();
    let service = Service::start_with(&database, move |settings| {
        settings.language = language;
        settings.poll_interval_ms = 50;
        let notify = &mut settings.notify;
        notify.merge_seconds = 0;
        notify.webhook_allow_private = true;
        (notify.wecom_base_url, notify.wecom_corp_id) = (url, "ww".into());
        (notify.wecom_secret, notify.wecom_agent_id) = ("s".into(), 1);
    })
    .await;
    (database, receiver, service)
}

async fn fall(service: &Service) {
    let event = json!({ "eventType": "FALLDOWN_EVENT", "eventValue": "1", "deviceSn": "FALL-1" });
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
}

#[tokio::test]
async fn each_contact_hears_of_an_alert_in_their_language() {
    let (_database, receiver, service) = bilingual_service("zh").await;
    fall(&service).await;
    let webhook = async |name: &str| {
        let seen = receiver.received(&format!("/{name}"), 1).await.remove(0).body;
        let alert = &seen["data"]["alerts"][0];
        let text = |name: &str| alert[name].as_str().expect("text").to_owned();
        (seen["language"].clone(), text("rule"), text("message"))
    };
    let (language, rule, message) = webhook("en").await;
    assert_eq!((language, rule.as_str()), (json!("en"), "Fall"));
    assert!(message.starts_with("FALL-1: fall detected at 20"), "{message}");
    for name in ["zh", "none"] {
        let (language, rule, message) = webhook(name).await;
        assert_eq!((language, rule.as_str()), (json!("zh"), "跌倒"), "{name}");
        assert!(message.starts_with("FALL-1:检测到跌倒,20"), "{message}");
    }
    let applications = receiver.received("/cgi-bin/message/send", 3).await;
    let robots = receiver.received("/cgi-bin/webhook/send", 3).await;
    for (name, tag) in [("en", "[critical] FALL-1: fall detected"), ("zh", "【危急】FALL-1:检测到跌倒")]
    {
        let application = applications.iter().find(|seen| seen.body["touser"] == name).expect("one each");
        let text = application.body["text"]["content"].as_str().expect("text");
        assert!(text.starts_with(tag), "{text}");
        let of_name =
            |seen: &&crate::harness::ReceivedRequest| seen.query.get("key").is_some_and(|key| key == name);
        let robot = robots.iter().find(of_name).expect("one each");
        let text = robot.body["markdown"]["content"].as_str().expect("text");
        assert!(text.starts_with(tag), "{text}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_rule_whose_own_text_changes_loses_its_translation_and_may_have_another() {
    let (database, receiver, service) = bilingual_service("en").await;
    let client = database.client().await;
    let run = async |sql: &str| client.batch_execute(sql).await.expect("done");
    run("update alert_rule set message = 'own: {device_sn}' where name = 'Fall'").await;
    fall(&service).await;
    let seen = receiver.received("/zh", 1).await.remove(0).body;
    assert_eq!(seen["data"]["alerts"][0]["message"], "own: FALL-1");
    run("insert into alert_rule_text (rule_id, language, name, message)
         select rule_id, 'zh', '跌倒', '自定义:{device_sn} {rule}' from alert_rule where name = 'Fall'")
    .await;
    let event = json!({ "eventType": "FALLDOWN_EVENT", "eventValue": "1", "deviceSn": "FALL-2" });
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    let translated = eventually("a translated message", async || {
        let seen = receiver.received("/zh", 2).await;
        let messages = seen.iter().map(|seen| seen.body["data"]["alerts"][0]["message"].clone());
        messages.into_iter().find(|message| message == "自定义:FALL-2 跌倒")
    });
    translated.await;
    service.finish().await;
}

#[tokio::test]
async fn the_rules_that_came_with_the_program_are_all_translated() {
    let database = Database::new().await;
    let sql = "select r.name from alert_rule r left join alert_rule_text t on t.rule_id = r.rule_id where t.rule_id is null";
    let rows = database.client().await.query(sql, &[]).await.expect("rules");
    let untranslated: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(untranslated.is_empty(), "{untranslated:?}");
}

#[tokio::test]
async fn the_api_answers_in_the_language_that_is_asked_for() {
    let (_database, _receiver, service) = bilingual_service("en").await;
    let asked = async |path: &str, accepted: Option<&str>| {
        let mut request = reqwest::Client::new().get(format!("{}{path}", service.url()));
        if let Some(accepted) = accepted {
            request = request.header("accept-language", accepted);
        }
        let answer = request.send().await.expect("an answer");
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().expect("text").to_owned())
                .unwrap_or_default()
        };
        let (language, vary) = (header("content-language"), header("vary"));
        (language, vary, answer.json::<Value>().await.expect("JSON"))
    };
    let absent = |message: &str| json!({ "status": "error", "message": message });
    let (language, vary, body) = asked("/api/alerts/404", Some("zh-CN,zh;q=0.9,en;q=0.8")).await;
    assert_eq!((language.as_str(), vary.as_str()), ("zh", "Accept-Language"));
    assert_eq!(body, absent("告警 404 不存在"));
    for accepted in [None, Some("fr"), Some("zh;q=0.3, en;q=0.7"), Some("zh;q=0")] {
        let (language, _, body) = asked("/api/alerts/404", accepted).await;
        assert_eq!((language.as_str(), body), ("en", absent("there is no alert 404")), "{accepted:?}");
    }
    let rule = json!({ "name": "R", "kind": "threshold", "severity": "minor", "metric": "stress", "min_value": 9, "max_value": 8 });
    let request = reqwest::Client::new().post(format!("{}/api/alerts/rules", service.url()));
    let answer = request.header("accept-language", "zh").json(&rule).send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
    let refused = answer.json::<Value>().await.expect("JSON");
    assert_eq!(refused, absent("规则“R”:min_value 9 不小于 max_value 8"), "what the database refuses");
    let (_, _, body) = asked("/api/nothing", Some("zh")).await;
    assert_eq!(body, absent("路径不存在"));
    let (language, vary, body) = asked("/nothing", Some("zh")).await;
    assert_eq!((language.as_str(), vary.as_str(), body), ("", "", absent("no such path")), "devices");

    fall(&service).await;
    let alert = eventually("an alert", async || {
        let (_, _, body) = asked("/api/alerts", Some("zh")).await;
        body["alerts"].as_array().and_then(|alerts| alerts.first().cloned())
    })
    .await;
    assert_eq!(alert["rule_name"], "跌倒");
    assert!(alert["message"].as_str().expect("text").starts_with("FALL-1:检测到跌倒"), "{alert}");
    assert!(alert.get("translations").is_none(), "{alert}");
    let (_, _, body) = asked("/api/alerts", None).await;
    assert_eq!(body["alerts"][0]["rule_name"], "Fall");
    service.finish().await;
}

async fn alerts(database: &Database, locale: &str, arguments: &[&str]) -> CommandOutput {
    let mut vitals = command(database, arguments);
    let output = vitals.env("LC_ALL", locale).output().await.expect("it can be run");
    CommandOutput {
        code: output.status.code().expect("ended"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

#[tokio::test]
async fn the_command_line_speaks_the_language_of_the_terminal_or_of_its_option() {
    let (database, _receiver, service) = bilingual_service("en").await;
    let none = alerts(&database, "zh_CN.UTF-8", &["alerts", "list"]).await;
    assert_eq!(none.out, "没有符合条件的告警\n");
    assert_eq!(alerts(&database, "C", &["alerts", "list"]).await.out, "no alerts match\n");
    let option = ["--language", "zh", "alerts", "show", "404"];
    assert_eq!(alerts(&database, "en_US.UTF-8", &option).await.err, "vitals: 告警 404 不存在\n");
    fall(&service).await;
    let listed = eventually("an alert", async || {
        let listed = alerts(&database, "zh_CN.UTF-8", &["alerts", "list"]).await.out;
        listed.contains("FALL-1").then_some(listed)
    })
    .await;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("编号") && lines[0].contains("触发时间"), "{listed}");
    assert!(["秒前", "危急", "告警中", "跌倒"].iter().all(|word| lines[1].contains(word)), "{listed}");
    let taken = alerts(&database, "zh_CN.UTF-8", &["alerts", "acknowledge", "1"]).await;
    assert_eq!(taken.out, "告警 1 已确认\n", "{taken:?}");
    let option = ["alerts", "acknowledge", "1", "--actor", "Li"];
    let refused = alerts(&database, "zh_CN.UTF-8", &option).await;
    assert!(
        refused.err.starts_with("vitals: 告警 1 已由 ") && refused.err.ends_with(" 确认\n"),
        "{refused:?}"
    );
    let shown = alerts(&database, "zh_CN.UTF-8", &["alerts", "show", "1"]).await.out;
    for part in ["告警 1:FALL-1:检测到跌倒", "处理记录", "触发", "已确认", "通知记录", "已发送("]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_csv_in_utf16_is_refused_with_advice_and_read_when_told_so() {
    let database = Database::new().await;
    let name = format!("{}-users-utf16.csv", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let text = "\u{FEFF}user_id,name,org_id\r\n42,李伟,\r\n";
    std::fs::write(&path, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
        .expect("written");
    let import = ["directory", "import", "--users", path.to_str().expect("text")];
    let refused = alerts(&database, "C", &import).await;
    let advice = "the file is UTF-16: say --encoding utf-16le, or save it as CSV UTF-8";
    assert!(refused.code == 1 && refused.err.contains(advice), "{refused:?}");
    let taken = alerts(&database, "C", &[&import[..], &["--encoding", "utf-16le"]].concat()).await;
    assert!(taken.code == 0 && taken.out.contains("1 added"), "{taken:?}");
    let sql = "select name from app_user where user_id = 42";
    let name: String = database.client().await.query_one(sql, &[]).await.expect("a user").get(0);
    assert_eq!(name, "李伟");
    std::fs::remove_file(path).expect("removed");
}

#[tokio::test]
async fn a_csv_in_gb18030_is_refused_with_advice_and_read_when_told_so() {
    let database = Database::new().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str, text: &str| {
        let path = folder.join(format!("{}-{name}", std::process::id()));
        let (bytes, _, _) = encoding_rs::GB18030.encode(text);
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let users = file("users.csv", "user_id,name,org_id\n41,Li,\n42,李伟,\n");
    let import = ["directory", "import", "--users", &users];
    let refused = alerts(&database, "C", &import).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("line 3") && refused.err.contains("--encoding gb18030"), "{refused:?}");
    let taken = alerts(&database, "C", &[&import[..], &["--encoding", "gb18030"]].concat()).await;
    assert!(taken.code == 0 && taken.out.contains("2 added"), "{taken:?}");
    let client = database.client().await;
    let name = async || -> String {
        client.query_one("select name from app_user where user_id = 42", &[]).await.expect("a user").get(0)
    };
    assert_eq!(name().await, "李伟");

    let history = file("history.csv", "device_sn,ts,heart_rate,备注\nGB-1,2026-01-05 08:00:00,71,好\n");
    let backfill = ["backfill", &history];
    let refused = alerts(&database, "C", &backfill).await;
    assert!(refused.code == 1 && refused.err.contains("line 1 is not UTF-8"), "{refused:?}");
    let option = [&backfill[..], &["--encoding", "gb18030"]].concat();
    let taken = alerts(&database, "C", &option).await;
    assert!(taken.out.contains("1 stored") && taken.out.contains("备注"), "{taken:?}");
    let again = alerts(&database, "C", &option).await;
    assert!(again.out.contains("imported before"), "{again:?}");
    for file in [users, history] {
        std::fs::remove_file(file).expect("removed");
    }
}
