package torii_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	torii "libtorii.internal/go"
)

// notWrapped are the functions of torii.h that this package does not call, and why.
var notWrapped = map[string]string{
	"torii_verify_token":                 "torii_verify_into",
	"torii_verify_token_nowait":          "torii_verify_into",
	"torii_verifier_authenticate":        "torii_verify_into",
	"torii_verifier_authenticate_nowait": "torii_verify_into",
	"torii_verifier_options_require":     "torii_verifier_options_set_requirements",
	"torii_verifier_claim_fetch":         "calls that fetch keys have a goroutine of their own",
	"torii_fetch_url":                    "torii_verifier_claim_fetch",
	"torii_fetch_etag":                   "torii_verifier_claim_fetch",
	"torii_fetch_done":                   "torii_verifier_claim_fetch",
	"torii_fetch_free":                   "torii_verifier_claim_fetch",
	"torii_auth_user_id":                 "torii_verify_into",
	"torii_auth_environment_id":          "torii_verify_into",
	"torii_auth_issuer":                  "torii_verify_into",
	"torii_auth_locale":                  "torii_verify_into",
	"torii_auth_organization_id":         "torii_verify_into",
	"torii_auth_organization_role":       "torii_verify_into",
	"torii_auth_actor_id":                "torii_verify_into",
	"torii_auth_claims_json":             "torii_verify_into",
	"torii_auth_email_verified":          "torii_verify_into",
	"torii_auth_profile_complete":        "torii_verify_into",
	"torii_auth_impersonating":           "torii_verify_into",
	"torii_auth_issued_at":               "torii_verify_into",
	"torii_auth_expires_at":              "torii_verify_into",
	"torii_auth_claim_string":            "encoding/json",
	"torii_auth_claims":                  "encoding/json",
	"torii_auth_require":                 "torii_verify_into takes requirements",
	"torii_auth_free":                    "torii_verify_into",
	"torii_json_type":                    "encoding/json",
	"torii_json_raw":                     "encoding/json",
	"torii_json_string":                  "encoding/json",
	"torii_json_int":                     "encoding/json",
	"torii_json_double":                  "encoding/json",
	"torii_json_bool":                    "encoding/json",
	"torii_json_length":                  "encoding/json",
	"torii_json_is_null":                 "encoding/json",
	"torii_patch_new":                    "encoding/json",
	"torii_patch_set_string":             "encoding/json",
	"torii_patch_set_bool":               "encoding/json",
	"torii_patch_set_int":                "encoding/json",
	"torii_patch_set_json":               "encoding/json",
	"torii_patch_set_null":               "encoding/json",
	"torii_patch_unset":                  "encoding/json",
	"torii_patch_json":                   "encoding/json",
	"torii_patch_free":                   "encoding/json",
}

// header returns torii.h as pkg-config finds it, and the sources of this package, without comments.
func header(t *testing.T) (header, sources string) {
	t.Helper()
	folder, err := exec.Command("pkg-config", "--cflags-only-I", "torii").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(string(folder)), "-I"), `\ `, " ")
	text, err := os.ReadFile(filepath.Join(path, "torii.h"))
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || !regexp.MustCompile(`\.(go|c|h)$`).MatchString(name) {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources += string(source)
	}
	return comments.ReplaceAllString(string(text), ""), comments.ReplaceAllString(sources, "")
}

var comments = regexp.MustCompile(`(?s:/\*.*?\*/)|//[^#\n]*`)

// called returns the functions whose names stand before a parenthesis.
func called(source string) map[string]bool {
	names := map[string]bool{}
	for _, match := range regexp.MustCompile(`\b(torii_\w+)\(`).FindAllStringSubmatch(source, -1) {
		names[match[1]] = true
	}
	return names
}

// Every function of the header is called, or is listed above. cgo checks their types.
func TestHeaderFunctions(t *testing.T) {
	header, sources := header(t)
	declared, called := called(header), called(sources)
	if len(declared) < 100 {
		t.Fatalf("only %d functions found", len(declared))
	}
	for name := range declared {
		if _, listed := notWrapped[name]; called[name] == listed {
			t.Errorf("%s: called: %v, listed: %v", name, called[name], listed)
		}
	}
	for name := range notWrapped {
		if !declared[name] {
			t.Errorf("%s is not in the header", name)
		}
	}
}

// Every status of the header has a constant here, and the library the same name for it.
func TestHeaderStatuses(t *testing.T) {
	header, sources := header(t)
	statuses := regexp.MustCompile(`(?m)^  (TORII_ERR_\w+) = (\d+),$`).FindAllStringSubmatch(header, -1)
	if len(statuses) < 28 {
		t.Fatalf("only %d statuses found", len(statuses))
	}
	for _, status := range statuses {
		number, err := strconv.ParseUint(status[2], 10, 32)
		if err != nil || torii.Status(number).String() != status[1] {
			t.Errorf("%s: %v", status[0], torii.Status(number))
		}
		if !regexp.MustCompile(`Err\w+ +Status = C\.` + status[1] + `\b`).MatchString(sources) {
			t.Errorf("%s has no constant", status[1])
		}
	}
	flags := map[string]torii.Flags{
		"TORII_REQUIRE_EMAIL_VERIFIED": torii.EmailVerified, "TORII_REQUIRE_PROFILE_COMPLETE": torii.ProfileComplete,
		"TORII_REQUIRE_NOT_IMPERSONATED": torii.NotImpersonated, "TORII_REQUIRE_ORGANIZATION": torii.OrganizationActive,
	}
	found := regexp.MustCompile(`(?m)^  (TORII_REQUIRE_\w+) = (\d+),$`).FindAllStringSubmatch(header, -1)
	for _, flag := range found {
		if got, ok := flags[flag[1]]; !ok || strconv.Itoa(int(got)) != flag[2] {
			t.Errorf("%s: %d", flag[0], got)
		}
	}
	if len(found) != len(flags) {
		t.Errorf("%d flags in the header", len(found))
	}
}
