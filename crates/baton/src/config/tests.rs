use super::*;
use crate::failure::Exit;

fn load(user: &str, project: Option<&str>) -> Result<Config, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(&folder.path().join("home"));
    let work = folder.path().join("work/inner");
    std::fs::create_dir_all(&home.data).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    std::fs::write(&home.configuration, user).unwrap();
    if let Some(text) = project {
        std::fs::write(folder.path().join("work").join(PROJECT_FILE), text).unwrap();
    }
    Config::load_in(&home, &work)
}

fn member<'a>(config: &'a Config, name: &str) -> Option<&'a baton_core::member::Member> {
    config.entries.iter().map(|entry| &entry.member).find(|member| member.id.as_str() == name)
}

#[test]
fn every_role_of_the_catalogue_names_members_of_it() {
    let config = load("", None).unwrap();
    assert_eq!(config.roles.len(), 12);
    for role in &config.roles {
        for id in role.primary.iter().chain(&role.secondary) {
            assert!(member(&config, id.as_str()).is_some(), "{}: {id}", role.kind);
        }
    }
    for retired in &config.retired {
        assert!(member(&config, &retired.successor).is_some(), "{}", retired.name);
        assert!(member(&config, &retired.name).is_none());
    }
}

#[test]
fn every_member_of_the_catalogue_has_a_channel_that_takes_its_settings() {
    let tools = baton_members::Tools::new(baton_process::Launcher::without_shim(), []);
    for entry in &load("", None).unwrap().entries {
        let opened = baton_members::open(&entry.member, &tools);
        assert!(opened.is_ok(), "{}: {:?}", entry.member.id, opened.err());
    }
}

#[test]
fn asking_for_the_kind_is_the_users_choice_and_off_unless_made() {
    assert!(!load("", None).unwrap().ask_kind);
    assert!(load("[rules]\nask_kind = true", None).unwrap().ask_kind);
    assert!(load("", None).unwrap().ask_patch && !load("[rules]\nask_patch = false", None).unwrap().ask_patch);
    assert!(load("[rules]\nask_kinds = true", None).is_err());
    assert!(load("", Some("[rules]\nask_kind = true")).is_err(), "a project may only narrow");
}

#[test]
fn the_catalogue_has_the_missions_thresholds() {
    let thresholds = load("", None).unwrap().rules.thresholds;
    let shown = [thresholds.low, thresholds.normal, thresholds.high, thresholds.critical].map(Probability::millionths);
    assert_eq!(shown, [600_000, 700_000, 800_000, 900_000]);
}

#[test]
fn a_user_changes_and_adds_members() {
    let config = load(
        "spend_cap_usd = 0.5\n[thresholds]\nhigh = 0.85\n[[member]]\nid = \"claude\"\ntier = 2\nmodel = \"opus\"\n\
         [[member]]\nid = \"mine\"\nvendor = \"me\"\nchannel = \"openai-chat\"\ntier = 3\npayer = \"local\"\n\
         [[member]]\nid = \"codex-low\"\ndisabled = true\n",
        None,
    )
    .unwrap();
    let claude = member(&config, "claude").unwrap();
    assert_eq!((claude.tier, claude.model.as_deref()), (2, Some("opus")));
    assert_eq!(claude.vendor, "anthropic", "what is not said stays");
    assert_eq!(member(&config, "mine").unwrap().account, "me");
    assert!(member(&config, "codex-low").is_none());
    assert_eq!(config.rules.spend_cap, Some(MicroUsd(500_000)));
}

#[test]
fn errors_name_file_line_and_key() {
    let cases = [
        ("\nspend_cap = 3\n", ":2: ", "unknown field `spend_cap`"),
        ("[[member]]\nid = \"claude\"\ntiers = 1\n", ":3: ", "tiers"),
        ("[[member]]\nid = \"no good\"\n", ":2: ", "no good"),
        ("allow = [\n", ":", ""),
        ("[[member]]\nid = \"new\"\ntier = 1\n", "", "`vendor` is missing"),
        ("[thresholds]\nhigh = 7\n", "", "`thresholds.high` must be from 0 to 1"),
        ("spend_cap_usd = -1.0\n", "", "`spend_cap_usd` must be an amount"),
    ];
    for (text, line, key) in cases {
        let failure = load(text, None).unwrap_err();
        assert_eq!(failure.exit, Exit::Configuration, "{text}");
        let shown = format!("{} {}", failure.message, failure.hints.join(" "));
        assert!(shown.contains("baton.toml") && shown.contains(line) && shown.contains(key), "{text}: {shown}");
    }
}

#[test]
fn a_project_can_only_narrow() {
    let wide =
        load("spend_cap_usd = 0.5", Some("spend_cap_usd = 90.0\nwithout = [\"claude\"]\n[thresholds]\nhigh = 0.1\n"));
    let config = wide.unwrap();
    assert_eq!(config.rules.spend_cap, Some(MicroUsd(500_000)));
    assert_eq!(config.rules.thresholds.high.millionths(), 800_000);
    assert!(member(&config, "claude").is_none());
    let narrow = load("", Some("spend_cap_usd = 0.1\n[thresholds]\nhigh = 0.95\n")).unwrap();
    assert_eq!(narrow.rules.spend_cap, Some(MicroUsd(100_000)));
    assert_eq!(narrow.rules.thresholds.high.millionths(), 950_000);
}

