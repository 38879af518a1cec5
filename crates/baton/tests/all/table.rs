//! A table of scripted members, and the binary that sits at it.

use baton_script::{Answer, Fault, Rule, Script};
use baton_testkit::{Environment, Ran, Upstream};

/// A home, an upstream, and a configuration that seats its models.
pub(crate) struct Table {
    pub(crate) home: Environment,
    pub(crate) upstream: Upstream,
}

/// One seat: its name is its model's name too.
#[derive(Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) id: &'static str,
    pub(crate) tier: u8,
    pub(crate) vendor: &'static str,
}

pub(crate) const THREE: &[Seat] = &[
    Seat { id: "ash", tier: 1, vendor: "ash-co" },
    Seat { id: "beech", tier: 2, vendor: "beech-co" },
    Seat { id: "cork", tier: 2, vendor: "cork-co" },
];

pub(crate) fn home() -> Environment {
    Environment::new(env!("CARGO_BIN_EXE_baton")).unwrap()
}

impl Table {
    pub(crate) fn lay(seats: &[Seat], rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::lay_with(seats, rules, "")
    }

    /// As [`Self::lay`], with more for the user's `baton.toml`.
    pub(crate) fn lay_with(seats: &[Seat], rules: impl IntoIterator<Item = Rule>, more: &str) -> Self {
        let script = rules.into_iter().fold(Script::new(), Script::rule);
        let upstream = Upstream::start(script).unwrap();
        let mut home = home();
        home.set("TABLE_KEY", "sk-canary-0123456789");
        let mut text = format!("local_servers = false\n{more}\n");
        for Seat { id, tier, vendor } in seats {
            text.push_str(&format!(
                "[[member]]\nid = \"{id}\"\nvendor = \"{vendor}\"\nfamily = \"{id}\"\nchannel = \"openai-chat\"\n\
                 model = \"{id}\"\ntier = {tier}\npayer = \"key\"\naccount = \"{id}\"\nkey_env = \"TABLE_KEY\"\n\
                 price = {{ input = 1000000, output = 2000000 }}\n\
                 settings = {{ base_url = \"{}/v1\", key_env = \"TABLE_KEY\" }}\n",
                upstream.url()
            ));
        }
        home.configure(&text).unwrap();
        Self { home, upstream }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.home.run(arguments).unwrap()
    }

    /// Asks with consent given, and reads the decision.
    pub(crate) fn ask(&self, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
        let ran = self.run(&[&["ask", "--json", "--yes"], arguments].concat());
        let value = ran.json().unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        (ran.code, value)
    }
}

/// An answer with a verdict and no findings.
pub(crate) fn says(verdict: &str) -> Answer {
    let trailer = format!("{{\"verdict\": \"{verdict}\", \"confidence\": 0.8, \"findings\": []}}");
    Answer::text(format!("I looked at it.\n\n```json\n{trailer}\n```")).usage(1_000, 100, 0)
}

pub(crate) fn model(id: &str, answers: impl IntoIterator<Item = Answer>) -> Rule {
    answers.into_iter().fold(Rule::named(id).model(id), Rule::answer)
}

pub(crate) fn all(seats: &[Seat], verdict: &str) -> Vec<Rule> {
    seats.iter().map(|seat| model(seat.id, [says(verdict)])).collect()
}

pub(crate) fn fault(fault: Fault) -> Answer {
    Answer::fault(fault)
}
