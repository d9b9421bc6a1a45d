//! Options from the command line, the environment and the file.
//!
//! All three have the same names and the same values, and are read by the definitions of the command
//! line: a variable and a key of the file become the argument that they stand for.

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args, Command};
use toml::{Table, Value};

use crate::error::Error;
use crate::options::{Options, Route, Settings};

/// The options of all sources.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) settings: Settings,
    pub(crate) routes: Vec<Route>,
}

/// Reads the environment and the file, below the options of the command line.
pub(crate) fn read(options: Options) -> Result<Layers, Error> {
    let (environment, file) = environment(std::env::vars_os())?;
    let file = match options.config.or(file) {
        Some(path) => read_file(&path)?,
        None => Layers::default(),
    };
    let settings = options.settings.over(environment).over(file.settings);
    Ok(Layers { settings, routes: file.routes })
}

const PREFIX: &str = "TORII_GATE_";

/// The settings in the environment, and the file that it names. An empty variable counts as unset.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(Settings, Option<PathBuf>), Error> {
    let (mut arguments, mut file) = (Vec::new(), None);
    for (variable, value) in variables {
        let name = variable.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let Some(name) = name.filter(|name| !value.is_empty() && !is_service_link(name)) else {
            continue;
        };
        let failed = |why: String| Error::Config(format!("{PREFIX}{name}: {why}"));
        if name == "CONFIG" {
            file = Some(PathBuf::from(value));
            continue;
        }
        let command = command::<Settings>();
        let key = name.to_ascii_lowercase().replace('_', "-");
        // A misspelled requirement would admit every user.
        let option = option(&command, &key).filter(|_| name.to_ascii_uppercase() == name);
        let option = option.ok_or_else(|| failed("unknown variable".to_owned()))?;
        let text = value.to_str().ok_or_else(|| failed("not UTF-8".to_owned()))?;
        let values = match is_list(option) {
            true => text.split(',').map(str::trim).map(str::to_owned).collect(),
            false => vec![text.to_owned()],
        };
        arguments.extend(checked::<Settings>(&key, values).map_err(failed)?);
    }
    let settings = parse(arguments).map_err(|why| Error::Config(format!("environment: {why}")))?;
    Ok((settings, file))
}

/// Whether Kubernetes sets the variable, for a service of the same name.
fn is_service_link(name: &str) -> bool {
    let words: Vec<_> = name.split('_').collect();
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    words.last() == Some(&"PORT")
        || words.windows(2).any(|pair| match pair {
            ["SERVICE", "HOST" | "PORT"] => true,
            ["PORT", next] => is_number(next),
            _ => false,
        })
}

fn read_file(path: &Path) -> Result<Layers, Error> {
    let named = |why: String| Error::Config(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    file(&text).map_err(named)
}

fn file(text: &str) -> Result<Layers, String> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        // Without the line itself: it could be a password.
        let start = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", start.matches('\n').count() + 1, error.message())
    })?;
    let routes = match table.remove("route") {
        None => Vec::new(),
        Some(Value::Array(routes)) => routes,
        Some(_) => return Err("route: not a list (expected [[route]])".to_owned()),
    };
    let settings = section(table)?;
    let routes = routes.into_iter().enumerate().map(|(index, route)| {
        let named = |why: String| format!("route {}: {why}", index + 1);
        let Value::Table(route) = route else {
            return Err(named("not a table (expected [[route]])".to_owned()));
        };
        let route: Route = section(route).map_err(named)?;
        match route.listen.is_empty() {
            true => Err(named("listen: missing (expected an address of its own)".to_owned())),
            false => Ok(route),
        }
    });
    Ok(Layers { settings, routes: routes.collect::<Result<_, _>>()? })
}

/// Reads a table.
fn section<T: Args>(table: Table) -> Result<T, String> {
    let mut arguments = Vec::new();
    for (key, value) in table {
        let command = command::<T>();
        let option = option(&command, &key).ok_or_else(|| format!("{key}: unknown option"))?;
        let named = |why: String| format!("{key}: {why}");
        let values = values(option, value).map_err(named)?;
        arguments.extend(checked::<T>(&key, values).map_err(named)?);
    }
    parse(arguments)
}

