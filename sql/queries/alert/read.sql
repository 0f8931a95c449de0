-- alert.read
-- Purpose: an alert, its actions and its notifications, as JSON. The key of a robot and the path of a webhook are left out, because
-- everybody who has them can send there.
-- Parameters: $1 number of the alert.
-- Locks: none.
select
    to_jsonb(alert) || jsonb_build_object('user_name', app_user.name, 'org_name', org_unit.name, 'room', app_user.room, 'rule_name', alert_rule.name) as alert,
    coalesce((
        select jsonb_agg(to_jsonb(entry) - 'alert_id' order by entry.alert_action_id)
        from alert_action entry
        where entry.alert_id = alert.alert_id
    ), '[]') as actions,
    coalesce((
        select jsonb_agg(
            jsonb_build_object(
                'notification_id', sent.notification_id, 'kind', sent.kind, 'channel', sent.channel,
                'contact_id', sent.contact_id, 'contact', contact.name,
                'address', case
                    when sent.channel like '%\_robot' then '…' || right(sent.address, 4)
                    when sent.channel = 'webhook' then
                        coalesce(substring(sent.address from '^[a-z]+://(?:[^/?#]*@)?([^/?#@]+)'), '…')
                    else sent.address
                end,
                'status', sent.status, 'created_at', sent.created_at, 'due_at', sent.due_at,
                'attempts', sent.attempts, 'sent_at', sent.sent_at, 'error', sent.error)
            order by sent.notification_id)
        from notification sent
        left join contact on contact.contact_id = sent.contact_id
        where sent.alert_id = alert.alert_id
    ), '[]') as notifications
from alert
join alert_rule using (rule_id)
left join app_user on app_user.user_id = alert.user_id
left join org_unit on org_unit.org_id = alert.org_id
where alert.alert_id = $1
