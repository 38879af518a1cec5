//! Every entry of the catalogue says all that it must.

use std::collections::BTreeSet;

use baton_core::member::Payer;
use toml::{Table, Value};

use super::catalog::{self, built_in};
use super::*;

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/members.toml"));

const KNOWN: &[&str] = &[
    "id",
    "vendor",
    "family",
    "channel",
    "model",
    "effort",
    "tier",
    "strengths",
    "context_window",
    "price",
    "price_as_of",
    "price_unknown",
    "payer",
    "account",
    "limits",
    "needs",
    "install",
    "off",
];

fn records() -> Vec<Table> {
    let file: Table = toml::from_str(FILE).unwrap();
    file["member"].as_array().unwrap().iter().map(|record| record.as_table().unwrap().clone()).collect()
}

fn text<'a>(record: &'a Table, key: &str) -> &'a str {
    record.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn every_record_has_only_known_fields_and_all_that_are_needed() {
    for record in records() {
        let id = text(&record, "id").to_owned();
        let unknown: Vec<&String> = record.keys().filter(|key| !KNOWN.contains(&key.as_str())).collect();
        assert_eq!(unknown, [] as [&String; 0], "{id}");
        for key in ["vendor", "family", "payer", "account", "install"] {
            assert!(!text(&record, key).is_empty(), "{id}: {key}");
        }
        assert!(text(&record, "install").ends_with('.'), "{id}: how to get it is a sentence");
        let window = record["context_window"].as_integer().unwrap();
        assert!((4_000..=10_000_000).contains(&window), "{id}: {window}");
        assert!((1..=6).contains(&record["tier"].as_integer().unwrap()), "{id}");
    }
}

#[test]
fn ids_stand_once() {
    let mut seen = BTreeSet::new();
    for record in records() {
        assert!(seen.insert(text(&record, "id").to_owned()), "{}", text(&record, "id"));
    }
}

#[test]
fn what_a_key_pays_for_has_a_price_of_a_day_or_says_why_not() {
    for record in records().iter().filter(|record| text(record, "payer") == "key") {
        let id = text(record, "id");
        match record.get("price") {
            Some(_) => {
                let date: Result<jiff::civil::Date, _> = text(record, "price_as_of").parse();
                assert!(date.is_ok_and(|date| date.year() >= 2025), "{id}: price_as_of");
                assert!(!record.contains_key("price_unknown"), "{id}");
            }
            None => assert!(text(record, "price_unknown").ends_with('.'), "{id}: price, or price_unknown"),
        }
    }
    for entry in built_in().unwrap().entries.iter().filter(|entry| entry.member.payer == Payer::Subscription) {
        assert!(entry.member.price.is_none(), "{}: costs nothing by the call", entry.member.id);
    }
}

/// Those that are off too: their settings are read by their channel.
#[test]
fn every_record_opens_through_its_channel() {
    let tools = baton_members::Tools::new(baton_process::Launcher::without_shim(), []);
    for entry in built_in().unwrap().entries {
        let opened = baton_members::open(&entry.member, &tools);
        assert!(opened.is_ok(), "{}: {:?}", entry.member.id, opened.err());
        let has_need = entry.needs.program.is_some() || entry.needs.key_env.is_some();
        assert!(has_need, "{}: what must be there", entry.member.id);
        let settings = &entry.member.channel.settings;
        if let (Some(needed), Some(program)) = (&entry.needs.program, settings.get("program")) {
            assert_eq!(needed, program, "{}: looks for what it starts", entry.member.id);
        }
        if let (Some(needed), Some(key)) = (&entry.needs.key_env, settings.get("key_env")) {
            assert_eq!(needed, key, "{}: looks for the key that it sends", entry.member.id);
        }
    }
}

#[test]
fn every_retired_name_leads_to_a_record() {
    let config = built_in().unwrap();
    let on: BTreeSet<&str> =
        config.entries.iter().filter(|entry| !entry.off).map(|entry| entry.member.id.as_str()).collect();
    for catalog::Retired { name, successor, note } in &config.retired {
        assert!(on.contains(successor.as_str()), "{name}: {successor}");
        assert!(!on.contains(name.as_str()) && note.ends_with('.'), "{name}");
    }
    for name in ["cheetah", "code-supernova", "code-supernova-1-million"] {
        assert!(config.retired.iter().any(|retired| retired.name == name), "{name}");
    }
    for role in &config.roles {
        let named: Vec<&str> = role.primary.iter().chain(&role.secondary).map(MemberId::as_str).collect();
        assert!(!role.because.is_empty() && named.iter().all(|id| on.contains(id)), "{}: {named:?}", role.kind);
        assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len(), "{}: nobody is named twice", role.kind);
    }
}

#[test]
fn a_seat_that_is_off_can_be_switched_on_and_is_none_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let off = built_in().unwrap().entries.into_iter().find(|entry| entry.off).unwrap().member.id;
    let is_there = |change: &str| {
        let text = if change.is_empty() { String::new() } else { format!("[[member]]\nid = \"{off}\"\n{change}\n") };
        std::fs::write(&home.configuration, text).unwrap();
        Config::load(&home).unwrap().entries.iter().any(|entry| entry.member.id == off)
    };
    assert!(!is_there(""));
    assert!(!is_there("tier = 3"));
    assert!(is_there("disabled = false"));
}