/// The values of an option, as on the command line.
fn values(option: &Arg, value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(list) if is_list(option) => {
            list.into_iter().map(|item| scalar(option, item)).collect()
        }
        // [header]
        Value::Table(table) if option.get_id() == "header" => {
            let pair = |(name, claim)| match claim {
                Value::String(claim) => Ok(format!("{name}={claim}")),
                _ => Err(format!("{name}: not a string")),
            };
            table.into_iter().map(pair).collect()
        }
        value => Ok(vec![scalar(option, value)?]),
    }
}

fn scalar(option: &Arg, value: Value) -> Result<String, String> {
    let kind = option.get_value_parser().type_id();
    let is_number = kind == TypeId::of::<u32>() || kind == TypeId::of::<usize>();
    let is_bool = kind == TypeId::of::<bool>();
    match value {
        Value::Boolean(value) if is_bool => Ok(value.to_string()),
        Value::Integer(value) if is_number => Ok(value.to_string()),
        Value::String(value) if !is_bool && !is_number => Ok(value),
        _ if is_bool => Err("expected true or false".to_owned()),
        _ if is_number => Err("expected a number".to_owned()),
        _ => Err("expected a string".to_owned()),
    }
}

/// The options of the command line that `T` defines.
fn command<T: Args>() -> Command {
    T::augment_args(Command::new("torii gate").no_binary_name(true).disable_help_flag(true))
}

fn option<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|option| option.get_long() == Some(key))
}

fn is_list(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Append)
}

/// The arguments for the values of an option, which are found valid.
fn checked<T: Args>(key: &str, values: Vec<String>) -> Result<Vec<String>, String> {
    let arguments: Vec<_> = values.iter().map(|value| format!("--{key}={value}")).collect();
    parse::<T>(arguments.clone())?;
    Ok(arguments)
}

fn parse<T: Args>(arguments: Vec<String>) -> Result<T, String> {
    let matches = command::<T>().try_get_matches_from(arguments);
    matches.and_then(|matches| T::from_arg_matches(&matches)).map_err(|error| explain(&error))
}

