//! The few styles that screens use. `anstream` takes them away where there is no terminal.

use anstyle::{AnsiColor, Style};

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

pub(crate) fn good(text: &str) -> String {
    paint(AnsiColor::Green.on_default().bold(), text)
}

pub(crate) fn bad(text: &str) -> String {
    paint(AnsiColor::Red.on_default().bold(), text)
}

pub(crate) fn warn(text: &str) -> String {
    paint(AnsiColor::Yellow.on_default().bold(), text)
}

pub(crate) fn dim(text: &str) -> String {
    paint(Style::new().dimmed(), text)
}

pub(crate) fn strong(text: &str) -> String {
    paint(Style::new().bold(), text)
}

/// `1.4 s`, `2 min 05 s`: enough to feel the time, no more.
pub(crate) fn duration(millis: u64) -> String {
    let seconds = millis / 1_000;
    if seconds < 60 {
        format!("{seconds}.{} s", millis % 1_000 / 100)
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// The cost, or what is known of it, and who paid it: `$0.0123 by key`.
pub(crate) fn paid(amount: baton_core::units::MicroUsd, unknown: bool, payers: &str) -> String {
    let by = if payers.is_empty() { String::new() } else { format!(" by {payers}") };
    match (amount.0, unknown) {
        (0, true) if payers.is_empty() => "cost unknown".to_owned(),
        (0, true) => format!("cost unknown, paid{by}"),
        (_, true) => format!("{amount}{by} and more, as some cost is unknown"),
        (_, false) => format!("{amount}{by}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_core::units::MicroUsd;

    #[test]
    fn unknown_cost_is_never_shown_as_nothing() {
        assert_eq!(paid(MicroUsd(0), true, ""), "cost unknown");
        assert_eq!(paid(MicroUsd(0), true, "key"), "cost unknown, paid by key");
        assert_eq!(paid(MicroUsd(20_000), true, "key"), "$0.02 by key and more, as some cost is unknown");
        assert_eq!(paid(MicroUsd(0), false, ""), "$0.00");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(1_449), "1.4 s");
        assert_eq!(duration(125_000), "2 min 05 s");
    }
}
