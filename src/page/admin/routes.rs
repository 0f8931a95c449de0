//! `/admin/contacts`, its lower half: the routes in words, a form for one, and what became of a test.
//!
//! Before: `store::notification_route` has read them. After: `http::page::admin::routes` reads the forms.

use maud::{Markup, html};

use super::{switch, words};
use crate::language::text;
use crate::model::{
    Audience, Channel, ContactSummary, Id64, NotificationRoute, RouteDraft, RouteTest, Severity,
};
use crate::page::field::{self, FieldPen, FieldValues, Options};
use crate::page::record_tables::table;
use crate::page::{Frame, link};

/// What a route is made of, to choose from.
#[derive(Debug)]
pub struct RouteChoices {
    /// Contacts that can be named.
    pub contacts: Vec<ContactSummary>,
    /// Rules that can be named.
    pub rules: Vec<(Id64, String)>,
    /// The units of a reader who is limited to a tenant.
    pub units: Vec<(Id64, String)>,
    /// The reader is limited to a tenant.
    pub is_limited: bool,
}

/// The form, filled in.
#[derive(Debug)]
pub struct RouteForm {
    /// The route that it changes; `None`: a new one.
    pub route_id: Option<i64>,
    /// What its fields hold.
    pub values: FieldValues,
}

/// The routes and the form; what became of a test of one of them.
pub fn section(
    frame: &Frame,
    routes: &[NotificationRoute],
    choices: &RouteChoices,
    form: Option<&RouteForm>,
    tested: Option<&RouteTest>,
) -> Markup {
    let rows: Vec<Markup> = routes.iter().map(|route| row(frame, route, choices)).collect();
    let empty = RouteForm { route_id: None, values: new_route() };
    let shown = form.unwrap_or(&empty);
    let title = if shown.route_id.is_some() { "change-route" } else { "new-route" };
    html! {
        @if let Some(tested) = tested { (test_result(frame, tested)) }
        section.panel {
            h2 { (words(frame, "routes")) }
            (table(frame, &["channel", "audience", "alerts", "when", "state", "action"], &rows))
            details #route open[form.is_some()] { summary { (words(frame, title)) } (route_form(frame, shown, choices)) }
        }
    }
}

/// What the form of a new route holds.
fn new_route() -> FieldValues {
    let mut values = FieldValues::default();
    values.put("audience", Some(Audience::OnDuty.name()));
    values.put("min_severity", Some(Severity::Major.name()));
    values.tick("on_acknowledged", true);
    values.tick("enabled", true);
    values
}

/// What the form of a stored route holds: a field for each column.
pub fn values(route: &RouteDraft) -> FieldValues {
    let RouteDraft {
        customer_id,
        org_id,
        rule_id,
        min_severity,
        channel,
        audience,
        contact_id,
        after_seconds,
        repeat_seconds,
        repeat_times,
        on_acknowledged,
        on_resolved,
        merge_seconds,
        quiet_from,
        quiet_until,
        time_zone,
        enabled,
    } = route;
    let mut values = FieldValues::default();
    values.put("channel", Some(channel));
    values.put("audience", Some(audience.name()));
    values.put("min_severity", Some(min_severity.name()));
    for (name, id) in
        [("customer_id", customer_id), ("org_id", org_id), ("rule_id", rule_id), ("contact_id", contact_id)]
    {
        values.put(name, id.as_ref());
    }
    values.put_seconds("after_seconds", Some(*after_seconds));
    values.put_seconds("repeat_seconds", *repeat_seconds);
    values.put("repeat_times", Some(repeat_times));
    values.put_seconds("merge_seconds", *merge_seconds);
    for (name, time) in [("quiet_from", quiet_from), ("quiet_until", quiet_until), ("time_zone", time_zone)] {
        values.put(name, time.as_ref());
    }
    for (name, is_set) in
        [("on_acknowledged", on_acknowledged), ("on_resolved", on_resolved), ("enabled", enabled)]
    {
        values.tick(name, *is_set);
    }
    values
}

