package torii_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

// expectRevoked checks whether the token is refused as revoked, or else is valid.
func expectRevoked(t *testing.T, verifier *torii.Verifier, token string, revoked bool) {
	t.Helper()
	_, err := verifier.Verify(t.Context(), token)
	if revoked && !errors.Is(err, torii.ErrTokenRevoked) || !revoked && err != nil {
		t.Errorf("revoked: %v, but: %v", revoked, err)
	}
}

const bannedAda = `{"revoked":[{"sub":"ada","before":"all"}]}`

func TestRevoke(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer, torii.WithLeeway(0))
	token, other := issuer.Mint(t, `{"claims":{"sub":"ada"}}`), issuer.Mint(t, `{"claims":{"sub":"bob"}}`)
	acting := issuer.Mint(t, `{"claims":{"sub":"bob","act":{"sub":"ada"}}}`)
	for _, each := range []string{token, token, other, acting} {
		expectRevoked(t, verifier, each, false)
	}
	auth, err := verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	must(verifier.Revoke("ada", auth.IssuedAt.Add(-time.Second)))
	expectRevoked(t, verifier, token, false)
	// A time within a second includes the tokens of this second.
	must(verifier.Revoke("ada", auth.IssuedAt.Add(-time.Nanosecond)))
	expectRevoked(t, verifier, token, true)
	must(verifier.Revoke("ada", time.Unix(0, 0)))
	expectRevoked(t, verifier, token, true)
	must(verifier.Revoke("ada", time.Now()))
	expectRevoked(t, verifier, acting, true)
	expectRevoked(t, verifier, other, false)

	must(verifier.RevokeAll("bob"))
	expectRevoked(t, verifier, other, true)
	for name, err := range map[string]error{
		"user_id":       verifier.RevokeAll(""),
		"issued_before": verifier.Revoke("ada", time.Now().Add(72*time.Hour)),
	} {
		if !errors.Is(err, torii.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	verifier.Close()
	if err := verifier.RevokeAll("ada"); !errors.Is(err, torii.ErrClosed) {
		t.Error(err)
	}
}

func TestRevocationList(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	ada, bob := issuer.Mint(t, `{"claims":{"sub":"ada"}}`), issuer.Mint(t, `{"claims":{"sub":"bob"}}`)
	must(verifier.RevokeAll("bob"))
	expectRevoked(t, verifier, ada, false)
	must(verifier.SetRevocationsJSON([]byte(bannedAda)))
	expectRevoked(t, verifier, ada, true)
	if err := verifier.SetRevocationsJSON([]byte(`{"revoked":[{"sub":"eve"}]}`)); !errors.Is(err, torii.ErrInvalidArgument) {
		t.Error(err)
	}
	expectRevoked(t, verifier, ada, true)
	must(verifier.SetRevocationsJSON([]byte(`{"revoked":[]}`)))
	expectRevoked(t, verifier, ada, false)
	expectRevoked(t, verifier, bob, true)
}

func TestRevocationsFile(t *testing.T) {
	issuer := newEnvironment(t)
	path := filepath.Join(t.TempDir(), "revocations.json")
	write := func(list string) { must(os.WriteFile(path, []byte(list), 0o600)) }
	write(`{"revoked":[]}`)
	verifier := newVerifier(t, issuer.Issuer, torii.WithRevocationsFile(path))
	token := issuer.Mint(t, `{"claims":{"sub":"ada"}}`)
	expectRevoked(t, verifier, token, false)
	for _, change := range []struct {
		list    string
		revoked bool
	}{{bannedAda, true}, {`{"revoked":[]}`, false}} {
		write(change.list)
		deadline := time.Now().Add(2 * time.Minute)
		for {
			_, err := verifier.Verify(t.Context(), token)
			if errors.Is(err, torii.ErrTokenRevoked) == change.revoked {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", change.list, err)
			}
		}
	}
	if stats, err := verifier.Stats(); err != nil || stats.Revocations.File == nil || stats.Revocations.File.Reads < 3 {
		t.Error(err, stats)
	}
	_, err := torii.NewVerifier(issuer.Issuer, torii.WithRevocationsFile(path+".missing"))
	if !errors.Is(err, torii.ErrInvalidConfig) || !strings.Contains(err.Error(), "revocations") {
		t.Error(err)
	}
}

func TestReadmeOfRevocation(t *testing.T) {
	issuer, mux, userID := newEnvironment(t), http.NewServeMux(), "ada"
	verifier := newVerifier(t, issuer.Issuer)
	token := issuer.Mint(t, `{"claims":{"sub":"ada"}}`)

	err := verifier.Revoke(userID, time.Now()) // tokens issued until now, in this process
	err = verifier.SetRevocationsJSON([]byte(`{"revoked":[{"sub":"…","before":"all"}]}`))
	mux.Handle("GET /metrics", verifier.MetricsHandler()) // OpenMetrics text, for Prometheus

	if err != nil {
		t.Error(err)
	}
	expectRevoked(t, verifier, token, true)
	server := httptest.NewServer(mux)
	defer server.Close()
	if _, text := get(t, server.URL+"/metrics"); !strings.Contains(text, `{status="TORII_ERR_TOKEN_REVOKED"} 1`) {
		t.Error(text)
	}
	readme, err := os.ReadFile("README.md")
	must(err)
	source, err := os.ReadFile("revocation_test.go")
	must(err)
	_, block, _ := strings.Cut(string(readme), "## Revocation and metrics\n\n```go\n")
	block, _, _ = strings.Cut(block, "```")
	if !strings.Contains(strings.ReplaceAll(string(source), "\n\t", "\n"), "\n"+block) {
		t.Error("README.md shows other calls than this test makes")
	}
}
