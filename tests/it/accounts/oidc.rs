//! Logging in through an OpenID Connect provider, against one that serves its description, its keys and tokens.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{asking_with, clinics, logged_out};
use crate::harness::{Browser, Database, PASSWORD, Receiver, Reply, Service, account, people, vitals};

/// What the provider knows.
struct Identities {
    key: CoreEdDsaPrivateSigningKey,
    /// By code: the claims of the person, the nonce and the challenge of the login that has begun.
    logins: BTreeMap<String, Login>,
}

struct Login {
    claims: Value,
    nonce: String,
    challenge: String,
}

struct Provider {
    receiver: Receiver,
    known: Arc<Mutex<Identities>>,
}

fn new_key(id: &str) -> CoreEdDsaPrivateSigningKey {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let id = Some(JsonWebKeyId::new(id.to_owned()));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pair.serialize_pem(), id).expect("a key")
}

fn token(key: &CoreEdDsaPrivateSigningKey, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let id = key.as_verification_key();
    let id = serde_json::to_value(&id).expect("JSON")["kid"].clone();
    let signed = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": id })), part(claims));
    let signature = key.sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes()).expect("signed");
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// The library takes nothing else for JSON.
fn answered(value: &Value) -> Reply {
    Reply::With(200, "content-type", "application/json".to_owned(), value.to_string())
}

impl Provider {
    async fn start() -> Self {
        let known = Arc::new(Mutex::new(Identities { key: new_key("first"), logins: BTreeMap::new() }));
        let shared = Arc::clone(&known);
        let receiver = Receiver::start(move |request| {
            let known = shared.lock().expect("whole");
            let issuer = format!("http://{}", request.header("host"));
            match request.path.as_str() {
                "/.well-known/openid-configuration" => answered(&json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "jwks_uri": format!("{issuer}/keys"),
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["EdDSA"],
                })),
                "/keys" => {
                    let keys = CoreJsonWebKeySet::new(vec![known.key.as_verification_key()]);
                    answered(&serde_json::to_value(keys).expect("JSON"))
                }
                "/token" => known.answer(&request.text, &issuer),
                other => panic!("nobody asks for {other}"),
            }
        })
        .await;
        Self { receiver, known }
    }

    /// The person logs in at the provider, whose page the browser was sent to. Returns where the provider sends the browser.
    fn log_in(&self, page: &str, claims: Value) -> String {
        let page = reqwest::Url::parse(page).expect("a URL");
        let query: HashMap<String, String> = page.query_pairs().into_owned().collect();
        assert!(page.as_str().starts_with(&self.receiver.url()), "{page}");
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"), "{query:?}");
        let mut known = self.known.lock().expect("whole");
        let code = format!("code-{}", known.logins.len());
        let login =
            Login { claims, nonce: query["nonce"].clone(), challenge: query["code_challenge"].clone() };
        known.logins.insert(code.clone(), login);
        let back = reqwest::Url::parse(&query["redirect_uri"]).expect("a URL");
        assert_eq!(back.path(), "/login/oidc/callback");
        format!("{}?code={code}&state={}", back.path(), query["state"])
    }
}

impl Identities {
    fn answer(&self, form: &str, issuer: &str) -> Reply {
        let form = reqwest::Url::parse(&format!("http://form?{form}")).expect("a form");
        let form: HashMap<String, String> = form.query_pairs().into_owned().collect();
        let Some(login) = self.logins.get(&form["code"]) else { return Reply::Status(400) };
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        if challenge != login.challenge {
            return Reply::Status(400);
        }
        let now = jiff::Timestamp::now().as_second();
        let mut claims =
            json!({ "iss": issuer, "aud": "vitals", "iat": now, "exp": now + 300, "nonce": login.nonce });
        claims.as_object_mut().expect("claims").extend(login.claims.as_object().expect("claims").clone());
        answered(
            &json!({ "access_token": "x", "token_type": "Bearer", "id_token": token(&self.key, &claims) }),
        )
    }
}

async fn service(database: &Database, provider: &Provider) -> Service {
    asking_with(database, |settings| {
        settings.oidc.issuer = provider.receiver.url();
        settings.oidc.client_id = "vitals".to_owned();
        settings.oidc.client_secret = "secret".to_owned();
        settings.oidc.grants = "ops=admin, ward-3=responder:5:50, board=viewer:5".to_owned();
        settings.public_base_url = "http://vitals.example.org".to_owned();
    })
    .await
}

/// Logs a browser in through the provider.
async fn log_in(browser: &Browser, provider: &Provider, claims: Value) -> String {
    let started = browser.open("/login/oidc?next=/alerts").await;
    assert_eq!(started.status, 303, "{started:?}");
    let back = provider.log_in(&started.location, claims);
    browser.open(&back).await.location
}