#[test]
fn a_project_cannot_add_members_vendors_or_endpoints() {
    for text in ["allow = [\"x\"]", "[[member]]\nid = \"x\"", "[[role]]\nkind = \"architecture\""] {
        let failure = load("", Some(text)).unwrap_err();
        assert!(failure.hints.iter().any(|hint| hint.contains("only narrow")), "{text}");
    }
}

#[test]
fn a_project_s_commands_are_not_among_the_users() {
    let config = load("", Some("[[check]]\nid = \"t\"\ncommand = [\"make\"]\n")).unwrap();
    assert!(config.checks.is_empty());
    assert_eq!(config.project.unwrap().checks.len(), 1);
}

#[test]
fn unknown_and_retired_names_are_told_with_a_way_out() {
    let config = load("", None).unwrap();
    assert!(config.unknown_member("claud").hints[0].contains("`claude"), "{:?}", config.unknown_member("claud"));
    assert!(config.unknown_member("cheetah").hints[0].starts_with("ask `"));
}

#[test]
fn a_handover_rule_names_members_or_what_their_names_begin_with() {
    let rules = "[handover]\ncodex = [\"claude\", \"codex\"]\ncodex-low = [\"gemini-cli\"]\n";
    let config = load(rules, None).unwrap();
    let members: Vec<_> = config.entries.iter().map(|entry| entry.member.clone()).collect();
    let followers = config.followers(&members);
    let of = |name: &str| {
        let found = followers.iter().find(|(id, _)| id.as_str() == name).unwrap().1;
        found.iter().map(MemberId::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("codex-low"), "gemini-cli", "its own name goes before the beginning of it");
    assert_eq!(of("codex-high"), "claude codex-low codex-medium codex-mcp-server", "never itself");
    let few: Vec<_> = members.iter().filter(|member| member.id.as_str() != "claude").cloned().collect();
    assert_eq!(config.followers(&few).values().next().unwrap()[0].as_str(), "codex-low", "who is there");
    assert_eq!(load("[handover]\nx = [\"claude\"]", None).unwrap_err().exit, Exit::Configuration);
}

const SERVER: &str = "[mcp_servers.notes]\ncommand = \"notes\"\nargs = [\"--quiet\"]\ninherit = [\"NOTES_TOKEN\"]\n";

#[test]
fn a_member_gets_the_servers_that_the_user_names_for_it_and_no_other() {
    let config = load(&format!("{SERVER}[[member]]\nid = \"claude\"\nmcp_servers = [\"notes\"]\n"), None).unwrap();
    assert_eq!(config.servers.len(), 1);
    assert_eq!(member(&config, "claude").unwrap().channel.settings["mcp_servers"], "notes");
    assert!(!member(&config, "codex-high").unwrap().channel.settings.contains_key("mcp_servers"));
    let missing = load("[[member]]\nid = \"claude\"\nmcp_servers = [\"notes\"]\n", None).unwrap_err();
    assert!(format!("{missing:?}").contains("`notes`"), "{missing:?}");
}

#[test]
fn servers_that_cannot_work_or_show_a_key_are_refused_by_name() {
    for (table, word) in [
        ("", "neither"),
        ("command = \"a\"\nurl = \"https://h/p\"\n", "one or the other"),
        ("url = \"http://example.com/p\"\n", "plain http"),
        ("url = \"https://h/p\"\nargs = [\"x\"]\n", "for a `command`"),
        ("command = \"a\"\nkey_env = \"K\"\n", "inherit"),
        ("command = \"a\"\nargs = [\"--key\", \"sk-proj-Abc123DEF456\"]\n", "looks like a key"),
        ("comand = \"a\"\n", "comand"),
    ] {
        let refused = load(&format!("[mcp_servers.notes]\n{table}"), None).unwrap_err();
        assert!(format!("{refused:?}").contains(word), "{table}: {refused:?}");
        assert!(!format!("{refused:?}").contains("Abc123DEF456"), "{refused:?}");
    }
}

#[test]
fn a_projects_servers_are_its_own_until_they_are_trusted() {
    let user = "[[member]]\nid = \"claude\"\nmcp_servers = [\"notes\"]\n";
    let config = load(user, Some(SERVER)).unwrap();
    assert!(config.servers.is_empty());
    let project = config.project.unwrap();
    assert!(project.brings_commands() && project.servers.len() == 1);
}

#[test]
fn bounds_of_programs_that_rest_are_read_and_the_others_keep_their_default() {
    let usual = baton_members::warm::Limits::default();
    let config = load("[warm]\nmost = 0\nstart_mb = 7\n", None).unwrap();
    assert_eq!(config.warm, baton_members::warm::Limits { most: 0, start_bytes: 7 << 20, ..usual });
    assert_eq!(load("", None).unwrap().warm, usual);
    assert!(load("[warm]\nmost = -1\n", None).is_err() && load("[warm]\nmoist = 1\n", None).is_err());
}
