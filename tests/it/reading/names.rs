//! Names are listed as people look for them, and a page of them begins where the one before ended.

use serde_json::{Value, json};

use super::{get, houses, reader, rows};

/// As they are to be listed: by number and by sound.
const UNITS: [&str; 8] =
    ["九病区", "神经内科 2 区", "神经内科 10 区", "Ward 2", "ward 3", "Ward 10", "Ward 10 A", "Ward 100"];
const PEOPLE: [&str; 9] =
    ["陈静", "李娜", "王 2", "王 10", "张伟", "Bed 2 Ängström", "bed 3", "Bed 10", "Bed 11"];

fn names(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter().filter_map(|row| row[field].as_str()).map(str::to_owned).collect()
}

/// So that no number is in the order of the names.
const fn shuffled(place: usize) -> usize {
    7 * (place + 3) % 10
}

#[tokio::test]
async fn units_and_people_are_listed_by_number_and_by_sound() {
    let (database, client, service) = houses(|_| ()).await;
    let insert = "
        insert into customer (customer_id, name) values (7, 'Names');
        insert into org_unit (org_id, name, ancestors) values (7000, null, '{0,7}');";
    client.batch_execute(insert).await.expect("a tenant");
    for (place, name) in UNITS.iter().enumerate() {
        let id = shuffled(place) + 7001;
        let unit = format!(
            "insert into org_unit (org_id, name, ancestors) values ({id}, '{name}', '{{0,7}}');
             insert into app_user (user_id, org_id) values ({id}, {id});
             insert into device (device_sn) values ('NAME-{id}');
             select bind_device('NAME-{id}', {id}, now() - interval '1 day')"
        );
        client.batch_execute(&unit).await.expect("a unit, with a person without a name");
    }
    for (place, name) in PEOPLE.iter().enumerate() {
        let id = shuffled(place) + 7100;
        let person = format!("insert into app_user (user_id, org_id, name) values ({id}, 7000, '{name}')");
        client.batch_execute(&person).await.expect("a person");
    }
    let key = reader(&database, "names", &["--tenant", "7"]).await;

    let all = rows(&get(&service, &key, "/api/people", &[]).await);
    assert_eq!(names(&all, "name"), PEOPLE);
    let mut paged = Vec::new();
    let mut cursor = Some(String::new());
    while let Some(after) = cursor {
        let after = if after.is_empty() { after } else { format!("&cursor={after}") };
        let page = get(&service, &key, &format!("/api/people?limit=2{after}"), &[]).await;
        paged.extend(rows(&page));
        cursor = page.json()["cursor"].as_str().map(str::to_owned);
    }
    assert_eq!(json!(paged), json!(all), "each once, whatever the size of a page");

    let overview = get(&service, &key, "/api/overview", &[]).await.json();
    assert_eq!(names(overview["units"].as_array().expect("units"), "org_name"), UNITS);
    let page = get(&service, &key, "/people", &[("accept", "text/html")]).await.text;
    for listed in [&UNITS[..], &PEOPLE[..]] {
        let places: Vec<Option<usize>> = listed.iter().map(|name| page.find(&format!(">{name}<"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {page}");
    }
    service.finish().await;
}