/// Describes the fault of a value, without the value, which could be a password.
fn explain(error: &clap::Error) -> String {
    match (error.kind(), error.get(ContextKind::ValidValue)) {
        (ErrorKind::InvalidValue, Some(ContextValue::Strings(known))) if !known.is_empty() => {
            format!("unknown value (expected one of {})", known.join(", "))
        }
        (ErrorKind::ValueValidation, _) => {
            error.source().map_or("invalid value".to_owned(), ToString::to_string)
        }
        (ErrorKind::ArgumentConflict, _) => "given twice".to_owned(),
        _ => "invalid value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Flag;

    fn variables(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let pairs = pairs.iter().map(|(name, value)| (name.into(), value.into()));
        environment(pairs).map(|(settings, _)| settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_has_the_name_and_the_value_of_the_option() {
        let settings = variables(&[
            ("TORII_GATE_ISSUER", "https://a.torii.so, https://b.torii.so"),
            ("TORII_GATE_LEEWAY", "5"),
            ("TORII_GATE_REQUIRE", "email-verified,organization"),
            ("TORII_GATE_OPTIONAL", "true"),
            ("TORII_GATE_COOKIE", ""),
            ("PATH", "/bin"),
        ])
        .unwrap();
        assert_eq!(settings.issuer, ["https://a.torii.so", "https://b.torii.so"]);
        assert_eq!((settings.leeway, settings.access.optional), (Some(5), Some(true)));
        assert_eq!(settings.access.require, [Flag::EmailVerified, Flag::Organization]);
        assert_eq!(settings.cookie, None);
    }

    #[test]
    fn wrong_variables_are_named_without_their_value() {
        for (name, value, wanted) in [
            ("TORII_GATE_REQUIER", "email-verified", "TORII_GATE_REQUIER: unknown variable"),
            ("TORII_GATE_Require", "email-verified", "TORII_GATE_Require: unknown variable"),
            ("TORII_GATE_CHECK", "true", "TORII_GATE_CHECK: unknown variable"),
            ("TORII_GATE_LEEWAY", "301", "TORII_GATE_LEEWAY: 301 is not in 0..=300"),
            ("TORII_GATE_OPTIONAL", "yes", "TORII_GATE_OPTIONAL: unknown value"),
            ("TORII_GATE_REQUIRE", "secret", "TORII_GATE_REQUIRE: unknown value (expected one of"),
            ("TORII_GATE_LISTEN", "secret", "TORII_GATE_LISTEN: not an address (expected"),
            ("TORII_GATE_ADMIN", "127.0.0.1:1,127.0.0.1:2", "TORII_GATE_ADMIN: not an address"),
        ] {
            let why = variables(&[(name, value)]).unwrap_err();
            assert!(why.starts_with(wanted) && !why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn variables_of_kubernetes_are_ignored() {
        for name in [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_HTTP",
            "PORT",
            "PORT_9180_TCP",
            "PORT_9180_TCP_ADDR",
            "ADMIN_PORT",
            "ADMIN_SERVICE_HOST",
        ] {
            variables(&[(&format!("TORII_GATE_{name}"), "tcp://10.0.0.1:9180")]).unwrap();
        }
        assert!(!is_service_link("LISTEN") && !is_service_link("TRANSPORT_LAYER"));
    }

    #[test]
    fn a_file_has_the_names_and_the_values_of_the_options() {
        let layers = file(
            r#"
            issuer = "https://acme.torii.so"
            leeway = 5
            optional = true
            socket-mode = "660"
            require-claim = ['/plan="a, b"']
            header = { X-User-Id = "/sub" }
            [[route]]
            listen = ["127.0.0.1:9182"]
            require = ["not-impersonated"]
            "#,
        )
        .unwrap();
        assert_eq!(layers.settings.issuer, ["https://acme.torii.so"]);
        assert_eq!(
            (layers.settings.leeway, layers.settings.access.optional),
            (Some(5), Some(true))
        );
        assert_eq!(layers.settings.access.require_claim.len(), 1);
        assert_eq!(layers.settings.header, ["X-User-Id=/sub".parse().unwrap()]);
        assert_eq!(layers.routes[0].access.require, [Flag::NotImpersonated]);
    }

    #[test]
    fn wrong_files_are_refused() {
        for (text, wanted) in [
            ("requier = []", "requier: unknown option"),
            ("check = true", "check: unknown option"),
            ("config = \"x\"", "config: unknown option"),
            ("leeway = \"5\"", "leeway: expected a number"),
            ("leeway = -1", "leeway: -1 is not in 0..=300"),
            ("optional = \"false\"", "optional: expected true or false"),
            ("cookie = true", "cookie: expected a string"),
            ("cookie = [\"a\"]", "cookie: expected a string"),
            ("socket-mode = 0o660", "socket-mode: expected a string"),
            ("socket-mode = \"1660\"", "socket-mode: not permissions"),
            ("[header]\nX-User-Id = 1", "header: X-User-Id: not a string"),
            ("header = [\"X-User-Id\"]", "header: expected NAME=CLAIM"),
            ("require-claim = [\"/plan=pro\"]", "require-claim: "),
            ("route = 1", "route: not a list"),
            ("[[route]]\noptional = true", "route 1: listen: missing"),
            (
                "[[route]]\nlisten = \"127.0.0.1:1\"\nissuer = \"x\"",
                "route 1: issuer: unknown option",
            ),
            ("\nproxy = \"http://u:secret@p\" x", "line 2: "),
        ] {
            let why = file(text).unwrap_err();
            assert!(why.starts_with(wanted) && !why.contains("secret"), "{text}: {why}");
        }
    }

    #[test]
    fn a_higher_layer_replaces_a_lower_one() {
        let above = variables(&[("TORII_GATE_ISSUER", "https://a.torii.so")]).unwrap();
        let below = file("issuer = [\"https://b.torii.so\"]\nleeway = 7").unwrap().settings;
        let settings = above.over(below);
        assert_eq!(settings.issuer, ["https://a.torii.so"]);
        assert_eq!(settings.leeway, Some(7));
    }
}
