//! Round after round: load, one or two faults at a random moment, healing, and a verdict.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::crew::{Crew, Post};
use super::fault::{Fault, Site};
use super::load::{Load, Terms};
use super::receiver::{self, ReceivedAlerts};
use super::rounds::{Rounds, number};
use super::verdict::{self, Count, Sum};
use super::watch::{Addresses, Span, Watch};
use crate::harness::{Database, DisposableServers, Receiver, eventually};

/// How often a service reads PostgreSQL's clock, and what that may take.
const CLOCK_IS_READ_WITHIN: Duration = Duration::from_secs(12);

/// What a driver goes by.
#[derive(Debug)]
pub struct Plan {
    rounds: Rounds,
    instances: usize,
}

impl Plan {
    /// `FAULT_ROUNDS`, or five, from `FAULT_SEED`; `FAULT_INSTANCES`, or two.
    pub fn of_variables() -> Self {
        let instances = usize::try_from(number("FAULT_INSTANCES", 2)).expect("few").max(2);
        Self { rounds: Rounds::of("FAULT", 5, 4_719), instances }
    }
}

/// Where it drives.
struct Driver<'a> {
    site: Site<'a>,
    crew: Crew,
    addresses: Addresses,
    received_alerts: ReceivedAlerts,
    sum: Sum,
    /// When the last service has read PostgreSQL's clock since it was false.
    clock_is_true_at: Instant,
    _receiver: Receiver,
}

/// Runs the rounds, and fails with everything that was wrong in the first one that went wrong.
pub async fn drive(plan: Plan, database: &Database, disposable: Option<&DisposableServers>) {
    let Plan { mut rounds, instances } = plan;
    println!("FAULT_INSTANCES={instances}");
    let mut driver = Driver::new(database, disposable, instances).await;
    let mut whole = Count::default();
    while let Some(round) = rounds.begin_next() {
        let seed = rounds.seed_of(round);
        let mut random = StdRng::seed_from_u64(seed);
        let can_step = driver.crew.posts[0].clock.can_be_set();
        let faults = Fault::draw(&mut random, instances, disposable.is_some(), can_step);
        println!("round {round}: {faults:?}");
        match driver.round(round, seed, &faults, &mut random).await {
            Ok(count) => {
                whole.add(count);
                rounds.report(&format!("{count:?}"));
            }
            Err(wrongs) => panic!(
                "FAULT_SEED={} round {round}, {faults:?}, after rounds with {whole:?}: {} things are wrong:\n{}\nthe services logged last:\n{}",
                rounds.seed,
                wrongs.len(),
                wrongs.iter().take(20).cloned().collect::<Vec<_>>().join("\n"),
                driver.crew.log_tail(60)
            ),
        }
    }
    for number in 0..instances {
        driver.crew.end(number, "TERM").await.expect("ends in order");
    }
    println!("verdict: {} rounds, {whole}; none lost, none doubled", rounds.done());
}

impl<'a> Driver<'a> {
    async fn new(
        database: &'a Database,
        disposable: Option<&'a DisposableServers>,
        instances: usize,
    ) -> Self {
        let client = database.client().await;
        // By a clock that is an hour ahead an alert may be over that by the true one is not.
        let rules = "update alert_rule set expire_seconds = 86400 where expire_seconds is not null";
        client.batch_execute(rules).await.expect("updated");
        let (receiver, received_alerts) = receiver::receive_alerts(&client, "127.0.0.1").await;
        let crew = Crew::create(database, instances).await;
        let site = Site { database, disposable };
        Self {
            site,
            crew,
            addresses: Addresses::default(),
            received_alerts,
            sum: Sum::default(),
            clock_is_true_at: Instant::now(),
            _receiver: receiver,
        }
    }

