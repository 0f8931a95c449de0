//! The owner of a device cannot be looked up, so nobody knows in which cell it lives: its uploads are stored here or passed on, never lost.

use std::time::{Duration, Instant};

use serde_json::json;
use vitals::config::Authentication;

use super::{SUNSET, TwoCells, sample, samples, sql};
use crate::harness::{Service, authorization, eventually};

impl TwoCells {
    /// The south knows the keys of the north, as after a move.
    async fn share_keys(&self) {
        let (north, south) = (self.north.client().await, self.south.client().await);
        for row in north.query("select to_jsonb(k)::text from api_key as k", &[]).await.expect("keys") {
            let copy =
                "insert into api_key select * from jsonb_populate_record(null::api_key, $1::text::jsonb)";
            south.execute(copy, &[&row.get::<_, String>(0)]).await.expect("copied");
        }
    }
}

/// Uploads a sample of A-2, whose owner no service has looked up so far.
async fn upload(service: &Service, key: &str, heart_rate: u8) {
    let answer = service.send_as(key, "POST", "/upload_health_data", Some(&sample("A-2", heart_rate))).await;
    assert_eq!((answer.status, &answer.body["details"]["success"]), (200, &json!(1)), "{answer:?}");
}

#[tokio::test]
async fn while_the_directory_cannot_be_read_an_upload_is_passed_on_by_the_tenant_of_its_key_or_else_stored_here()
 {
    let cells = TwoCells::start(Authentication::Keys).await;
    let of_sunset = authorization(&cells.north, &["upload"], SUNSET).await;
    let of_all = authorization(&cells.north, &["upload"], 0).await;
    cells.share_keys().await;
    cells.place(&cells.north, SUNSET, "south").await;
    sql(&cells.north, "alter table device_binding rename to device_binding_away").await;
    upload(&cells.in_north, &of_sunset, 70).await;
    assert_eq!(samples(&cells.south).await, ["(A-2,1)"]);
    upload(&cells.in_north, &of_all, 71).await;
    assert_eq!(samples(&cells.north).await, ["(A-2,1)"]);
    sql(&cells.north, "alter table device_binding_away rename to device_binding").await;
    upload(&cells.in_north, &of_all, 72).await;
    assert_eq!(samples(&cells.south).await, ["(A-2,2)"], "it is known once more where it lives");
    cells.finish().await;
}

#[tokio::test]
async fn an_upload_whose_owner_is_not_found_in_time_is_stored_here() {
    let cells = TwoCells::start(Authentication::Off).await;
    cells.place(&cells.north, SUNSET, "south").await;
    let locking = cells.north.client().await;
    locking.batch_execute("begin; lock table device_binding").await.expect("locked");
    let began = Instant::now();
    let release = async {
        // Longer than the owner is waited for before the upload is passed on.
        let given_up = Duration::from_millis(1_500);
        eventually("it is given up", async || (began.elapsed() > given_up).then_some(())).await;
        locking.batch_execute("commit").await.expect("released");
    };
    tokio::join!(upload(&cells.in_north, "", 70), release);
    assert_eq!(samples(&cells.north).await, ["(A-2,1)"]);
    assert_eq!(samples(&cells.south).await, Vec::<String>::new());
    cells.finish().await;
}

#[tokio::test]
async fn without_its_database_a_cell_still_passes_on_what_the_key_says_lives_elsewhere() {
    let cells = TwoCells::start(Authentication::Keys).await;
    let key = authorization(&cells.north, &["upload"], SUNSET).await;
    cells.share_keys().await;
    cells.place(&cells.north, SUNSET, "south").await;
    upload(&cells.in_north, &key, 70).await;
    cells.link.cut();
    upload(&cells.in_north, &key, 71).await;
    cells.link.restore();
    upload(&cells.in_north, &key, 72).await;
    assert_eq!(samples(&cells.south).await, ["(A-2,3)"]);
    assert_eq!(samples(&cells.north).await, Vec::<String>::new());
    cells.finish().await;
}
