//! The README's examples and tables.

use std::path::Path;
use std::process::Command;

use crate::world::{Folder, NOBODY, TORII, World};

#[test]
fn every_example_runs() {
    let world = World::new();
    let readme = include_str!("../../README.md");
    let examples: Vec<&str> =
        readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 4, "{examples:?}");
    let (user, actor) = (world.user(), world.user());
    let folder = Folder::new();
    let token =
        world.issuer.mint(torii_emulator::Mint::new().subject(&user).claim("email_verified", true));
    folder.file("token", &token);
    folder.file("keys.json", &world.issuer.jwks().to_string());
    folder.file("key", &world.issuer.secret_key());
    let beside = Path::new(TORII).parent().unwrap();
    for example in examples {
        // As printed, with the test's issuer.
        let script = example.replace("https://acme.torii.so", &world.issuer.url());
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &script]).current_dir(folder.path()).env_clear();
        shell.env("PATH", format!("{}:{}", beside.display(), std::env::var("PATH").unwrap()));
        shell.env("HOME", folder.path()).env("TOKEN", &token).env("USER_ID", &user);
        shell.env("OWN_ID", &actor).env("TORII_API_URL", world.emulator.url());
        shell.env("TORII_SECRET_KEY", world.issuer.secret_key());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{script}\n{output:?}");
    }
    assert!(!readme.contains(NOBODY));
}

/// The table of exit statuses is that of the help.
#[test]
fn the_exit_statuses_are_those_of_the_help() {
    let readme = include_str!("../../README.md");
    let help = crate::world::Torii::new(&["--help"]).run().succeeds();
    let listed = help.split("Exit status:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for line in listed.lines() {
        let (code, meaning) = line.trim().split_once(char::is_whitespace).unwrap();
        let row = format!("| {code} | {} |", meaning.trim());
        assert!(readme.contains(&row), "{row}");
    }
}
