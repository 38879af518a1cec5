//! Where in an event something stands, and which events are meant.

use serde_json::Value;

/// A way into a JSON value: `usage.input`, or a JSON pointer (`/usage/input`) for names with dots. `*` is every member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<String>);

impl Path {
    /// # Errors
    /// A path with an empty part.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect(),
            None => text.split('.').map(str::to_owned).collect(),
        };
        if parts.iter().any(String::is_empty) {
            return Err(format!("`{text}` is no path"));
        }
        Ok(Self(parts))
    }

    /// All that stands there; nothing where the path does not lead.
    fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        self.0.iter().fold(vec![value], |found, part| found.into_iter().flat_map(|value| step(value, part)).collect())
    }
}

fn step<'a>(value: &'a Value, part: &str) -> Vec<&'a Value> {
    match (part, value) {
        ("*", Value::Array(values)) => values.iter().collect(),
        ("*", Value::Object(members)) => members.values().collect(),
        (_, Value::Array(values)) => part.parse().ok().and_then(|at: usize| values.get(at)).into_iter().collect(),
        _ => value.get(part).into_iter().collect(),
    }
}

/// Paths, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paths(Vec<Path>);

impl Paths {
    /// # Errors
    /// No path, or one with an empty part.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let paths: Vec<Path> = lines(text).map(Path::parse).collect::<Result<_, _>>()?;
        if paths.is_empty() { Err("names no path".to_owned()) } else { Ok(Self(paths)) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The strings at the first path that leads to one, put together.
    pub(crate) fn text(&self, event: &Value) -> Option<String> {
        self.0.iter().find_map(|path| {
            let texts: Vec<&str> = path.find(event).into_iter().filter_map(Value::as_str).collect();
            (!texts.is_empty()).then(|| texts.concat())
        })
    }

    /// The sum of all whole numbers at all paths.
    pub(crate) fn sum(&self, event: &Value) -> Option<u64> {
        let found = self.0.iter().flat_map(|path| path.find(event)).filter_map(Value::as_u64);
        found.fold(None, |sum, number| Some(sum.unwrap_or(0_u64).saturating_add(number)))
    }

    /// The first number.
    pub(crate) fn number(&self, event: &Value) -> Option<f64> {
        self.0.iter().flat_map(|path| path.find(event)).find_map(Value::as_f64)
    }

    /// The first whole number, also one that is written as a string.
    pub(crate) fn whole(&self, event: &Value) -> Option<u64> {
        let whole = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        self.0.iter().flat_map(|path| path.find(event)).find_map(whole)
    }
}

/// Which events are meant: alternatives, one a line, each of tests joined by ` & `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition(Vec<Vec<Test>>);

/// `path=value`, or `path!=value`. A value that is not there is `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Test {
    path: Path,
    value: String,
    wanted: bool,
}

impl Condition {
    /// # Errors
    /// No test, or one without a path or `=`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let line = |line: &str| line.split(" & ").map(Test::parse).collect::<Result<_, _>>();
        let alternatives: Vec<Vec<Test>> = lines(text).map(line).collect::<Result<_, _>>()?;
        if alternatives.is_empty() { Err("names no event".to_owned()) } else { Ok(Self(alternatives)) }
    }

    pub(crate) fn holds(&self, event: &Value) -> bool {
        self.0.iter().any(|tests| tests.iter().all(|test| test.holds(event)))
    }
}

impl Test {
    fn parse(text: &str) -> Result<Self, String> {
        let (path, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form path=value"))?;
        let (path, wanted) = match path.strip_suffix('!') {
            Some(path) => (path, false),
            None => (path, true),
        };
        Ok(Self { path: Path::parse(path.trim())?, value: value.trim().to_owned(), wanted })
    }

    fn holds(&self, event: &Value) -> bool {
        let found = self.path.find(event);
        let is_there = match found.as_slice() {
            [] => self.value == "null",
            found => found.iter().any(|value| match value {
                Value::String(text) => *text == self.value,
                other => other.to_string() == self.value,
            }),
        };
        is_there == self.wanted
    }
}

/// The lines of a setting that holds several things.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_into_events() {
        let event = json!({ "a": { "b": "one" }, "list": [{ "t": "x" }, { "t": "y" }, 3], "odd.name": { "/": 7 } });
        let text = |path: &str| Paths::parse(path).unwrap().text(&event);
        assert_eq!(text("a.b").as_deref(), Some("one"));
        assert_eq!(text("/a/b").as_deref(), Some("one"));
        assert_eq!(text("list.*.t").as_deref(), Some("xy"));
        assert_eq!(text("list.1.t").as_deref(), Some("y"));
        assert_eq!(text("nowhere\na.b").as_deref(), Some("one"), "the first that leads to a text");
        assert_eq!(text("a"), None);
        assert_eq!(Paths::parse("/odd.name/~1").unwrap().whole(&event), Some(7));
    }

    #[test]
    fn numbers_are_added_and_absent_is_not_zero() {
        let event = json!({ "models": { "m": { "in": 3 }, "n": { "in": 4 } }, "extra": 5, "status": "429" });
        assert_eq!(Paths::parse("models.*.in\nextra").unwrap().sum(&event), Some(12));
        assert_eq!(Paths::parse("models.*.out").unwrap().sum(&event), None);
        assert_eq!(Paths::parse("status").unwrap().whole(&event), Some(429));
        assert_eq!(Paths::parse("extra").unwrap().number(&event), Some(5.0));
    }

    #[test]
    fn conditions_choose_events() {
        let holds = |condition: &str, event: &Value| Condition::parse(condition).unwrap().holds(event);
        let result = json!({ "type": "result", "is_error": false, "code": 0, "none": null });
        assert!(holds("type=result", &result) && !holds("type=other", &result));
        assert!(holds("type=result & is_error=false", &result));
        assert!(!holds("type=result & is_error!=false", &result));
        assert!(holds("type=other\ncode=0", &result), "a line is an alternative");
        assert!(holds("missing=null & none=null", &result) && holds("missing!=0", &result));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "a..b", "/", "."] {
            assert!(Paths::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "type", "=x", "type=x & y"] {
            assert!(Condition::parse(text).is_err(), "{text:?}");
        }
    }
}
