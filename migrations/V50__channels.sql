-- Three channels: group robots of DingTalk and of Feishu, and SMS; and the room of a person, which messages name.
-- Locks: contact_address, notification_route and notification, which are read once each to check the names of channels; app_user for a
-- moment.

alter table contact_address
    drop constraint contact_address_channel_check,
    add constraint contact_address_channel_check check (
        channel in ('wechat', 'wecom', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'sms', 'email', 'webhook')
    ),
    add constraint contact_address_form_check check (
        case
            when channel in ('dingtalk_robot', 'feishu_robot') then address ~ '^[A-Za-z0-9_-]+$'
            when channel = 'sms' then address ~ '^\+[1-9][0-9]{6,14}$'
            else true
        end
    );
comment on column contact_address.channel is 'wechat (official account), wecom (application message), wecom_robot, dingtalk_robot, feishu_robot (group robots), sms, email, webhook.';
comment on column contact_address.address is 'wechat: openid; wecom: user id; wecom_robot: key of the robot; dingtalk_robot, feishu_robot: token of the robot, without the rest of its URL; sms: number in the form of E.164 (+8613800138000); email: address; webhook: URL.';
comment on column contact_address.secret  is 'webhook: the key its messages are signed with, whsec_ and base64 (Standard Webhooks); dingtalk_robot, feishu_robot: secret of the robot. NULL: not signed (robots: signed if the settings have a secret); other channels.';

alter table notification_route
    drop constraint notification_route_channel_check,
    add constraint notification_route_channel_check check (
        channel in ('wechat', 'wecom', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'sms', 'email', 'webhook')
    );

alter table notification
    drop constraint notification_channel_check,
    add constraint notification_channel_check check (
        channel in ('wechat', 'wecom', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'sms', 'email', 'webhook')
    );

alter table app_user
    add column room text,
    add constraint app_user_room_check check (room ~ '\S' and char_length(room) <= 100);
comment on column app_user.room is 'Where the person is found, such as "12" or "3 North, bed 4"; messages name it. NULL: not known.';
