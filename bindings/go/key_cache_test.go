package torii_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

// A process of its own has the keys that this one has written, while the issuer is down.
func TestKeyCache(t *testing.T) {
	if text := os.Getenv("TORII_TEST_KEY_CACHE"); text != "" {
		var is struct{ Issuer, Token, Dir string }
		must(json.Unmarshal([]byte(text), &is))
		_, err := newVerifier(t, is.Issuer).Verify(t.Context(), is.Token)
		if !errors.Is(err, torii.ErrKeysUnavailable) {
			t.Errorf("the issuer is not down: %v", err)
		}
		second := newVerifier(t, is.Issuer, torii.WithKeyCacheDir(is.Dir))
		if _, err := second.Verify(t.Context(), is.Token); err != nil {
			t.Error(err)
		}
		stats, err := second.Stats()
		if err != nil || stats.Issuers[0].KeyCacheDir.Loaded != 1 || stats.Issuers[0].Fetches != 0 {
			t.Error(err, stats)
		}
		return
	}
	issuer, dir := newEnvironment(t), t.TempDir()
	first, token := newVerifier(t, issuer.Issuer, torii.WithKeyCacheDir(dir)), issuer.Mint(t, `{}`)
	if _, err := first.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		stats, err := first.Stats()
		if err != nil || time.Now().After(deadline) {
			t.Fatal(err, stats)
		}
		if cache := stats.Issuers[0].KeyCacheDir; cache.Written > 0 && cache.LastError == nil {
			break
		}
	}
	issuer.FailKeys(t)
	is, err := json.Marshal(map[string]string{"Issuer": issuer.Issuer, "Token": token, "Dir": dir})
	must(err)
	again := exec.Command(os.Args[0], "-test.run=^TestKeyCache$", "-test.v")
	again.Env = append(os.Environ(), "TORII_TEST_KEY_CACHE="+string(is))
	if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestKeyCache") {
		t.Errorf("%v: %s", err, out)
	}
}
