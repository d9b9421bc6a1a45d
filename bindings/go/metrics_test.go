package torii_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	torii "libtorii.internal/go"
)

func TestMetrics(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	for range 3 {
		if _, err := verifier.Verify(t.Context(), issuer.Mint(t, `{}`)); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = verifier.Verify(t.Context(), "x")
	server := httptest.NewServer(verifier.MetricsHandler())
	defer server.Close()
	response, text := get(t, server.URL)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != torii.MetricsType {
		t.Error(response.Status, response.Header)
	}
	if !strings.HasSuffix(text, "# EOF\n") || strings.Contains(text, issuer.Issuer) {
		t.Error(text)
	}
	for _, line := range []string{`{status="TORII_OK"} 3`, `{status="TORII_ERR_TOKEN_MALFORMED"} 1`} {
		if !strings.Contains(text, "\ntorii_tokens_total"+line+"\n") {
			t.Errorf("no %s in %s", line, text)
		}
	}
	verifier.Close()
	if response, _ := get(t, server.URL); response.StatusCode != http.StatusInternalServerError {
		t.Error(response.Status)
	}
	if _, err := verifier.Metrics(); !errors.Is(err, torii.ErrClosed) {
		t.Error(err)
	}
}

// More than the first buffer holds.
func TestMetricsOfManyIssuers(t *testing.T) {
	issuer := newEnvironment(t)
	options := []torii.VerifierOption{torii.WithMetricsIssuerLabel()}
	names := []string{issuer.Issuer}
	for i := range 60 {
		names = append(names, fmt.Sprintf("http://127.0.0.1:1/%s%d", strings.Repeat("x", 100), i))
		options = append(options, torii.WithIssuer(names[len(names)-1]))
	}
	verifier := newVerifier(t, issuer.Issuer, options...)
	if _, err := verifier.Verify(t.Context(), issuer.Mint(t, `{}`)); err != nil {
		t.Fatal(err)
	}
	text, err := verifier.Metrics()
	if err != nil || !strings.HasSuffix(text, "# EOF\n") {
		t.Fatal(err, text)
	}
	for _, name := range names {
		if !strings.Contains(text, name) {
			t.Fatalf("no %s", name)
		}
	}
}
