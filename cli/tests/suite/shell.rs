//! Help, completions, man pages.

use std::process::{Command, Stdio};

use crate::world::{Folder, TORII, Torii, json};

#[test]
fn help_documents_the_exit_statuses() {
    let help = Torii::new(&["--help"]).run().succeeds();
    for line in
        ["\n  0  success", "\n  1  invalid token", "\n  70 internal error", "TORII_SECRET_KEY"]
    {
        assert!(help.contains(line), "{help}");
    }
    let version = Torii::new(&["--version"]).run().succeeds();
    assert_eq!(version, format!("torii {}\n", env!("CARGO_PKG_VERSION")));
    let help = Torii::new(&["verify", "--help"]).env("TORII_ISSUER", "https://mine.example").run();
    assert!(!help.succeeds().contains("mine.example"), "help does not show the environment");
}

#[test]
fn bash_completes() {
    let script = "source <(\"$TORII\" completions bash)
        COMP_WORDS=(torii users up) COMP_CWORD=2; _torii torii up users; echo \"${COMPREPLY[*]}\"
        COMP_WORDS=(torii ver) COMP_CWORD=1; _torii torii ver torii; echo \"${COMPREPLY[*]}\"
        COMP_WORDS=(torii verify --iss) COMP_CWORD=2; _torii torii --iss verify; echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash").args(["-c", script]).env("TORII", TORII).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "update update-metadata\nverify\n--issuer\n", "{:?}", output.stderr);
}

#[test]
fn every_shell_can_read_its_script() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Torii::new(&["completions", shell]).run().succeeds();
        assert!(script.contains("torii") && script.contains("update-member-metadata"), "{shell}");
        assert!(!script.contains("Write torii.1"), "hidden commands are not completed");
        let folder = Folder::new();
        let file = folder.file("script", &script);
        // zsh and fish may be missing.
        match Command::new(shell).args(["-n", &file]).stderr(Stdio::inherit()).status() {
            Ok(status) => assert!(status.success(), "{shell}"),
            Err(_) => assert_ne!(shell, "bash"),
        }
    }
}

#[test]
fn man_pages_are_written() {
    let folder = Folder::new();
    let path = folder.path().to_str().unwrap();
    assert_eq!(Torii::new(&["man", path]).run().succeeds(), "");
    let pages = std::fs::read_dir(folder.path()).unwrap().map(|page| page.unwrap());
    let names: Vec<_> = pages.map(|page| page.file_name().into_string().unwrap()).collect();
    for name in ["torii.1", "torii-verify.1", "torii-users-update-metadata.1", "torii-doctor.1"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".TH "), "{page}");
    }
    assert!(!names.iter().any(|name| name == "torii-man.1"));
    let page = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let torii = page("torii.1");
    for section in ["ENVIRONMENT", "EXIT STATUS", "NOTES"] {
        assert!(
            torii.contains(&format!(".SH {section}\n"))
                || torii.contains(&format!(".SH \"{section}\"\n")),
            "{torii}"
        );
    }
    assert!(torii.contains("\n5  the API returned an error\n"), "{torii}");
    let verify = page("torii-verify.1");
    assert!(verify.contains(".SH \"EXAMPLES\"\n.nf\ntorii verify \\-\\-issuer"), "{verify}");
    assert!(verify.ends_with(".SH SEE ALSO\n\\fBtorii\\fR(1)\n"), "{verify}");
    let ended = Torii::new(&["man", "/nonexistent"]).run();
    assert_eq!(ended.code, 7, "{ended:?}");
}

#[test]
fn an_empty_key_set_is_reported_as_json() {
    let report = Torii::new(&["keys", "--json", "--jwks", "-"]).reading(br#"{"keys":[]}"#);
    assert_eq!(report.code, 4);
    assert_eq!(json(&report.stdout)["refused"], "no usable key");
}
