package torii_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	torii "libtorii.internal/go"
)

// A library of another ABI is refused, and the error names both numbers. A process of its own preloads
// another torii_abi_version().
func TestABI(t *testing.T) {
	if os.Getenv("TORII_TEST_OTHER_ABI") != "" {
		_, verifier := torii.NewVerifier("https://acme.torii.so")
		_, client := torii.NewClient("sk_test_x")
		_, webhook := torii.NewWebhookVerifier("")
		_, requirements := torii.NewRequirements(torii.EmailVerified)
		for _, err := range []error{verifier, client, webhook, requirements} {
			if err == nil || !strings.Contains(err.Error(), "ABI 4711") || !strings.Contains(err.Error(), "ABI 0") {
				t.Error(err)
			}
		}
		return
	}
	if torii.Version() == "" {
		t.Error("no version")
	}
	if isStatic {
		t.Log("linked statically: no other library can be loaded")
		return
	}
	dir := t.TempDir()
	source, other := filepath.Join(dir, "other.c"), filepath.Join(dir, "other.so")
	if err := os.WriteFile(source, []byte("unsigned torii_abi_version(void) { return 4711; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", other, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	again := exec.Command(os.Args[0], "-test.run=^TestABI$", "-test.v")
	again.Env = append(os.Environ(), "LD_PRELOAD="+other, "TORII_TEST_OTHER_ABI=1")
	if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestABI") {
		t.Errorf("%v: %s", err, out)
	}
}
