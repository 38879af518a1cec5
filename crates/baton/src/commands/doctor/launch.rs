//! What an MCP server is started by, without the arguments that may hold secrets.

use super::version::Version;

/// A package and the version that it is pinned to, where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: Option<Version>,
}

/// A program that fetches a package and starts it.
struct Fetcher {
    program: &'static str,
    /// Words between the program and its flags.
    words: &'static [&'static str],
    /// Flags that stand alone.
    bare: &'static [&'static str],
    /// Flags with a value that is not the package.
    valued: &'static [&'static str],
    /// Flags whose value is the package.
    package: &'static [&'static str],
}

const FETCHERS: &[Fetcher] = &[
    Fetcher { program: "npx", words: &[], bare: NPM_BARE, valued: &[], package: &["-p", "--package"] },
    Fetcher { program: "bunx", words: &[], bare: &["--bun", "-y"], valued: &[], package: &["-p", "--package"] },
    Fetcher { program: "uvx", words: &[], bare: UV_BARE, valued: UV_VALUED, package: &["--from"] },
    Fetcher { program: "uv", words: &["tool", "run"], bare: UV_BARE, valued: UV_VALUED, package: &["--from"] },
    Fetcher { program: "uv", words: &["run"], bare: UV_BARE, valued: UV_VALUED, package: &["--from"] },
    Fetcher { program: "pipx", words: &["run"], bare: &[], valued: &["--python"], package: &["--spec"] },
];
const NPM_BARE: &[&str] = &["-y", "--yes", "-q", "--quiet", "--prefer-offline", "--no-install"];
const UV_BARE: &[&str] = &["-q", "--quiet", "--offline", "--isolated", "--no-project", "--frozen"];
const UV_VALUED: &[&str] = &["--directory", "--project", "--python", "-p", "--with", "--prerelease"];

/// The last part of a path of either system, without the endings that Windows gives to programs.
pub(super) fn program_name(command: &str) -> &str {
    let name = command.rsplit(['/', '\\']).next().unwrap_or(command);
    [".exe", ".cmd", ".bat"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// The program of a command as it can be shown. Some settings hold a whole line there, with anything in it.
pub(super) fn shown_program(command: &str) -> String {
    let whole = is_one_program(command);
    let path = if whole { command } else { command.split_whitespace().next().unwrap_or_default() };
    let name = program_name(path);
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    if !name.is_empty() && name.len() <= 40 && name.chars().all(letter) {
        name.to_owned()
    } else {
        "a program".to_owned()
    }
}

/// Whether the command names a program and is no line with arguments.
pub(super) fn is_one_program(command: &str) -> bool {
    !command.contains(char::is_whitespace) || [".exe", ".cmd", ".bat"].iter().any(|ending| command.ends_with(ending))
}

/// The command without a Windows shell in front of it.
pub(super) fn unwrapped<'a>(command: &'a str, arguments: &'a [String]) -> (&'a str, &'a [String]) {
    match arguments {
        [flag, inner, rest @ ..] if program_name(command) == "cmd" && flag.eq_ignore_ascii_case("/c") => (inner, rest),
        _ => (command, arguments),
    }
}

/// The package that a known fetcher is told to start. `None` where it is not certain which word is the package: the
/// value of an unknown flag could be anything.
pub(super) fn package(command: &str, arguments: &[String]) -> Option<Package> {
    let (command, arguments) = unwrapped(command, arguments);
    let fits = |fetcher: &&Fetcher| {
        fetcher.program == program_name(command)
            && arguments.len() > fetcher.words.len()
            && fetcher.words.iter().zip(arguments).all(|(word, argument)| word == argument)
    };
    let fetcher = FETCHERS.iter().find(fits)?;
    let mut rest = arguments[fetcher.words.len()..].iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let (flag, value) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        if fetcher.package.contains(&flag) {
            return read_package(value.or_else(|| rest.next())?);
        } else if fetcher.valued.contains(&flag) {
            value.or_else(|| rest.next())?;
        } else if !fetcher.bare.contains(&word) {
            return read_package(word);
        }
    }
    None
}

