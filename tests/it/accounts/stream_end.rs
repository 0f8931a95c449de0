//! An open event stream ends with the session or the link that opened it, within seconds, however that ends.

use std::time::Duration;

use vitals::config::Settings;

use super::{SESSION, asking_with, clinics};
use crate::harness::{Browser, Database, EventStream, Proxy, Service, account, people, vitals};

fn checking(settings: &mut Settings) {
    settings.stream.check_interval_ms = 100;
}

/// An open stream of a browser.
async fn stream(service: &Service, browser: &Browser) -> EventStream {
    let cookie = format!("{SESSION}={}", browser.cookie(SESSION));
    let mut stream = EventStream::open_with(&service.url(), "/api/stream", &[("cookie", &cookie)]).await;
    assert_eq!(stream.next().await.expect("an event").name, "hello");
    stream
}

/// What ends a session.
#[derive(Debug, Clone, Copy)]
enum End {
    LoggedOutElsewhere,
    Absolute,
    Idle,
    Disabled,
    GrantRevoked,
    OtherGrant,
    OtherPassword,
    LoggedInAnew,
}

impl End {
    const ALL: [Self; 8] = [
        Self::LoggedOutElsewhere,
        Self::Absolute,
        Self::Idle,
        Self::Disabled,
        Self::GrantRevoked,
        Self::OtherGrant,
        Self::OtherPassword,
        Self::LoggedInAnew,
    ];

    async fn happens(self, database: &Database, other: &Service, browser: &Browser, login: &str) {
        let command = async |arguments: &[&str]| {
            let output = people(database, arguments, "another horse, another battery").await;
            assert_eq!(output.code, 0, "{output:?}");
        };
        // The session as if it had begun a while ago; instances read it anew.
        let set = async |change: &str| {
            let sql = format!(
                "update vitals.account_session as s set {change} from account as a
                 where a.account_id = s.account_id and a.login = '{login}';
                 notify vitals_account"
            );
            database.client().await.batch_execute(&sql).await.expect("changed");
        };
        match self {
            Self::LoggedOutElsewhere => {
                let answer = browser.moved_to(other).submit("/logout", &[]).await;
                assert_eq!(answer.location, "/login", "{answer:?}");
            }
            Self::Absolute => {
                set("created_at = now() - interval '1 hour', ends_at = now() + interval '1 second'").await;
            }
            // Three seconds before it is idle: looking at the open stream is no use of it.
            Self::Idle => set("seen_at = now() - interval '59 minutes 57 seconds'").await,
            Self::Disabled => command(&["disable", login]).await,
            Self::GrantRevoked => command(&["revoke", login, &grants(database, login).await[0]]).await,
            Self::OtherGrant => {
                let fields = [("grant_id", grants(database, login).await[1].clone())];
                let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
                assert_eq!(browser.submit("/session/grant", &fields).await.status, 303);
            }
            Self::OtherPassword => command(&["password", login]).await,
            Self::LoggedInAnew => {
                assert_eq!(browser.log_in(login, crate::harness::PASSWORD).await.location, "/wall");
            }
        }
    }
}

/// Numbers of the grants of an account, the first one in use.
async fn grants(database: &Database, login: &str) -> Vec<String> {
    let sql = "select g.grant_id from account_grant as g join account as a using (account_id) where a.login = $1 order by 1";
    let rows = database.client().await.query(sql, &[&login]).await.expect("grants");
    rows.iter().map(|row| row.get::<_, i64>(0).to_string()).collect()
}

#[tokio::test]
async fn a_stream_ends_with_its_session_however_that_ends() {
    let database = clinics().await;
    let (service, other) = (asking_with(&database, checking).await, asking_with(&database, |_| ()).await);
    let mut streams = Vec::new();
    for (number, end) in End::ALL.into_iter().enumerate() {
        let login = format!("p{number}");
        account(&database, &[&login, "--role", "responder", "--tenant", "5"]).await;
        let granted = people(&database, &["grant", &login, "--role", "viewer", "--tenant", "6"], "").await;
        assert_eq!(granted.code, 0, "{granted:?}");
        let browser = Browser::logged_in(&service, &login).await;
        streams.push((end, login, stream(&service, &browser).await, browser));
    }
    account(&database, &["stays", "--role", "viewer", "--tenant", "5"]).await;
    let staying = Browser::logged_in(&service, "stays").await;
    let mut lasting = stream(&service, &staying).await;
    for (end, login, stream, browser) in streams {
        end.happens(&database, &other, &browser, &login).await;
        let ended = tokio::time::timeout(Duration::from_secs(15), stream.end()).await;
        assert!(ended.is_ok(), "{end:?}");
    }
    super::add_alert(&database.client().await, 1, "OWN", 0, &serde_json::json!({ "customer_id": 5 })).await;
    assert_eq!(lasting.next().await.expect("the stream goes on").name, "alert");
    drop(lasting);
    service.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn a_stream_ends_at_the_end_of_its_session_though_the_database_is_away() {
    let database = clinics().await;
    account(&database, &["li", "--role", "viewer"]).await;
    let (cable, through) = Proxy::before(&database.url()).await;
    let service = asking_with(&database, |settings| {
        checking(settings);
        settings.database_url = through;
    })
    .await;
    let browser = Browser::logged_in(&service, "li").await;
    // Longer than an instance believes what it has read of a session.
    let ends = "update vitals.account_session set created_at = now() - interval '1 hour', ends_at = now() + interval '13 seconds'";
    database.client().await.batch_execute(ends).await.expect("changed");
    let stream = stream(&service, &browser).await;
    cable.cut();
    stream.end().await;
    cable.restore();
    service.finish().await;
}

#[tokio::test]
async fn a_stream_of_a_screen_ends_with_its_link() {
    let database = clinics().await;
    let service = asking_with(&database, checking).await;
    let path = super::kiosk::link(&database, &["hall", "--tenant", "5", "--private"]).await;
    let screen = Browser::new(&service);
    assert_eq!(screen.open(&path).await.location, "/wall");
    let cookie = format!("{0}={1}", super::kiosk::KIOSK, screen.cookie(super::kiosk::KIOSK));
    for chosen in ["?user_id=500", "?device_sn=SN-50"] {
        let refused = screen.get(&format!("/api/stream{chosen}")).await;
        assert_eq!(refused.status, 400, "whose the initials are: {refused:?}");
    }
    let mut stream =
        EventStream::open_with(&service.url(), "/api/stream", &[("cookie", cookie.as_str())]).await;
    assert_eq!(stream.next().await.expect("an event").name, "hello");
    let revoked = vitals(&database, &["kiosk", "revoke", "hall"]).await;
    assert_eq!(revoked.code, 0, "{revoked:?}");
    stream.end().await;
    service.finish().await;
}
