//! The cost of completing owners from the cache: `cargo test --release --lib owners::speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use super::*;

/// With so many devices cached.
fn owners(devices: usize) -> Owners {
    let settings = Settings::defaults();
    let cache = LookupCache::new(settings.owner_cache_devices, Duration::from_secs(600));
    cache.invalidate_all();
    let owner = Owner { customer_id: Some(1), org_id: Some(2), user_id: Some(3) };
    for device in 0..devices {
        let tenure = Tenure { owner, ..Tenure::UNBOUND };
        let cached = CachedOwner { tenure, source: OwnerSource::Database };
        cache.insert(serial(device).into(), cached, cache.generation());
    }
    let shared = Shared {
        store: Store::new(&settings).expect("a URL"),
        redis: Cache::new(&settings).expect("a URL"),
        cache,
        verified_ids: super::tenant::VerifiedIds::default(),
        version: Mutex::new(None),
    };
    Owners { shared: Arc::new(shared), requests: mpsc::channel(1).0 }
}

fn serial(device: usize) -> String {
    format!("CRFTQ234{device:08}")
}

#[test]
#[expect(clippy::print_stdout, reason = "for whoever measures")]
#[ignore = "a measurement: means something in a release build on an idle machine only"]
fn speed() {
    const DEVICES: usize = 100_000;
    let owners = owners(DEVICES);
    for (name, records, devices) in [
        ("an upload of 100 samples of a watch", 100_usize, 1_usize),
        ("a single sample", 1, 1),
        ("an upload of 100 watches, one sample each", 100, 100),
    ] {
        // Other devices each time: those of one upload would stay in the processor's cache.
        let mut uploads: Vec<Vec<(String, Owner)>> = (0..1000)
            .map(|upload| {
                let device = |record| serial((upload * 7919 + record % devices * 31) % DEVICES);
                (0..records).map(|record| (device(record), Owner::default())).collect()
            })
            .collect();
        let mut best = f64::MAX;
        for _ in 0..200 {
            for (_, owner) in uploads.iter_mut().flatten() {
                *owner = Owner::default();
            }
            let started = Instant::now();
            for upload in &mut uploads {
                let slots = upload.iter_mut().map(|(device_sn, owner)| OwnerSlot {
                    device_sn,
                    ts: Timestamp::UNIX_EPOCH,
                    owner,
                });
                let misses = std::hint::black_box(owners.fill_cached(slots, OwnerSource::Redis));
                assert!(misses.is_empty());
            }
            best = best.min(started.elapsed().as_secs_f64());
            std::thread::sleep(Duration::from_millis(1));
        }
        let nanoseconds = best * 1e9 / uploads.len() as f64;
        println!("{name}: {nanoseconds:.0} ns, {:.1} ns a record", nanoseconds / records as f64);
    }
}