async fn accounts(database: &Database) -> Vec<Value> {
    let listed = vitals(database, &["people", "list", "--json"]).await;
    listed.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn the_groups_of_a_provider_become_roles_and_are_taken_away_with_them() {
    let database = clinics().await;
    let provider = Provider::start().await;
    let service = service(&database, &provider).await;
    let li = |groups: Value| json!({ "sub": "4711", "preferred_username": "Li.Ming", "name": "Li Ming", "groups": groups });
    let browser = Browser::new(&service);
    let location = log_in(&browser, &provider, li(json!(["ward-3", "other"]))).await;
    assert_eq!(location, "/alerts");
    assert_eq!(browser.get("/api/alerts").await.status, 200);
    assert_eq!(browser.get("/api/alerts/rules").await.status, 403);
    let made = accounts(&database).await;
    assert_eq!((made.len(), &made[0]["login"], &made[0]["name"]), (1, &json!("li.ming"), &json!("Li Ming")));
    assert_eq!(
        (&made[0]["grants"][0]["role"], &made[0]["grants"][0]["org_id"]),
        (&json!("responder"), &json!("50"))
    );

    let granted = people(&database, &["grant", "li.ming", "--role", "viewer", "--tenant", "6"], "").await;
    assert_eq!(granted.code, 0, "{granted:?}");
    service.finish().await;
    provider.known.lock().expect("whole").key = new_key("second");

    let service = self::service(&database, &provider).await;
    let elsewhere = Browser::new(&service);
    assert_eq!(log_in(&elsewhere, &provider, li(json!("ops"))).await, "/alerts");
    let grants = accounts(&database).await[0]["grants"].clone();
    let roles: Vec<&str> =
        grants.as_array().expect("grants").iter().filter_map(|grant| grant["role"].as_str()).collect();
    assert_eq!(roles, ["viewer", "admin"], "that of `vitals people` stays");
    let before = browser.moved_to(&service);
    logged_out(&before).await;
    assert_eq!(people(&database, &["revoke", "li.ming", "--all"], "").await.code, 0);
    assert_eq!(
        log_in(&elsewhere, &provider, li(json!([]))).await,
        "/login?next=/alerts&failed=nothing_granted"
    );
    assert_eq!(people(&database, &["disable", "li.ming"], "").await.code, 0);
    assert_eq!(log_in(&elsewhere, &provider, li(json!("ops"))).await, "/login?next=/alerts&failed=wrong");
    service.finish().await;
}

#[tokio::test]
async fn nobody_gets_in_with_the_login_the_name_or_the_token_of_somebody_else() {
    let database = clinics().await;
    account(&database, &["wu", "--name", "Dr. Wu", "--role", "admin"]).await;
    let provider = Provider::start().await;
    let service = service(&database, &provider).await;
    let browser = Browser::new(&service);
    let claims = |change: Value| {
        let mut claims =
            json!({ "sub": "1", "preferred_username": "wu", "name": "Dr. Wu", "groups": ["board"] });
        claims.as_object_mut().expect("claims").extend(change.as_object().expect("claims").clone());
        claims
    };
    assert_eq!(log_in(&browser, &provider, claims(json!({}))).await, "/alerts");
    let made = accounts(&database).await;
    let other = made.iter().find(|account| account["oidc_issuer"].is_string()).expect("a second account");
    assert!(other["login"].as_str().expect("text").starts_with("1@"), "{other}");
    assert!(other["name"].as_str().expect("text").starts_with("Dr. Wu (1@"), "{other}");
    assert_eq!(other["grants"][0]["role"], "viewer");
    assert_eq!(browser.log_in("wu", PASSWORD).await.location, "/wall", "the first one is as before");

    let wrong = "/login?next=/alerts&failed=wrong";
    for change in [
        json!({ "aud": "another service" }),
        json!({ "iss": "https://id.example.org" }),
        json!({ "nonce": "of another login" }),
        json!({ "exp": 1_000_000_000 }),
    ] {
        assert_eq!(log_in(&browser, &provider, claims(change.clone())).await, wrong, "{change}");
    }
    assert_eq!(
        log_in(&browser, &provider, json!({ "sub": "2", "groups": ["strangers"] })).await,
        "/login?next=/alerts&failed=nothing_granted"
    );
    assert_eq!(accounts(&database).await.len(), 2, "nobody else has an account");

    // The browser that begins a login is the one that ends it.
    let started = browser.open("/login/oidc").await.location;
    let back = provider.log_in(&started, claims(json!({})));
    let other = Browser::new(&service);
    assert_eq!(other.open(&back).await.location, "/login?failed=wrong");
    let forged = back.replace("state=", "state=x");
    assert_eq!(browser.open(&forged).await.location, "/login?failed=wrong");
    assert_eq!(browser.open(&back).await.location, "/login?failed=wrong", "it was begun once");
    service.finish().await;
}