fn row(frame: &Frame, route: &NotificationRoute, choices: &RouteChoices) -> Markup {
    let NotificationRoute { route_id, contact, route: draft } = route;
    let action = format!("/admin/contacts/routes/{route_id}");
    html! {
        tr {
            th scope="row" { (super::channel(frame, &draft.channel)) }
            td { (audience(frame, draft.audience)) @if let Some(contact) = contact { ": " (contact) } }
            td { (alerts(frame, draft, choices).join(" · ")) }
            td { @for sentence in times(frame, draft) { p { (sentence) } } }
            td { (frame.text(&text!("on-off", value = if draft.enabled { "on" } else { "off" }))) }
            td {
                form.inline method="post" action=(action) {
                    @if draft.audience != Audience::Contact {
                        input type="text" name="user_id" inputmode="numeric" pattern="[0-9]*" required[draft.audience == Audience::Wearer]
                            placeholder=(words(frame, "test-person")) aria-label=(words(frame, "test-person"));
                        " "
                    }
                    button type="submit" name="action" value="test" { (words(frame, "test")) }
                }
                form.inline method="post" action=(action) {
                    (switch(frame, draft.enabled)) " "
                    a.button href=(link::with("/admin/contacts", &[("route", Some(&route_id.to_string()))]) + "#route") { (words(frame, "change")) } " "
                    button type="submit" name="action" value="remove" { (words(frame, "remove")) }
                }
            }
        }
    }
}

fn audience(frame: &Frame, audience: Audience) -> String {
    frame.text(&text!("page-audience", audience = audience.name()))
}

/// Which alerts match, in words.
fn alerts(frame: &Frame, draft: &RouteDraft, choices: &RouteChoices) -> Vec<String> {
    let severity = frame.text(&text!("severity", severity = draft.min_severity.name()));
    let named = |id: Id64, all: &[(Id64, String)]| {
        let found = all.iter().find(|(each, _)| *each == id);
        found.map_or_else(|| id.to_string(), |(_, name)| name.clone())
    };
    let of =
        |scope: &str, name: String| format!("{} {name}", frame.text(&text!("page-rule-for", scope = scope)));
    let tenant = draft.customer_id.filter(|_| !choices.is_limited).map(|id| of("tenant", id.to_string()));
    let unit = draft.org_id.map(|id| of("unit", named(id, &choices.units)));
    let rule = draft.rule_id.map(|id| named(id, &choices.rules));
    let least = frame.text(&text!("page-at-least", severity = severity));
    [Some(least), tenant, unit, rule].into_iter().flatten().collect()
}

/// When and how often somebody is notified, in words.
fn times(frame: &Frame, draft: &RouteDraft) -> Vec<String> {
    let time = |seconds| field::duration(frame, seconds);
    let first = match draft.after_seconds {
        0 => text!("page-route-at-once"),
        seconds => text!("page-route-after", time = time(seconds)),
    };
    let repeats = draft.repeat_seconds.map(|seconds| {
        text!("page-route-repeats", time = time(seconds), times = i64::from(draft.repeat_times))
    });
    let events = match (draft.on_acknowledged, draft.on_resolved) {
        (true, true) => Some("both"),
        (true, false) => Some("acknowledged"),
        (false, true) => Some("resolved"),
        (false, false) => None,
    };
    let quiet = draft.quiet_from.as_deref().zip(draft.quiet_until.as_deref()).map(|(from, until)| {
        let zone = draft.time_zone.as_deref().map(|zone| format!(" ({zone})")).unwrap_or_default();
        text!("page-route-quiet", from = field::hour(from), until = field::hour(until), zone = zone)
    });
    let all = [
        Some(first),
        repeats,
        events.map(|what| text!("page-route-events", what = what)),
        quiet,
        draft.merge_seconds.map(|seconds| text!("page-route-merges", time = time(seconds))),
    ];
    all.into_iter().flatten().map(|text| frame.text(&text)).collect()
}

