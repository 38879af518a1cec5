//! The user's `baton.toml`, as typed. Unknown keys are errors: a misspelt limit must not be silently absent.

use std::collections::BTreeMap;
use std::path::Path;

use baton_core::catalog::RoleRow;
use baton_core::ids::MemberId;
use baton_core::member::{Effort, Limits, Member, Payer, Price};
use baton_core::task::Kind;
use serde::Deserialize;

use super::{Config, Entry, Needs, dollars_to_micro, fraction, malformed};
use crate::failure::Failure;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserFile {
    #[serde(default)]
    allow: Vec<String>,
    /// Whether servers on this machine's usual ports become seats; they do unless this says false.
    local_servers: Option<bool>,
    spend_cap_usd: Option<f64>,
    #[serde(default)]
    thresholds: Thresholds,
    #[serde(default)]
    rules: RulesTable,
    #[serde(default)]
    handover: super::handover::HandoverRules,
    #[serde(default)]
    warm: Warm,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    member: Vec<MemberTable>,
    #[serde(default)]
    role: Vec<RoleRow>,
    #[serde(default)]
    check: Vec<CheckEntry>,
    #[serde(default)]
    mcp_servers: BTreeMap<String, super::servers::ServerTable>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thresholds {
    low: Option<f64>,
    normal: Option<f64>,
    high: Option<f64>,
    critical: Option<f64>,
}

/// What the rules may do beyond what costs nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesTable {
    /// One small call to a member where the words of a task do not tell its kind.
    #[serde(default)]
    ask_kind: bool,
    /// The check that runs the tests that members write for claims; none are asked for without it.
    reproduce: Option<MemberId>,
    /// A patch where the words of a task tell to change something and one can be tried; so it is unless this says false.
    ask_patch: Option<bool>,
}

/// Bounds of the agent programs; what is not given keeps its default, and zero switches a bound off.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Warm {
    most: Option<usize>,
    process_mb: Option<u32>,
    start_mb: Option<u32>,
    spare_mb: Option<u32>,
}

impl Warm {
    fn apply(self, limits: &mut baton_members::warm::Limits) {
        limits.most = self.most.unwrap_or(limits.most);
        let named = [
            (self.process_mb, &mut limits.process_bytes),
            (self.start_mb, &mut limits.start_bytes),
            (self.spare_mb, &mut limits.spare_bytes),
        ];
        for (value, place) in named {
            if let Some(megabytes) = value {
                *place = u64::from(megabytes) << 20;
            }
        }
    }
}

/// A command whose outcome is evidence.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckEntry {
    pub(crate) id: MemberId,
    /// Program and arguments; no shell is involved.
    pub(crate) command: Vec<String>,
    /// Only where the workspace has this file.
    pub(crate) when_file: Option<String>,
    pub(crate) timeout_s: Option<u64>,
    /// Its output is neither right nor wrong: it is compared between patches, and run with nothing else.
    #[serde(default)]
    pub(crate) probe: bool,
}

/// Some fields of a member. For a name of the catalogue they go over its own; a new name must give all that has no
/// default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberTable {
    id: MemberId,
    disabled: Option<bool>,
    vendor: Option<String>,
    family: Option<String>,
    channel: Option<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    model: Option<String>,
    effort: Option<Effort>,
    tier: Option<u8>,
    strengths: Option<Vec<Kind>>,
    context_window: Option<u64>,
    price: Option<Price>,
    payer: Option<Payer>,
    account: Option<String>,
    limits: Option<Limits>,
    program: Option<String>,
    key_env: Option<String>,
    /// Servers whose tools its sessions may use.
    #[serde(default)]
    mcp_servers: Vec<String>,
}

impl UserFile {
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| malformed(path, &error, text))
    }

    pub(super) fn apply(self, config: &mut Config, path: &Path) -> Result<(), Failure> {
        let wrong = |because: String| Failure::configuration(format!("{}: {because}", path.display()));
        if let Some(dollars) = self.spend_cap_usd {
            config.rules.spend_cap = Some(dollars_to_micro(dollars, "spend_cap_usd").map_err(wrong)?);
        }
        self.thresholds.apply(config, false).map_err(wrong)?;
        config.ask_kind = self.rules.ask_kind;
        config.reproduce = self.rules.reproduce;
        config.ask_patch = self.rules.ask_patch.unwrap_or(true);
        config.allow = self.allow;
        if self.local_servers == Some(false) {
            config.locals.clear();
        }
        config.deny = self.deny;
        self.warm.apply(&mut config.warm);
        config.checks = self.check;
        config.checks.iter().try_for_each(CheckEntry::startable).map_err(wrong)?;
        config.servers = super::servers::servers(&self.mcp_servers).map_err(wrong)?;
        for role in self.role {
            config.roles.retain(|known| known.kind != role.kind);
            config.roles.push(role);
        }
        for table in self.member {
            table.apply(config).map_err(wrong)?;
        }
        config.handover = self.handover;
        if let Some(name) = config.unknown_in_handover() {
            return Err(wrong(format!("handover: there is no member `{name}`")));
        }
        Ok(())
    }
}