    async fn round(
        &mut self,
        round: u64,
        seed: u64,
        faults: &[Fault],
        random: &mut StdRng,
    ) -> Result<Count, Vec<String>> {
        let alone = random.random_bool(0.3)
            && !faults
                .iter()
                .any(|fault| (1..self.crew.posts.len()).any(|other| fault.may_keep_from_ready(other)));
        self.take_posts(alone).await.map_err(|wrong| vec![wrong])?;
        let (began, prefix) = (Instant::now(), format!("ROUND{round}"));
        let second = Timestamp::now().as_second();
        let watch = Watch::begin(&self.addresses, &prefix, second);
        let load = Load::begin(&self.crew.doors, Terms::default(), &prefix, second, seed);
        let spans = self.cause_faults(faults, random).await.map_err(|wrong| vec![wrong])?;
        let mut ledger = load.end().await;
        let (sent, mut wrongs) = watch.end(&spans).await;
        ledger.add(sent);
        ledger.wrongs.append(&mut wrongs);
        ledger.wrongs.extend(self.crew.check().err());
        if faults.iter().any(|fault| matches!(fault, Fault::PostgresClockStepped(_))) {
            self.clock_is_true_at = Instant::now() + CLOCK_IS_READ_WITHIN;
        }
        let clock_is_true = began >= self.clock_is_true_at;
        let client = self.site.database.client().await;
        verdict::settled(&client).await;
        let judged = verdict::check(
            &client,
            self.site.database.redis().await,
            &prefix,
            &ledger,
            &self.received_alerts,
            &mut self.sum,
            clock_is_true,
        )
        .await;
        self.is_well().await;
        judged
    }

    /// One service, or all.
    async fn take_posts(&mut self, alone: bool) -> Result<(), String> {
        self.crew.start(0, self.site.database).await;
        for number in 1..self.crew.posts.len() {
            if alone {
                self.crew.end(number, "TERM").await?;
            } else {
                self.crew.start(number, self.site.database).await;
            }
        }
        self.show_addresses();
        Ok(())
    }

    fn show_addresses(&self) {
        let url = |post: &Post| post.process.as_ref().map(|process| process.url.clone());
        *self.addresses.lock().expect("whole") = self.crew.posts.iter().map(url).collect();
    }

    /// Strikes and heals, each fault at moments of its own.
    async fn cause_faults(&mut self, faults: &[Fault], random: &mut StdRng) -> Result<Vec<Span>, String> {
        let began = Instant::now();
        let mut spans: Vec<Span> = faults.iter().map(|fault| Span { fault: *fault, at: [None; 4] }).collect();
        // (when, whether it is healed, which)
        let mut steps = Vec::new();
        for place in 0..faults.len() {
            let strike = random.random_range(100..900);
            steps.push((strike, false, place));
            // Now and then for longer than an upload waits for its commit.
            let hold = if random.random_bool(0.15) { 3_200..4_500 } else { 50..1_800 };
            steps.push((strike + random.random_range(hold), true, place));
        }
        let last = steps.iter().map(|step| step.0).max().unwrap_or_default();
        // A service starts only where it finds its database.
        let waits = |step: &&mut (u64, bool, usize)| step.1 && faults[step.2].ends_a_service();
        steps.iter_mut().filter(waits).for_each(|step| step.0 = last);
        steps.sort_by_key(|step| (step.0, faults[step.2].ends_a_service()));
        for (at_ms, heal, place) in steps {
            tokio::time::sleep_until((began + Duration::from_millis(at_ms)).into()).await;
            let (fault, span) = (faults[place], &mut spans[place]);
            if heal {
                span.at[2] = Some(Instant::now());
                fault.remove(&mut self.crew, &self.site).await;
                span.at[3] = Some(Instant::now());
            } else {
                span.at[0] = Some(Instant::now());
                fault.inject(&mut self.crew, &self.site).await?;
                span.at[1] = Some(Instant::now());
            }
            self.show_addresses();
        }
        // Some load on what has been healed.
        tokio::time::sleep(Duration::from_millis(random.random_range(200..600))).await;
        Ok(spans)
    }

    /// Every service that runs says that every part of it is up.
    async fn is_well(&self) {
        let urls = self.crew.doors.lock().expect("whole").clone();
        for url in urls {
            for path in ["/readyz", "/api/health"] {
                eventually(&format!("{path} says that all is well"), || async {
                    let answer = reqwest::get(format!("{url}{path}")).await.ok()?;
                    (answer.status() == 200).then_some(())
                })
                .await;
            }
        }
    }
}
