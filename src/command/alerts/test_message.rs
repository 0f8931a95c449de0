//! `vitals alerts test-message`: does a message reach an address, and what does its provider answer?

use std::process::ExitCode;

use super::{print_text, warn};
use crate::command::DONE_IN_PART;
use crate::command::text::escape_control;
use crate::config::Settings;
use crate::language::{Locale, text};
use crate::model::Channel;
use crate::notify::test_message::{self, TestAddress};
use crate::store::clock::Clock;
use crate::store::{Store, notification};

/// To whom.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("whom").required(true).args(["contact", "address"]))]
pub struct Options {
    /// Every address in use of the contact of this name
    #[arg(long, value_name = "NAME")]
    contact: Option<String>,
    /// This address, which need not be stored
    #[arg(long, requires = "channel")]
    address: Option<String>,
    /// Its channel: wechat, wecom, wecom_robot, dingtalk_robot, feishu_robot, sms, email, webhook
    #[arg(long, requires = "address", value_parser = channel)]
    channel: Option<Channel>,
    /// Its secret, if messages to it are signed
    #[arg(long, value_name = "SECRET", requires = "address")]
    secret: Option<String>,
}

fn channel(name: &str) -> Result<Channel, String> {
    Channel::of_name(name).ok_or_else(|| format!("one of: {}", Channel::ALL.map(Channel::name).join(", ")))
}

pub(super) async fn run(
    options: Options,
    locale: &Locale,
    store: &Store,
    settings: &Settings,
) -> anyhow::Result<ExitCode> {
    let of_service = Locale { language: settings.language, zone: locale.zone.clone() };
    let addresses = match (options.contact, options.channel, options.address) {
        (Some(name), ..) => notification::addresses(store, &name)
            .await?
            .into_iter()
            .map(|of| TestAddress::of(of, &of_service))
            .collect(),
        (None, Some(channel), Some(address)) => {
            vec![TestAddress { channel, address, secret: options.secret, locale: locale.clone() }]
        }
        _ => Vec::new(),
    };
    if addresses.is_empty() {
        warn(locale, &text!("test-nobody"));
        return Ok(ExitCode::FAILURE);
    }
    let time = Clock::read(store).await?;
    let (all, mut sent) = (addresses.len(), 0);
    for to in addresses {
        let (channel, address) = (to.channel.name(), to.channel.shown(&to.address));
        let address = escape_control(&address);
        match test_message::send(to, &time, settings).await {
            Ok(()) => {
                sent += 1;
                print_text(locale, &text!("test-sent", channel = channel, address = address))?;
            }
            Err(reason) => {
                let reason = escape_control(&reason);
                warn(locale, &text!("test-failed", channel = channel, address = address, reason = reason));
            }
        }
    }
    Ok(match sent {
        0 => ExitCode::FAILURE,
        sent if sent == all => ExitCode::SUCCESS,
        _ => ExitCode::from(DONE_IN_PART),
    })
}
