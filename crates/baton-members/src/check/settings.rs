//! The settings of a check, read once.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use baton_core::member::Member;

/// Why a check cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    #[error("the check names no program: set `program` or `command`")]
    NoProgram,
    #[error("the check has a setting `{0}` that no check has")]
    Unknown(String),
    #[error("the check's arguments have a gap: `arg.{0}` is missing")]
    Gap(usize),
    #[error("the check's setting `{setting}`: {because}")]
    Invalid { setting: String, because: &'static str },
    #[error("the check has both `{0}` and `{1}`; one of them must go")]
    Twice(&'static str, &'static str),
}

/// Where a build writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetDirectory {
    /// Where its tool says.
    Own,
    Private,
    At(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) needs: Vec<String>,
    pub(super) target: TargetDirectory,
    pub(super) variables: BTreeMap<String, String>,
}

impl Settings {
    pub(super) fn read(member: &Member) -> Result<Self, CheckError> {
        let mut reader = Reader::default();
        for (name, value) in &member.channel.settings {
            if value.contains('\0') {
                return Err(invalid(name, "a value cannot hold a zero byte"));
            }
            reader.take(name, value)?;
        }
        reader.settings()
    }
}

fn invalid(setting: &str, because: &'static str) -> CheckError {
    CheckError::Invalid { setting: setting.to_owned(), because }
}

#[derive(Default)]
struct Reader {
    program: Option<String>,
    numbered: BTreeMap<usize, String>,
    listed: Option<Vec<String>>,
    command: Option<Vec<String>>,
    needs: Vec<String>,
    target: Option<TargetDirectory>,
    variables: BTreeMap<String, String>,
}

impl Reader {
    fn take(&mut self, name: &str, value: &str) -> Result<(), CheckError> {
        match name {
            "program" => self.program = Some(value.to_owned()),
            "command" => self.command = Some(value.split_whitespace().map(str::to_owned).collect()),
            "args" => {
                let list = serde_json::from_str(value).map_err(|_| invalid(name, "is no JSON list of texts"))?;
                self.listed = Some(list);
            }
            "abstain_without" => self.needs = value.split(',').map(|name| name.trim().to_owned()).collect(),
            "target_dir" => self.target = Some(target(value)?),
            _ => return self.take_named(name, value),
        }
        Ok(())
    }

    fn take_named(&mut self, name: &str, value: &str) -> Result<(), CheckError> {
        let unknown = || CheckError::Unknown(name.to_owned());
        match name.split_once('.').ok_or_else(unknown)? {
            ("arg", number) => {
                let index = number.parse().map_err(|_| unknown())?;
                self.numbered.insert(index, value.to_owned());
            }
            ("env", variable) if !variable.is_empty() && !variable.contains('=') => {
                self.variables.insert(variable.to_owned(), value.to_owned());
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn settings(self) -> Result<Settings, CheckError> {
        if self.command.is_some() && self.program.is_some() {
            return Err(CheckError::Twice("command", "program"));
        }
        if self.listed.is_some() && !self.numbered.is_empty() {
            return Err(CheckError::Twice("args", "arg.0"));
        }
        if let Some(missing) = (0..self.numbered.len()).find(|index| !self.numbered.contains_key(index)) {
            return Err(CheckError::Gap(missing));
        }
        let mut words = self.command.unwrap_or_default().into_iter();
        let program = self.program.or_else(|| words.next()).filter(|program| !program.is_empty());
        let program = program.ok_or(CheckError::NoProgram)?;
        check_program(&program)?;
        let further = self.listed.unwrap_or_else(|| self.numbered.into_values().collect());
        Ok(Settings {
            program,
            arguments: words.chain(further).collect(),
            needs: self.needs,
            target: self.target.unwrap_or(TargetDirectory::Own),
            variables: self.variables,
        })
    }
}

/// A path that depends on the directory would be a program of the workspace, which is not the user's own.
fn check_program(program: &str) -> Result<(), CheckError> {
    let path = Path::new(program);
    let mut components = path.components();
    let is_name =
        matches!((components.next(), components.next()), (Some(Component::Normal(name)), None) if name == path);
    if path.is_absolute() || is_name {
        return Ok(());
    }
    Err(invalid("program", "takes a name to be found on the PATH, or an absolute path"))
}

fn target(value: &str) -> Result<TargetDirectory, CheckError> {
    match value {
        "private" => Ok(TargetDirectory::Private),
        path if Path::new(path).is_absolute() => Ok(TargetDirectory::At(PathBuf::from(path))),
        _ => Err(invalid("target_dir", "takes `private` or an absolute path")),
    }
}