impl CheckEntry {
    /// A program is named as the PATH knows it, or by an absolute path: what `./tests` means depends on the directory,
    /// and in a copy with a patch it would be the patch's.
    pub(super) fn startable(&self) -> Result<(), String> {
        let id = &self.id;
        match self.command.first() {
            None => Err(format!("check `{id}`: `command` is empty")),
            Some(program) if program.contains('/') && !Path::new(program).is_absolute() => Err(format!(
                "check `{id}`: `{program}` is neither a program on the PATH nor an absolute path; \
                 where it is a script, name what runs it: command = [\"sh\", \"{program}\"]"
            )),
            Some(_) => Ok(()),
        }
    }
}

impl Thresholds {
    /// Sets them; with `only_up`, a lower one than what holds already changes nothing.
    pub(super) fn apply(self, config: &mut Config, only_up: bool) -> Result<(), String> {
        let thresholds = &mut config.rules.thresholds;
        let named = [
            ("thresholds.low", self.low, &mut thresholds.low),
            ("thresholds.normal", self.normal, &mut thresholds.normal),
            ("thresholds.high", self.high, &mut thresholds.high),
            ("thresholds.critical", self.critical, &mut thresholds.critical),
        ];
        for (key, value, place) in named {
            if let Some(value) = value {
                let wanted = fraction(value, key)?;
                *place = if only_up { (*place).max(wanted) } else { wanted };
            }
        }
        Ok(())
    }
}

impl MemberTable {
    fn apply(mut self, config: &mut Config) -> Result<(), String> {
        if !self.mcp_servers.is_empty() {
            self.settings.insert(baton_members::SERVERS.to_owned(), self.mcp_servers.join(","));
        }
        if self.disabled == Some(true) {
            config.entries.retain(|entry| entry.member.id != self.id);
            return Ok(());
        }
        if let Some(entry) = config.entries.iter_mut().find(|entry| entry.member.id == self.id) {
            self.change(entry);
            return Ok(());
        }
        config.entries.push(self.create()?);
        Ok(())
    }

    fn change(self, entry: &mut Entry) {
        entry.off &= self.disabled != Some(false);
        let member = &mut entry.member;
        set(&mut member.vendor, self.vendor);
        set(&mut member.family, self.family);
        set(&mut member.channel.kind, self.channel);
        set(&mut member.tier, self.tier);
        set(&mut member.strengths, self.strengths);
        set(&mut member.context_window, self.context_window);
        set(&mut member.payer, self.payer);
        set(&mut member.account, self.account);
        set(&mut member.limits, self.limits);
        member.model = self.model.or(member.model.take());
        member.effort = self.effort.or(member.effort);
        member.price = self.price.or(member.price);
        member.channel.settings.extend(self.settings);
        entry.needs.program = self.program.or(entry.needs.program.take());
        entry.needs.key_env = self.key_env.or(entry.needs.key_env.take());
    }

    /// A member that the catalogue does not have.
    fn create(self) -> Result<Entry, String> {
        let missing =
            |key: &str| format!("member `{}`: `{key}` is missing, and the catalogue has no such member", self.id);
        let vendor = self.vendor.ok_or_else(|| missing("vendor"))?;
        let channel = self.channel.ok_or_else(|| missing("channel"))?;
        let member = Member {
            nature: baton_core::member::Nature::Model,
            family: self.family.unwrap_or_else(|| vendor.clone()),
            channel: baton_core::member::ChannelSpec { kind: channel, settings: self.settings },
            model: self.model,
            effort: self.effort,
            tier: self.tier.ok_or_else(|| missing("tier"))?,
            strengths: self.strengths.unwrap_or_default(),
            context_window: self.context_window.unwrap_or(32_000),
            price: self.price,
            payer: self.payer.ok_or_else(|| missing("payer"))?,
            account: self.account.unwrap_or_else(|| vendor.clone()),
            limits: self.limits.unwrap_or_default(),
            scripted: false,
            id: self.id.clone(),
            vendor,
        };
        let needs = Needs { program: self.program, key_env: self.key_env };
        Ok(Entry { member, needs, install: String::new(), off: false })
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