/// `name`, `@scope/name@1.2.3`, `name==1.2.3`, `git+https://host/owner/name@revision`.
fn read_package(word: &str) -> Option<Package> {
    if let Some((_, address)) = word.split_once("://") {
        let name = address.trim_end_matches('/').rsplit('/').next()?;
        let name = name.split(['@', '#', '?']).next()?;
        return plain(name.strip_suffix(".git").unwrap_or(name), None);
    }
    if let Some((name, version)) = word.split_once("==") {
        return plain(name, Version::parse(version));
    }
    match word.char_indices().skip(1).find(|(_, letter)| *letter == '@') {
        Some((at, _)) => plain(&word[..at], Version::parse(&word[at + 1..])),
        None => plain(word, None),
    }
}

/// A name that looks like one of a package, and like nothing else.
fn plain(name: &str, version: Option<Version>) -> Option<Package> {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "@/._-".contains(letter);
    let fits = !name.is_empty() && name.len() <= 80 && name.chars().all(letter) && !name.starts_with(['-', '/', '.']);
    fits.then(|| Package { name: name.to_owned(), version })
}

/// A web address down to its host: paths, queries and users can hold secrets.
pub(super) fn host_of(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let letter = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]_".contains(letter);
    match scheme {
        _ if !host.chars().all(letter) => "an address".to_owned(),
        "http" | "https" | "ws" | "wss" => format!("{scheme}://{host}"),
        _ => "an address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<(String, Option<Version>)> {
        let mut words = line.split(' ').map(str::to_owned);
        let command = words.next().unwrap();
        package(&command, &words.collect::<Vec<_>>()).map(|package| (package.name, package.version))
    }

    #[test]
    fn a_package_is_read_with_its_pin() {
        let pin = Version::parse;
        for (line, name, version) in [
            ("npx -y gemini-mcp-tool", "gemini-mcp-tool", None),
            ("npx gemini-mcp-tool@1.1.5 --port 3", "gemini-mcp-tool", pin("1.1.5")),
            ("/usr/bin/npx --yes @scope/server@2.0.0", "@scope/server", pin("2.0.0")),
            ("npx -p @scope/server@latest run", "@scope/server", None),
            ("npx --package=mcp-remote@0.1.15 mcp-remote", "mcp-remote", pin("0.1.15")),
            ("C:\\node\\npx.cmd -y mcp-remote", "mcp-remote", None),
            ("cmd /c npx -y mcp-remote", "mcp-remote", None),
            ("uvx --from git+https://user:pass@github.com/oraios/serena.git serena", "serena", None),
            ("uvx serena-agent==1.5.1", "serena-agent", pin("1.5.1")),
            ("uv run --directory /srv/serena serena start-mcp-server", "serena", None),
            ("uv tool run --from serena-agent@2.1.0 serena", "serena-agent", pin("2.1.0")),
            ("pipx run mcp-proxy", "mcp-proxy", None),
        ] {
            assert_eq!(found(line), Some((name.to_owned(), version)), "{line}");
        }
    }

    #[test]
    fn what_could_be_a_secret_is_no_package() {
        for line in ["npx --token sk-canary server", "node server.js", "uv sync", "npx -y", "uvx --from", "npx -y $KEY"]
        {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn an_address_is_shown_down_to_its_host() {
        assert_eq!(
            host_of("https://user:sk-canary@mcp.example.com:8443/t/sk-canary?key=sk-canary"),
            "https://mcp.example.com:8443"
        );
        for odd in ["sk-canary", "file:///etc/sk-canary", "https://\u{1b}[2Jhost/"] {
            assert_eq!(host_of(odd), "an address");
        }
    }

    #[test]
    fn a_whole_line_in_the_place_of_a_program_is_not_shown() {
        for (command, shown) in [
            ("npx -y server --key sk-canary/x", "npx"),
            ("TOKEN=sk-canary npx server", "a program"),
            ("C:\\Program Files\\node.exe", "node"),
            ("/usr/bin/env A=sk-canary/b npx", "env"),
            ("\u{1b}[2Jnpx", "a program"),
            ("", "a program"),
        ] {
            assert_eq!(shown_program(command), shown, "{command}");
        }
    }

    #[test]
    fn a_program_has_one_name_on_every_system() {
        for path in ["/opt/x/node", "node", "C:\\Program Files\\node.exe"] {
            assert_eq!(program_name(path), "node");
        }
    }
}