fn route_form(frame: &Frame, form: &RouteForm, choices: &RouteChoices) -> Markup {
    let pen = FieldPen { frame, values: &form.values, form: "route" };
    let id = form.route_id.map(|id| format!("/{id}")).unwrap_or_default();
    let channels = Channel::ALL.map(|each| (each.name().to_owned(), super::channel(frame, each.name())));
    let audiences = Audience::ALL.map(|each| (each.name().to_owned(), audience(frame, each)));
    let contacts: Options =
        choices.contacts.iter().map(|each| (each.contact_id.to_string(), each.name.clone())).collect();
    let numbered = |all: &[(Id64, String)]| -> Options {
        all.iter().map(|(id, name)| (id.to_string(), name.clone())).collect()
    };
    html! {
        form.stacked method="post" action={ "/admin/contacts/routes" (id) } {
            (pen.choice("channel", &channels))
            (pen.choice("audience", &audiences))
            (pen.choice_or_none("contact_id", &contacts, &words(frame, "no-value")))
            (pen.choice("min_severity", &field::severities(frame)))
            @if choices.is_limited {
                (pen.choice_or_none("org_id", &numbered(&choices.units), &frame.text(&text!("page-every-unit"))))
            } @else {
                (pen.id_number("customer_id"))
                (pen.id_number("org_id"))
            }
            (pen.choice_or_none("rule_id", &numbered(&choices.rules), &words(frame, "any")))
            (pen.seconds("after_seconds"))
            (pen.seconds("repeat_seconds"))
            (pen.count("repeat_times", (1, 10_000)))
            (pen.tick_box("on_acknowledged"))
            (pen.tick_box("on_resolved"))
            (pen.time("quiet_from"))
            (pen.time("quiet_until"))
            (pen.line("time_zone", 100, false))
            (pen.seconds("merge_seconds"))
            (pen.tick_box("enabled"))
            button.primary type="submit" name="action" value="save" { (words(frame, "save")) }
        }
    }
}

/// What became of the message to each address.
fn test_result(frame: &Frame, tested: &RouteTest) -> Markup {
    let rows: Vec<Markup> = tested
        .addresses
        .iter()
        .map(|to| {
            html! {
                tr {
                    th scope="row" { (to.contact) }
                    td { (super::channel(frame, &to.channel)) }
                    td { (to.address) }
                    td { (super::delivery(frame, to.error.as_deref())) }
                }
            }
        })
        .collect();
    html! {
        section.panel #result role="status" {
            h2 { (words(frame, "test-result")) }
            @match &tested.nobody {
                Some(reason) => p { (reason) },
                None => (table(frame, &["contact", "channel", "address", "tested"], &rows)),
            }
            @if tested.has_more { p.quiet { (words(frame, "test-more")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::page::layout::tests::frame;

    #[test]
    fn a_route_is_described_in_words_in_both_languages() {
        let route: RouteDraft = serde_json::from_str(
            r#"{ "channel": "wecom", "audience": "on_duty", "min_severity": "major", "org_id": "50", "rule_id": "1",
                 "after_seconds": 300, "repeat_seconds": 600, "repeat_times": 1, "on_resolved": true,
                 "quiet_from": "22:00", "quiet_until": "06:00", "merge_seconds": 90, "enabled": false }"#,
        )
        .expect("a route");
        let route = NotificationRoute { route_id: Id64(7), contact: None, route };
        let choices = RouteChoices {
            contacts: Vec::new(),
            rules: vec![(Id64(1), "<i>Fast".to_owned())],
            units: vec![(Id64(50), "Ward East".to_owned())],
            is_limited: true,
        };
        let drawn = |language| row(&frame(language), &route, &choices).into_string();
        let english = drawn(Language::En);
        for words in [
            "whoever is on duty",
            "major or graver · unit Ward East · &lt;i&gt;Fast",
            "if nobody has acknowledged the alert after 5 minutes",
            "then every 10 minutes, at most 1 time",
            "from 22:00 to 06:00",
            "within 90 seconds",
            "off",
        ] {
            assert!(english.contains(words), "{words}: {english}");
        }
        let chinese = drawn(Language::Zh);
        assert!(chinese.contains("5 分钟") && chinese.contains("值班"), "{chinese}");
    }
}
