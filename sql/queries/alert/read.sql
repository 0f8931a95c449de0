-- alert.read
-- Purpose: an alert, what happened to it and who was told, as JSON. Keys of robots and the paths of webhooks let whoever has
-- them send there: they are left out.
-- Parameters: $1 number of the alert.
-- Locks: none.
select
    to_jsonb(alert) || jsonb_build_object('rule_name', alert_rule.name) as alert,
    coalesce((
        select jsonb_agg(to_jsonb(entry) - 'alert_id' order by entry.alert_action_id)
        from alert_action entry
        where entry.alert_id = alert.alert_id
    ), '[]') as actions,
    coalesce((
        select jsonb_agg(
            jsonb_build_object(
                'notification_id', told.notification_id, 'kind', told.kind, 'channel', told.channel,
                'contact_id', told.contact_id, 'contact', contact.name,
                'address', case told.channel
                    when 'wecom_robot' then '…' || right(told.address, 4)
                    when 'webhook' then
                        coalesce(substring(told.address from '^[a-z]+://(?:[^/?#]*@)?([^/?#@]+)'), '…')
                    else told.address
                end,
                'status', told.status, 'created_at', told.created_at, 'due_at', told.due_at,
                'attempts', told.attempts, 'sent_at', told.sent_at, 'error', told.error)
            order by told.notification_id)
        from notification told
        left join contact on contact.contact_id = told.contact_id
        where told.alert_id = alert.alert_id
    ), '[]') as notifications
from alert
join alert_rule using (rule_id)
where alert.alert_id = $1
